#pragma once

#include "model/model.hpp"
#include "train/trainer.hpp"

namespace biject {

/// Mean and standard error of values, weighted (weights empty: all alike). The error is that of a weighted mean.
LogProbSummary summarise(VectorIn<double> values, VectorIn<double> weights);

/// A normal distribution with full covariance, fitted to `training` by maximum likelihood, judged on `validation`; with context the
/// conditional normal p(x | context), that is a linear regression with correlated errors.
LogProbSummary gaussian_baseline(const Rows<double>& training, const Rows<double>& validation);

}  // namespace biject
