#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace biject {

/// Strict reading of numbers: the whole text, no locale, correctly rounded, bit for bit as std::from_chars reads it.
enum class NumberError { none, not_a_number, out_of_range };

struct ParsedReal {
  double value = 0;
  NumberError error = NumberError::none;
};

/// A decimal floating-point number: optional blanks (space, tab) around it, optional sign (+ too), digits
/// with at most one point ("5." and ".5" are numbers), optional decimal exponent. nan, inf, hexadecimal and
/// separators are not numbers. Too large is out_of_range; too small to represent is a zero of the right sign.
ParsedReal parse_real(std::string_view text);

/// Options. Empty if the text is not exactly such a number.
std::optional<double> parse_finite(std::string_view text);  // as parse_real, without blanks
std::optional<std::uint64_t> parse_count(
    std::string_view text);  // 1000, 1e6, 10k, 2M, 1G: a whole number below 2^63; no sign, 010 is ten
std::optional<std::uint64_t> parse_seed(std::string_view text);  // decimal digits only, below 2^64
std::optional<double> parse_duration(std::string_view text);     // seconds from 90, 90s, 10m, 1.5h; > 0

/// Decimal text with the fewest digits that read back as the same double: "0.1", "100000", "-0"; with an
/// exponent below 1e-4 and from 1e16 on: "1e+300".
std::string shortest(double value);
/// Appends it; for writers in a hurry.
void append_shortest(std::string& out, double value);

}  // namespace biject
