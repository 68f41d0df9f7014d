#include "core/number.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/decimal.hpp"

namespace biject {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Reads the digits at the front of `text` and drops them. Saturates far beyond every exponent that matters.
std::int64_t take_saturated(std::string_view& text) {
  constexpr std::int64_t kEnough = 1'000'000'000'000'000;
  std::int64_t value = 0;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    value = std::min(kEnough, value * 10 + (text.front() - '0'));
  }
  return value;
}

// Which end of the range a number without sign has left: by the place of its first digit that is not zero,
// which is hundreds away from the point. from_chars has the same "out of range" for both ends.
bool is_huge(std::string_view digits) {
  const std::size_t exponent_mark = digits.find_first_of("eE");
  std::int64_t exponent = 0;
  if (exponent_mark != std::string_view::npos) {
    std::string_view rest = digits.substr(exponent_mark + 1);
    const bool is_negative = rest.front() == '-';
    if (is_negative || rest.front() == '+') rest.remove_prefix(1);
    exponent = take_saturated(rest);
    if (is_negative) exponent = -exponent;
    digits = digits.substr(0, exponent_mark);
  }
  const std::size_t first = digits.find_first_not_of("0.");
  if (first == std::string_view::npos) return false;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const auto place = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  return place + exponent > 0;
}

// Eight characters as one number, the first of them in the lowest byte.
static_assert(std::endian::native == std::endian::little);
constexpr std::uint64_t kEachByte = 0x0101010101010101;

template <class T> std::uint64_t load(const char* text) {
  T bytes;
  std::memcpy(&bytes, text, sizeof bytes);
  return bytes;
}

// One to eight characters and zeros behind them, from parts that may overlap.
std::uint64_t load_some(const char* text, std::size_t size) {
  if (size == 8) return load<std::uint64_t>(text);
  if (size >= 4) return load<std::uint32_t>(text) | load<std::uint32_t>(text + size - 4) << (8 * (size - 4));
  if (size >= 2) return load<std::uint16_t>(text) | load<std::uint16_t>(text + size - 2) << (8 * (size - 2));
  return load<std::uint8_t>(text);
}

// How many of eight characters are digits, up to the first that is none.
std::size_t count_digits(std::uint64_t eight) {
  eight ^= '0' * kEachByte;  // 0 … 9
  return static_cast<std::size_t>(std::countr_zero((eight | (eight + 0x76 * kEachByte)) & 0x80 * kEachByte)) / 8;
}

// The number that eight digits are, or zeros and digits.
std::uint64_t join_digits(std::uint64_t eight) {  // to pairs, to fours, to one
  eight = (eight & 0x0F * kEachByte) * 2561 >> 8;
  eight = (eight & 0x00FF00FF00FF00FF) * 6553601 >> 16;
  return (eight & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
}

// 1 to 8 digits with a point before the last, among them or nowhere: numbers as people write them, in a row of steps
// without a branch that depends on the digits. NaN for every other text, sound or not.
double read_short(std::string_view text) {
  constexpr double kIsNot = std::numeric_limits<double>::quiet_NaN();
  static constexpr std::array<double, 8> kPowers = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
  const std::size_t size = text.size();
  if (size == 0 || size > 8) return kIsNot;
  const std::uint64_t eight = load_some(text.data(), size);
  const std::size_t whole = count_digits(eight);
  if (whole == size) return static_cast<double>(join_digits(eight << (64 - 8 * size)));
  const std::uint64_t is_whole = (std::uint64_t{1} << (8 * whole)) - 1;
  const std::uint64_t without_point = (eight & is_whole) | (eight >> 8 & ~is_whole);
  if (size == 1 || (eight >> (8 * whole) & 0xFF) != '.' || count_digits(without_point) != size - 1) return kIsNot;
  // Both numbers are exact, so that the quotient is rounded once.
  return static_cast<double>(join_digits(without_point << (72 - 8 * size))) / kPowers[size - 1 - whole];
}

// The digits of a number below 10^8, the first in the lowest byte.
std::uint64_t split_digits(std::uint64_t number) {  // in fours, pairs, ones
  number = number / 10'000 | number % 10'000 << 32;
  const std::uint64_t hundreds = (number * 10'486 >> 20) & 0x0000007F0000007F;
  number = hundreds | (number - 100 * hundreds) << 16;
  const std::uint64_t tens = (number * 103 >> 10) & 0x000F000F000F000F;
  return tens | (number - 10 * tens) << 8;
}

// 17 digits with the point among them or zeros before them, and without the zeros that do not count.
void append_fixed(std::string& out, Decimal decimal) {
  constexpr std::uint64_t kEight = 100'000'000;
  const std::uint64_t first = decimal.digits / (kEight * kEight), others = decimal.digits % (kEight * kEight);
  const std::uint64_t high = split_digits(others / kEight), low = split_digits(others % kEight);
  const int count = low != 0 ? 17 - std::countl_zero(low) / 8 : 9 - std::countl_zero(high) / 8;
  const int whole = kShortestDigits + decimal.exponent;  // digits before the point
  char digits[40], text[64];
  const auto put_eight = [](char* to, std::uint64_t eight) {
    eight |= '0' * kEachByte;
    std::memcpy(to, &eight, 8);
  };
  digits[0] = static_cast<char>('0' + first);
  put_eight(digits + 1, high);
  put_eight(digits + 9, low);
  // Copies of a fixed size take one step, whatever counts of them.
  if (whole <= 0) {
    std::memcpy(text, "0.000", 6);
    std::memcpy(text + 2 - whole, digits, kShortestDigits);
    out.append(text, static_cast<std::size_t>(2 - whole + count));
  } else {
    std::memcpy(text, digits, kShortestDigits);
    text[whole] = '.';
    std::memcpy(text + whole + 1, digits + whole, kShortestDigits);
    out.append(text, static_cast<std::size_t>(count > whole ? count + 1 : whole));
  }
}

std::optional<std::uint64_t> times_power_of_ten(std::uint64_t value, std::int64_t exponent) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (value == 0) return 0;
  for (; exponent < 0; ++exponent) {
    if (value % 10 != 0) return std::nullopt;
    value /= 10;
  }
  for (; exponent > 0; --exponent) {
    if (value > kMost / 10) return std::nullopt;
    value *= 10;
  }
  return value <= kMost ? std::optional(value) : std::nullopt;
}

}  // namespace

