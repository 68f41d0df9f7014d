#include "describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.hpp"
#include "core/suggest.hpp"
#include "terminal.hpp"

namespace biject {

std::string plural(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string describe_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> units{"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < units.size(); ++unit) bytes /= 1000;
  return fmt::format("{:.{}f} {}", bytes, unit > 0 && bytes < 9.95 ? 1 : 0, units[unit]);
}

std::string describe_seconds(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.2g} s", seconds);
  const auto whole = std::llround(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} m {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} m", whole / 3600, whole % 3600 / 60);
}

std::string describe(const LogProbSummary& summary) {
  return fmt::format("{:.4f} ± {:.4f}", summary.mean, summary.standard_error);
}

std::string describe(const FlowSpec& spec) {
  auto text = spec.flow;
  const FlowRow* row = find_flow(spec.flow);
  if (!row) return text;
  std::string_view separator = ": ";
  for (const auto& [name, value] : spec_values(spec, *row)) {
    text += fmt::format("{}{} {}", separator, name, value);
    separator = ", ";
  }
  return text;
}

std::string describe_stop(std::string_view stop) {
  if (stop == "patience") return "none better for long enough";
  if (stop == "epochs") return "all epochs done";
  if (stop == "time") return "time was up";
  if (stop == "interrupted") return "interrupted";
  if (stop == "diverged") return "training diverged";
  return std::string(stop);
}

std::vector<SpecValue> spec_values(const FlowSpec& spec, const FlowRow& row) {
  std::vector<SpecValue> values;
  for (const auto& name : option_names(row)) {
    if (name == "layers") values.push_back({name, fmt::to_string(spec.layers)});
    if (name == "hidden") values.push_back({name, fmt::format("{}", fmt::join(spec.hidden, ","))});
    if (name == "blocks") values.push_back({name, fmt::to_string(spec.blocks)});
    if (name == "bins") values.push_back({name, fmt::to_string(spec.bins)});
    if (name == "tail") values.push_back({name, fmt::to_string(spec.tail)});
    if (name == "mix") values.push_back({name, spec.mix});
    if (name == "base") values.push_back({name, spec.base});
    if (name == "dropout") values.push_back({name, fmt::to_string(spec.dropout)});
  }
  return values;
}

const FlowRow& flow_named(const std::string& name) {
  if (const FlowRow* row = find_flow(name)) return *row;
  std::vector<std::string> names;
  for (const auto& row : catalogue()) names.emplace_back(row.name);
  auto hint = did_you_mean(name, names);
  if (hint.empty()) hint = fmt::format("the flows are {}", fmt::join(names, ", "));
  throw Error(ErrorKind::usage, "", fmt::format("unknown flow '{}'", escaped(name, kShownWidth)), hint);
}

std::vector<std::string> option_names(const FlowRow& row) {
  std::vector<std::string> names;
  for (std::string_view rest = row.options; !rest.empty();) {
    const auto length = std::min(rest.find(' '), rest.size());
    if (length > 0) names.emplace_back(rest.substr(0, length));
    rest.remove_prefix(std::min(length + 1, rest.size()));
  }
  return names;
}

}  // namespace biject
