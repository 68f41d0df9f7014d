#include "values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/error.hpp"
#include "core/number.hpp"
#include "core/suggest.hpp"
#include "flows/catalogue.hpp"
#include "terminal.hpp"

namespace biject {
namespace {

Error wrong(const Value& value, const std::string& must_be, const std::string& hint = {}) {
  return {ErrorKind::usage, "",
          fmt::format("{}: '{}' is not {}", value.flag, escaped(*value, kShownWidth), must_be), hint};
}

std::optional<Index> count_within(std::string_view text, Index low, Index high) {
  const auto number = parse_count(text);
  if (!number || *number < static_cast<std::uint64_t>(low) || *number > static_cast<std::uint64_t>(high))
    return {};
  return static_cast<Index>(*number);
}

}  // namespace

std::optional<Index> as_count(const Value& value, Index low, Index high) {
  if (!value) return {};
  const auto number = count_within(*value, low, high);
  if (!number) throw wrong(value, fmt::format("a whole number in [{}, {}]", low, high));
  return number;
}

std::optional<std::vector<Index>> as_counts(const Value& value, Index low, Index high) {
  if (!value) return {};
  std::vector<Index> result;
  for (std::string_view rest = *value;;) {
    const auto comma = rest.find(',');
    const auto number = count_within(rest.substr(0, comma), low, high);
    if (!number)
      throw wrong(value, fmt::format("a list of whole numbers in [{}, {}]", low, high), "write 64,64");
    result.push_back(*number);
    if (comma == rest.npos) return result;
    rest.remove_prefix(comma + 1);
  }
}

std::optional<double> as_real(const Value& value, const Interval& range) {
  if (!value) return {};
  const auto number = parse_finite(*value);
  const bool is_inside = number && (range.has_low ? *number >= range.low : *number > range.low) &&
                         (range.has_high ? *number <= range.high : *number < range.high);
  if (!is_inside)
    throw wrong(value, fmt::format("a number in {}{}, {}{}", range.has_low ? '[' : '(', range.low, range.high,
                                   range.has_high ? ']' : ')'));
  return number;
}

std::optional<std::uint64_t> as_seed(const Value& value) {
  if (!value) return {};
  const auto number = parse_seed(*value);
  if (!number) throw wrong(value, "a whole number in [0, 2^64)");
  return number;
}

std::optional<double> as_seconds(const Value& value) {
  if (!value) return {};
  const auto seconds = parse_duration(*value);
  if (!seconds) throw wrong(value, "a time", "write 90s, 10m or 1.5h");
  return seconds;
}

std::optional<std::string> as_word(const Value& value, std::string_view words) {
  if (!value) return {};
  const auto candidates = words_of(words);
  if (std::ranges::find(candidates, *value) != candidates.end()) return *value;
  throw wrong(value, fmt::format("one of {}", fmt::join(candidates, ", ")), did_you_mean(*value, candidates));
}

std::optional<std::string> as_text(const Value& value) {
  if (value && value->empty()) throw Error(ErrorKind::usage, "", value.flag + " is empty", "give it a value");
  return value.text;
}

std::vector<Assignment> as_assignments(const Values& values) {
  std::vector<Assignment> result;
  const auto wrong_text = [&](const std::string& text, const std::string& what, const std::string& name) {
    return Error(ErrorKind::usage, "", fmt::format("{}: '{}' {}", values.flag, escaped(text, kShownWidth), what),
                 fmt::format("write {} {}=1.5", values.flag, name));
  };
  for (const auto& text : values.texts) {
    const auto equals = text.rfind('=');
    if (equals == text.npos) throw wrong_text(text, "is not a column and its value", text.empty() ? "COLUMN" : text);
    const auto name = text.substr(0, equals);
    if (name.empty()) throw wrong_text(text, "names no column", "COLUMN");
    const auto number = parse_finite(text.substr(equals + 1));
    if (!number) throw wrong_text(text, "does not end in a finite number", name);
    if (std::ranges::find(result, name, &Assignment::name) != result.end())
      throw Error(ErrorKind::usage, "",
                  fmt::format("{} gives '{}' twice", values.flag, escaped(name, kShownWidth)),
                  "keep one of them; --given FILE takes many values, one in each row");
    result.push_back({name, *number});
  }
  return result;
}

}  // namespace biject
