#include "values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/error.hpp"
#include "core/number.hpp"
#include "core/suggest.hpp"
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

std::optional<std::string> as_word(const Value& value, std::initializer_list<std::string_view> words) {
  if (!value) return {};
  if (std::ranges::find(words, std::string_view(*value)) != words.end()) return *value;
  const std::vector<std::string> candidates(words.begin(), words.end());
  throw wrong(value, fmt::format("one of {}", fmt::join(words, ", ")), did_you_mean(*value, candidates));
}

std::optional<std::string> as_text(const Value& value) {
  if (value && value->empty()) throw Error(ErrorKind::usage, "", value.flag + " is empty", "give it a value");
  return value.text;
}

}  // namespace biject
