#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "bijectors/chain.hpp"
#include "flows/spec.hpp"

namespace biject {

/// One row of the catalogue: what a user names with `fit --flow`, and all that help, man page check, tests and benchmarks
/// know of it.
struct FlowRow {
  std::string_view name;
  std::string_view summary;      // what it is good for, one line
  std::string_view paper;        // authors, year, title
  std::string_view formula;      // the map of one layer
  std::string_view score_cost;   // in passes through the networks
  std::string_view sample_cost;
  std::string_view options;      // the fields of FlowSpec that it reads, as flag names separated by spaces
  void (*defaults)(FlowSpec& spec, Index rows);   // fits the sizes to the data: D and C are set, rows to train on
  void (*build_float)(const FlowSpec&, Chain<float>&);
  void (*build_double)(const FlowSpec&, Chain<double>&);
};

/// All flows, the default first.
std::span<const FlowRow> catalogue();
/// Null if there is none of that name.
const FlowRow* find_flow(std::string_view name);
/// The spec that `fit` uses where the user said nothing: sizes by rows, features and context columns.
FlowSpec default_spec(const FlowRow& row, Index rows, Index features, Index context);

}  // namespace biject
