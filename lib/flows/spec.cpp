#include "flows/spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
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

void check_word(std::string_view field, const std::string& value, std::initializer_list<std::string_view> words) {
  if (std::ranges::find(words, value) == words.end()) refuse(field, '\'' + value + '\'', fmt::format("one of {}", fmt::join(words, ", ")));
}

bool reads(const FlowRow& row, std::string_view option) {
  const std::string padded = ' ' + std::string(row.options) + ' ';
  return padded.find(' ' + std::string(option) + ' ') != std::string::npos;
}

double parameters_at_most(const FlowSpec& spec) {
  const auto features = static_cast<double>(spec.features), context = static_cast<double>(spec.context);
  double inputs = features, total = 2 * features * features;
  for (const Index width : spec.hidden) {
    total += (inputs + context + 1) * static_cast<double>(width);
    inputs = static_cast<double>(width);
  }
  total += 2 * static_cast<double>(spec.blocks) * inputs * (inputs + 1);
  total += (inputs + 1) * features * static_cast<double>(3 * spec.bins);
  return total * static_cast<double>(spec.layers);
}

}  // namespace

void check(const FlowSpec& spec) {
  const FlowRow* row = find_flow(spec.flow);
  if (row == nullptr) throw Error(ErrorKind::usage, "", fmt::format("there is no flow '{}'", spec.flow), "biject flows");
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
  check_range("bins", spec.bins, 2, 64);
  check_range("tail", spec.tail, 0.1, 1000.);
  check_range("dropout", spec.dropout, 0., 0.9);
  check_word("mix", spec.mix, {"lu", "permute", "reverse", "none"});
  check_word("base", spec.base, {"normal", "student"});
  check_word("activation", spec.activation, {"relu", "tanh"});
  const FlowSpec defaults;
  const auto check_read = [&](std::string_view option, bool is_default) {
    if (is_default || reads(*row, option)) return;
    std::string list = "--" + std::string(row->options);
    for (auto at = list.find(' '); at != std::string::npos; at = list.find(' ', at + 1)) list.replace(at, 1, " --");
    throw Error(ErrorKind::usage, "", fmt::format("--{}: the flow {} does not read it", option, spec.flow),
                fmt::format("{} reads {}", spec.flow, list));
  };
  check_read("layers", spec.layers == defaults.layers);
  check_read("hidden", spec.hidden == defaults.hidden);
  check_read("blocks", spec.blocks == defaults.blocks);
  check_read("bins", spec.bins == defaults.bins);
  check_read("tail", spec.tail == defaults.tail);
  check_read("mix", spec.mix == defaults.mix);
  check_read("base", spec.base == defaults.base);
  check_read("dropout", spec.dropout == defaults.dropout);
  if (parameters_at_most(spec) > kMostParameters) {
    throw Error(ErrorKind::limit, "", "the flow would have more than 300 million parameters",
                "smaller --hidden or fewer --layers");
  }
}

}  // namespace biject
