#include "core/decimal.hpp"

#include <array>
#include <bit>

#include "core/error.hpp"

namespace biject {

namespace {

__extension__ using Wide = unsigned __int128;

constexpr int kMantissaBits = 52, kExponentBias = 1023;

constexpr auto kPowersOfFive = [] {
  std::array<std::uint64_t, 21> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = 5 * powers[i - 1];
  return powers;
}();

// floor(log10(2^q)) and floor(log10(3/4 · 2^q)), right for |q| ≤ 1000 and more.
int floor_log10_of_power(int q, bool is_three_quarters) {
  return static_cast<int>((q * std::int64_t{661'971'961'083} - (is_three_quarters ? 274'743'187'321 : 0)) >> 41);
}

}  // namespace

// The search of R. Giulietti, "The Schubfach way to render doubles" (2020), in numbers that need no rounding here. Which
// of its cases holds is a matter of chance, so it selects rather than branches.
Decimal shortest_decimal(double value) {
  BIJECT_EXPECT(value >= kLeastShortest && value < kBeyondShortest);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  constexpr std::uint64_t kHiddenBit = std::uint64_t{1} << kMantissaBits;
  const std::uint64_t mantissa = (bits & (kHiddenBit - 1)) | kHiddenBit;
  const int q = static_cast<int>(bits >> kMantissaBits) - kExponentBias - kMantissaBits;  // value = mantissa · 2^q

  // 10^k is the largest power of ten not above the width of the interval of the reals that round to value. So it holds a
  // multiple of 10^k, and at most one of 10^(k+1), which is the shortest if it is there.
  const bool is_lower_closer = mantissa == kHiddenBit;
  const int k = floor_log10_of_power(q, is_lower_closer);
  // From here on in units of 10^k / 2^shift, so that all numbers are whole, and below 2^103.
  const std::uint64_t five = kPowersOfFive[static_cast<std::size_t>(-k)];
  const int shift = 2 - (q - k);
  const Wide middle = Wide{mantissa << 2} * five;
  // Without the ends, which round to value only if that is even.
  const Wide inside = mantissa % 2 == 0 ? 0 : 1;
  const Wide lower = middle - (is_lower_closer ? five : 2 * five) + inside, upper = middle + 2 * five - inside;

  const auto below = static_cast<std::uint64_t>(middle >> shift);
  const std::uint64_t tens = below / 10 * 10;
  const bool has_tens_below = (Wide{tens} << shift) >= lower, has_tens_above = (Wide{tens + 10} << shift) <= upper;
  const Wide rest = middle - (Wide{below} << shift), half = Wide{1} << (shift - 1);
  const bool is_above_nearer = rest + below % 2 > half;  // of two that are as near, the even one
  const bool is_below_outside = (Wide{below} << shift) < lower;
  std::uint64_t digits = below + ((is_above_nearer | is_below_outside) ? 1 : 0);
  if (has_tens_below | has_tens_above) digits = tens + (has_tens_above ? 10 : 0);
  const bool is_short = digits < 10'000'000'000'000'000;  // 16 digits
  return {is_short ? digits * 10 : digits, is_short ? k - 1 : k};
}

}  // namespace biject
