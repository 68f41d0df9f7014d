#pragma once

#include <string>
#include <vector>

#include "data/table.hpp"
#include "model/model.hpp"
#include "train/fit.hpp"

namespace biject {

/// What fit says to people; lines without the last line end.

/// Which columns and rows of the table are used and which are not.
std::string describe_use(const Table& table, const std::vector<std::string>& constant);
/// The flow and its training, all that was asked for or chosen.
std::string describe_plan(const FitPlan& plan);
/// The five lines at the end. `path` is empty if the model went to standard output.
std::string describe_result(const Model& model, const FitPlan& plan, const std::string& path,
                            std::size_t bytes);
/// The report of --dry-run, whole lines.
std::string describe_dry_run(const FitData& data, const FitPlan& plan, double epoch_seconds);

}  // namespace biject
