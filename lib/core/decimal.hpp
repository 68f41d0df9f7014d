#pragma once

#include <cstdint>

namespace biject {

struct Decimal {
  std::uint64_t digits = 0;
  int exponent = 0;  // of ten
};

/// Sizes that shortest_decimal takes: those that people write without an exponent.
inline constexpr double kLeastShortest = 1e-4, kBeyondShortest = 1e16;
inline constexpr int kShortestDigits = 17;

/// Of the decimals that read back as `value`, the one with the fewest digits; of several the nearest to value, the even
/// one of two. It comes with zeros behind it, so that there are always 17 digits. The same as std::to_chars finds, in
/// a fraction of the time: at these sizes integers of 128 bits hold every number exactly, and no table is needed but the
/// powers of five.
Decimal shortest_decimal(double value);

}  // namespace biject
