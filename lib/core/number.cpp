#include "core/number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

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
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
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
  return {is_negative ? -value : value, NumberError::none};
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
  const bool is_fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  char text[32];
  const auto result = is_fixed
                          ? std::to_chars(text, text + sizeof text, value, std::chars_format::fixed)
                          : std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  out.append(text, result.ptr);
}

std::string shortest(double value) {
  std::string text;
  append_shortest(text, value);
  return text;
}

}  // namespace biject
