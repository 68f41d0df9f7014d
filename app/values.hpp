#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.hpp"
#include "flags.hpp"

namespace biject {

/// A set of reals, and how a message calls it: (0, 10].
struct Interval {
  double low, high;
  bool has_low = true, has_high = true;  // whether the end belongs to it
};
inline Interval closed(double low, double high) {
  return {low, high, true, true};
}
inline Interval open(double low, double high) {
  return {low, high, false, false};
}
inline Interval above(double low, double high) {
  return {low, high, false, true};
}

/// From what was typed to what was meant. All are empty if the flag was not given, read the whole text
/// strictly (core/number.hpp) and throw Error usage that names the flag, the text and what it must be.
std::optional<Index> as_count(const Value& value, Index low, Index high);
std::optional<std::vector<Index>> as_counts(const Value& value, Index low, Index high);  // 128,128
std::optional<double> as_real(const Value& value, const Interval& range);
std::optional<std::uint64_t> as_seed(const Value& value);
std::optional<double> as_seconds(const Value& value);
std::optional<std::string> as_word(const Value& value, std::string_view words);  // one of these, separated by spaces
std::optional<std::string> as_text(const Value& value);  // anything but nothing

/// COL=VALUE. A name may have an equals sign in it, a number has none.
struct Assignment {
  std::string name;
  double value;
};
/// What was meant by each text; no name comes twice. Throws Error usage likewise.
std::vector<Assignment> as_assignments(const Values& values);

}  // namespace biject
