#include "flows/spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.hpp"
#include "flows/catalogue.hpp"

namespace biject {

namespace {

constexpr double kMostParameters = 3e8;  // 2.4 GB in float64

[[noreturn]] void refuse(std::string_view field, const std::string& found, const std::string& expected) {
  throw Error(ErrorKind::usage, "", fmt::format("--{}: {} is not {}", field, found, expected));
}

void check_range(std::string_view field, Index value, Index low, Index high) {
  if (value < low || value > high) refuse(field, fmt::to_string(value), fmt::format("a number from {} to {}", low, high));
}

void check_range(std::string_view field, double value, double low, double high) {
  if (!(value >= low && value <= high)) refuse(field, fmt::to_string(value), fmt::format("a number from {} to {}", low, high));
}

std::string replaced(std::string_view words, std::string_view separator) {
  std::string result(words);
  for (auto at = result.find(' '); at != std::string::npos; at = result.find(' ', at + separator.size())) result.replace(at, 1, separator);
  return result;
}

std::string commas(std::string_view words) { return replaced(words, ", "); }
std::string flags(std::string_view options) { return "--" + replaced(options, " --"); }

void check_word(std::string_view field, const std::string& value, std::string_view words) {
  if (!lists(words, value)) refuse(field, '\'' + value + '\'', "one of " + commas(words));
}

/// row_of_parts, if it can be part of this flow.
const FlowRow& fitting_parts(const FlowSpec& spec, const FlowRow& row) {
  const FlowRow* component = row_of_parts(spec);
  if (!lists(row.options, "component-flow")) return row;
  if (component == nullptr) {
    throw Error(ErrorKind::usage, "", fmt::format("--component-flow: there is no flow '{}'", spec.component_flow), "biject flows");
  }
  if (component == &row || component->objective != Objective::likelihood) {
    throw Error(ErrorKind::usage, "", fmt::format("--component-flow: {} cannot be a component of a mixture", spec.component_flow));
  }
  return *component;
}

double parameters_at_most(const FlowSpec& spec, const FlowRow& row) {
  const auto features = static_cast<double>(spec.features), context = static_cast<double>(spec.context);
  double inputs = features, total = 2 * features * features;
  for (const Index width : spec.hidden) {
    total += (inputs + context + 1) * static_cast<double>(width);
    inputs = static_cast<double>(width);
  }
  total += 2 * static_cast<double>(spec.blocks) * inputs * (inputs + 1);
  total += (inputs + 1) * features * static_cast<double>(3 * spec.bins + 1);
  if (row.map_float == nullptr) {  // blocks of hidden units for each feature
    const double width = static_cast<double>(std::ranges::max(spec.hidden)) + 2 * features;
    total += static_cast<double>(spec.hidden.size()) * width * width;
  }
  total *= static_cast<double>(spec.layers);
  const auto components = static_cast<double>(spec.components);
  if (spec.base == "made-mog") total += (inputs + 1) * features * 3 * components;
  if (spec.base == "mixture") total += 2 * features * components;
  return lists(row.options, "component-flow") ? components * total : total;
}

}  // namespace

void check(const FlowSpec& spec) {
  const FlowRow* row = find_flow(spec.flow);
  if (row == nullptr) throw Error(ErrorKind::usage, "", fmt::format("there is no flow '{}'", spec.flow), "biject flows");
  const FlowRow& parts = fitting_parts(spec, *row);
  if (spec.features < 1) throw Error(ErrorKind::usage, "", "a flow needs at least one column");
  check_range("columns", spec.features, 1, 65536);
  check_range("given", spec.context, 0, 65536);
  check_range("layers", spec.layers, 1, 1024);
  check_range("blocks", spec.blocks, 0, 256);
  if (spec.hidden.empty() || spec.hidden.size() > 64) refuse("hidden", "the list", "1 to 64 widths");
  for (const Index width : spec.hidden) check_range("hidden", width, 1, 65536);
  if (spec.blocks > 0 && spec.hidden.size() != 1) {
    throw Error(ErrorKind::usage, "", "--blocks: a residual network has one width, not several",
                fmt::format("--hidden {} --blocks {}", spec.hidden.front(), spec.blocks));
  }
  check_range("tail", spec.tail, 0.1, 1000.);
  check_range("components", spec.components, 1, kMostComponents);
  check_range("dropout", spec.dropout, 0., 0.9);
  check_word("mix", spec.mix, kMixings);
  check_word("base", spec.base, kBases);
  check_word("activation", spec.activation, "relu tanh");
  if (!lists(parts.bases, spec.base)) {
    throw Error(ErrorKind::usage, "", fmt::format("--base: '{}' does not go with the flow {}", spec.base, parts.name),
                fmt::format("{} goes with {}", parts.name, commas(parts.bases)));
  }
  if (spec.base == "uniform" && lists("lu qr householder", spec.mix)) {
    throw Error(ErrorKind::usage, "", fmt::format("--base uniform: --mix {} carries points out of the box", spec.mix),
                "--mix permute, or reverse, or none");
  }
  const FlowSpec defaults;
  const std::string options = options_of(spec);
  const auto check_read = [&](std::string_view option, bool is_default) {
    if (is_default || lists(options, option)) return;
    throw Error(ErrorKind::usage, "", fmt::format("--{}: the flow {} does not read it", option, spec.flow),
                fmt::format("{} reads {}", spec.flow, flags(options)));
  };
  check_read("scheme", spec.scheme.empty());
  if (!spec.scheme.empty()) check_word("scheme", spec.scheme, kSchemes);
  check_read("layers", spec.layers == defaults.layers);
  check_read("hidden", spec.hidden == defaults.hidden);
  check_read("blocks", spec.blocks == defaults.blocks);
  check_read("bins", spec.bins == defaults.bins);
  check_range("bins", spec.bins, parts.fewest_bins, parts.most_bins);
  check_read("tail", spec.tail == defaults.tail);
  check_read("mix", spec.mix == defaults.mix);
  check_read("components", spec.components == defaults.components);
  check_read("component-flow", spec.component_flow == defaults.component_flow);
  check_read("dropout", spec.dropout == defaults.dropout);
  if (parameters_at_most(spec, *row) > kMostParameters) {
    throw Error(ErrorKind::limit, "", "the flow would have more than 300 million parameters",
                "smaller --hidden or fewer --layers");
  }
}

}  // namespace biject
