#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/arena.hpp"
#include "flows/spec.hpp"

namespace biject {

/// One column of the table, and its map between the units of the file and those of the flow: u = (value − mean) / scale.
struct Column {
  std::string name;
  double mean = 0;
  double scale = 1;       // standard deviation of the training rows; finite, > 0
  double minimum = 0, maximum = 0;  // of the training rows, in the units of the file; for `info`
  bool is_given = false;  // a context column: the density is conditional on it
};

/// Mean log density over rows, nats, units of the file, with its standard error.
struct LogProbSummary {
  double mean = 0, standard_error = 0;
  std::int64_t rows = 0;
};

/// How the parameters came about.
struct TrainingRecord {
  std::uint64_t seed = 0;
  std::int64_t rows = 0, validation_rows = 0;   // used for gradients; held out
  std::int64_t rows_skipped = 0;                // missing or bad cells
  std::int64_t batch_size = 0;
  double learning_rate = 0, weight_decay = 0, clip = 0;
  std::string schedule = "cosine";
  bool averaged = false;                        // the weights kept are the running average, not the raw ones
  std::int64_t epochs = 0, best_epoch = 0, rejected_steps = 0;
  std::string stop;                             // why it ended: see StopReason in train/trainer.hpp
  double seconds = 0;                           // wall clock; written to the file only on request
  LogProbSummary train, validation, gaussian;   // gaussian: full-covariance, fitted to the same rows, on validation rows
};

/// What `fit` makes and `score` reads.
struct Model {
  FlowSpec spec;                   // features = columns with is_given false, in order; context = the others
  std::vector<Column> columns;     // in the order of the training table
  bool is_double = false;          // trained and stored in float64, else float32
  Arena<double> theta;             // laid out by Flow<double>(spec).params(); exact float values unless is_double
  TrainingRecord training;
  std::vector<std::pair<double, double>> quantiles;  // (p in percent, log_prob) over the training rows
};

}  // namespace biject
