#pragma once

#include <vector>

#include "train/fit.hpp"

namespace biject {

/// Everything the trainer needs, in standard units.
template <class S> struct Prepared {
  std::vector<Column> columns;
  Rows<S> training, validation;
  Vector<double> training_weights, validation_weights;  // empty or of mean 1; those of the rows unrounded
  LogProbSummary gaussian;                              // of the baseline, per standardised row
  double log_scales = 0;                                // Σ log scale over the columns that are not given
};

/// Splits, describes and standardises. The table goes as the rows come: at no time are there more than its doubles, and
/// a few blocks of them.
template <class S> Prepared<S> prepare(FitData data, const FitPlan& plan, std::uint64_t seed);

}  // namespace biject
