#pragma once

#include <functional>

#include "model/model.hpp"
#include "train/trainer.hpp"

namespace biject {

/// Mean and standard error of values, weighted (weights empty: all alike). The error is that of a weighted mean.
LogProbSummary summarise(VectorIn<double> values, VectorIn<double> weights);

/// Standardised rows that need not be in memory at once.
struct RowStream {
  Index rows, features, context;
  const Vector<double>& weights;  // empty, or rows × 1
  /// Calls `visit` for one block of rows after the other, as often as it is asked to. The columns of the context come
  /// first. The block is the visitor's, to do with as it likes.
  std::function<void(const std::function<void(Matrix<double>& block)>& visit)> for_each_block;
};

/// A normal distribution with full covariance, fitted to `training` by maximum likelihood, judged on `validation`; with context the
/// conditional normal p(x | context), that is a linear regression with correlated errors.
LogProbSummary gaussian_baseline(const RowStream& training, const RowStream& validation);

}  // namespace biject
