#include "describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.hpp"
#include "core/suggest.hpp"
#include "terminal.hpp"

namespace biject {
namespace {

constexpr std::size_t kMostNames = 12;  // a table may have thousands of columns

/// About the mean, with no more digits than the deviation gives sense to.
std::string middle(const Column& column) {
  const double size = std::abs(column.mean) / column.scale;
  if (size < 0.05) return "0";
  const auto digits = static_cast<int>(std::clamp(std::ceil(std::log10(size)) + 2, 2., 17.));
  return fmt::format("{:.{}g}", column.mean, digits);
}

}  // namespace

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
  std::string_view separator = ": ";
  for (const auto& [name, value] : spec_values(spec)) {
    text += fmt::format("{}{} {}", separator, name, value);
    separator = ", ";
  }
  return text;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == kMostNames) return text + fmt::format(", … ({} in all)", names.size());
    text += (i ? ", " : "") + escaped(names[i]);
  }
  return text;
}

std::string describe_density(const std::vector<std::string>& names, const std::vector<bool>& is_given) {
  std::vector<std::string> features, given;
  for (std::size_t i = 0; i < names.size(); ++i) (is_given[i] ? given : features).push_back(names[i]);
  return given.empty() ? fmt::format("p({})", listed(features))
                       : fmt::format("p({} | {})", listed(features), listed(given));
}

std::string describe_density(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  std::vector<bool> is_given;
  for (const auto& column : columns) {
    names.push_back(column.name);
    is_given.push_back(column.is_given);
  }
  return describe_density(names, is_given);
}

std::string quoted(const std::string& text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+,:@%=-";
  if (!text.empty() && text.find_first_not_of(plain) == text.npos) return text;
  std::string result = "'";
  for (const char c : escaped(text)) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + '\'';
}

std::string where_flags(const std::vector<Column>& columns) {
  if (columns.size() > kMostNames) return "--given FILE.csv";
  std::string text;
  for (const auto& column : columns)
    text += fmt::format("{}--where{}{}", text.empty() ? "" : " ", column.name.starts_with('-') ? '=' : ' ',
                        quoted(fmt::format("{}={}", column.name, middle(column))));
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

std::vector<SpecValue> spec_values(const FlowSpec& spec) {
  std::vector<SpecValue> values;
  for (const auto& name : words_of(options_of(spec))) {
    if (name == "scheme") values.push_back({name, scheme_of(spec)});
    if (name == "component-flow") values.push_back({name, spec.component_flow});
    if (name == "components") values.push_back({name, fmt::to_string(spec.components)});
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

}  // namespace biject