ParsedReal parse_real(std::string_view text) {
  constexpr ParsedReal kNotANumber{0, NumberError::not_a_number};
  text = trim_blanks(text);
  // Signs come as they like: no branch, but a factor.
  const bool is_negative = text.starts_with('-');
  text.remove_prefix(is_negative | text.starts_with('+') ? 1 : 0);
  const double sign = is_negative ? -1 : 1;
  if (const double value = read_short(text); !std::isnan(value)) return {sign * value, NumberError::none};
  // from_chars would also take a second minus, nan and inf.
  if (text.empty() || !(is_digit(text.front()) || text.front() == '.')) return kNotANumber;

  double value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec == std::errc::invalid_argument || result.ptr != end) return kNotANumber;
  if (result.ec == std::errc::result_out_of_range || std::isinf(value)) {
    if (is_huge(text)) return {0, NumberError::out_of_range};
    value = 0;
  }
  return {sign * value, NumberError::none};
}

std::optional<double> parse_finite(std::string_view text) {
  if (text.empty() || is_blank(text.front()) || is_blank(text.back())) return std::nullopt;
  const ParsedReal parsed = parse_real(text);
  return parsed.error == NumberError::none ? std::optional(parsed.value) : std::nullopt;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t exponent = 0;
  switch (text.back()) {
    case 'k':
    case 'K':
      exponent = 3;
      break;
    case 'M':
      exponent = 6;
      break;
    case 'G':
      exponent = 9;
      break;
    default:
      break;
  }
  if (exponent != 0) {
    text.remove_suffix(1);
  } else if (const std::size_t mark = text.find_first_of("eE"); mark != std::string_view::npos) {
    std::string_view rest = text.substr(mark + 1);
    if (rest.starts_with('+')) rest.remove_prefix(1);
    if (rest.empty() || !is_digit(rest.front())) return std::nullopt;
    exponent = take_saturated(rest);
    if (!rest.empty()) return std::nullopt;
    text = text.substr(0, mark);
  }

  std::string digits(text);
  if (const std::size_t point = digits.find('.'); point != std::string::npos) {
    digits.erase(point, 1);
    exponent -= static_cast<std::int64_t>(digits.size() - point);
    while (exponent < 0 && !digits.empty() && digits.back() == '0') {
      digits.pop_back();
      ++exponent;
    }
    if (digits.empty()) digits = text.size() > 1 ? "0" : "";
  }
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, value);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return times_power_of_ten(value, exponent);
}

std::optional<std::uint64_t> parse_seed(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<double> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double unit = 1;  // seconds
  switch (text.back()) {
    case 's':
      text.remove_suffix(1);
      break;
    case 'm':
      unit = 60;
      text.remove_suffix(1);
      break;
    case 'h':
      unit = 3600;
      text.remove_suffix(1);
      break;
    default:
      break;
  }
  const std::optional<double> value = parse_finite(text);
  if (!value || !(*value > 0) || !std::isfinite(*value * unit)) return std::nullopt;
  return *value * unit;
}

void append_shortest(std::string& out, double value) {
  // Fixed notation where people expect it: 100000 rather than 1e+05, which would be a byte shorter.
  const double size = std::fabs(value);
  if (size >= kLeastShortest && size < kBeyondShortest) {
    if (value < 0) out.push_back('-');
    return append_fixed(out, shortest_decimal(size));
  }
  char text[32];
  const auto notation = size == 0 ? std::chars_format::fixed : std::chars_format::scientific;
  const auto result = std::to_chars(text, text + sizeof text, value, notation);
  out.append(text, result.ptr);
}

std::string shortest(double value) {
  std::string text;
  append_shortest(text, value);
  return text;
}

}  // namespace biject
