#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/row_blocks.hpp"
#include "model/model.hpp"
#include "train/trainer.hpp"

namespace biject {

/// A table ready to be fitted: finite numbers in the units of the file. Columns that are constant make an Error of kind data,
/// as do too few rows.
struct FitData {
  std::vector<std::string> names;   // one per column
  std::vector<bool> is_given;       // one per column
  RowBlocks values;                 // rows × columns
  Vector<double> weights;           // empty or one per row
  std::optional<RowBlocks> validation;          // rows × columns; none: a share of the rows is held out
  Vector<double> validation_weights;
};

/// What the user asked for. What was left open (an empty optional) is chosen from the flow and the size of the data.
struct FitRequest {
  std::string flow = "nsf";
  std::optional<Index> layers, blocks, bins, components;
  std::optional<std::vector<Index>> hidden;
  std::optional<double> tail, dropout;
  std::optional<std::string> scheme, mix, base, component_flow;
  std::optional<Index> epochs, batch_size, patience;
  std::optional<double> learning_rate, weight_decay, clip;
  std::optional<std::string> schedule;
  std::optional<bool> average;
  double validation_fraction = 0.1;
  std::uint64_t seed = 0;
  double seconds = 0;               // 0: no limit
  bool in_double = false;
};

/// Everything decided before the first step; what `--dry-run` reports and `fit` prints.
struct FitPlan {
  FlowSpec spec;
  TrainOptions options;
  Index train_rows = 0, validation_rows = 0;
  Index parameters = 0;             // free numbers
  double memory_bytes = 0;          // estimate of the peak
};

/// Resolves a request for a table of that many rows. Throws Error of kind usage for options that contradict each other or
/// that the flow does not read, of kind data for too few rows.
FitPlan plan_fit(const FitRequest& request, Index rows, Index validation_rows, Index features, Index context);

/// Seconds that one epoch takes on this machine, measured on a few steps of the very plan.
double measure_epoch_seconds(const FitData& data, const FitPlan& plan, const FitRequest& request, ThreadPool& pool);

/// Standardises, splits, trains, judges; the table is given up as soon as it is standardised. Reports through the hooks, whose
/// log_probs are in the units of the file. Throws Error of kind diverged if no finite model was found.
Model fit(FitData data, const FitPlan& plan, const FitRequest& request, ThreadPool& pool, const TrainHooks& hooks);

}  // namespace biject
