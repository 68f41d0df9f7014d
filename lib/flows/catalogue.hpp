#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bijectors/chain.hpp"
#include "flows/spec.hpp"
#include "maps/map.hpp"

namespace biject {

/// What training maximises.
enum class Objective {
  likelihood,
  matching,  // minus the loss of a regression that needs no simulation; the likelihood is only looked at now and then
};

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
  std::string_view bases;        // those that make sense with it, the default first; of a mixture, those of its components
  void (*defaults)(FlowSpec& spec, Index rows);   // fits the sizes to the data: D and C are set, rows to train on
  void (*build_float)(const FlowSpec&, Chain<float>&) = nullptr;
  void (*build_double)(const FlowSpec&, Chain<double>&) = nullptr;
  // Of a product (scheme) × (map of one real) × (network): the scheme unless the user names another, and the map.
  std::string_view scheme{};
  std::string_view map_name{};
  MapPtr<float> (*map_float)(const FlowSpec&) = nullptr;
  MapPtr<double> (*map_double)(const FlowSpec&) = nullptr;
  Index fewest_bins = 2, most_bins = 64;
  bool has_networks_only_of_context = false;  // without given columns nothing reads --hidden and its like
  Objective objective = Objective::likelihood;
  double cost = 1;               // of a training row, in units of nsf: such flows get fewer epochs
  double learning_rate = 1e-3;
};

/// All flows, the default first.
std::span<const FlowRow> catalogue();
/// Null if there is none of that name.
const FlowRow* find_flow(std::string_view name);
/// The row of what has layers and a base: the flow itself or, of a mixture, its components. Null if there is none of that name.
const FlowRow* row_of_parts(const FlowSpec& spec);
/// Whether a list of words separated by spaces, as in `options` and `bases`, holds the word.
bool lists(std::string_view words, std::string_view word);
/// Those words, one by one.
std::vector<std::string> words_of(std::string_view words);
/// The options that a flow of this spec reads: those of its row, of its components and of its base, and those of networks only if it
/// has any.
std::string options_of(const FlowSpec& spec);
/// Sets what the flow does not read to what a FlowSpec holds from the start, as check(spec) wants it.
void forget_unread(FlowSpec& spec);
/// The scheme of its layers, that of its row unless the spec names one; empty for a flow that is no product.
std::string scheme_of(const FlowSpec& spec);
/// The spec that `fit` uses where the user said nothing: sizes by rows, features and context columns. component_flow: of the
/// flow `mixture`, empty for the default.
FlowSpec default_spec(const FlowRow& row, Index rows, Index features, Index context, std::string_view component_flow = {});

}  // namespace biject
