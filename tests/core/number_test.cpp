#include "core/number.hpp"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>

using namespace biject;

namespace {

bool is_number(std::string_view text) {
  return parse_real(text).error == NumberError::none;
}

bool is_same_double(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace

TEST_CASE("random decimal texts read as strtod reads them") {
  std::mt19937_64 random(1);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  for (int trial = 0; trial < 200'000; ++trial) {
    std::string text(below(3) == 0 ? "-" : "");
    const std::uint64_t whole = below(20), fraction = below(25);
    for (std::uint64_t i = 0; i < whole; ++i) text.push_back(static_cast<char>('0' + below(10)));
    if (below(4) != 0) text.push_back('.');
    for (std::uint64_t i = 0; text.ends_with('.') && i < 1 + fraction; ++i) {
      for (std::uint64_t j = 0; j <= fraction; ++j) text.push_back(static_cast<char>('0' + below(10)));
    }
    if (text.empty() || text == "-") text.push_back('7');
    if (below(2) == 0) text += "e" + std::to_string(static_cast<int>(below(700)) - 350);
    CAPTURE(text);
    const double expected = std::strtod(text.c_str(), nullptr);
    const ParsedReal parsed = parse_real(text);
    if (std::isinf(expected)) {
      REQUIRE(parsed.error == NumberError::out_of_range);
    } else {
      REQUIRE(parsed.error == NumberError::none);
      REQUIRE(is_same_double(parsed.value, expected));
    }
  }
}

TEST_CASE("every double survives printing and reading") {
  std::mt19937_64 random(2);
  for (int trial = 0; trial < 200'000; ++trial) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    REQUIRE(is_same_double(parse_real(shortest(value)).value, value));
    // Ordinary sizes take the other notation.
    const double ordinary =
        std::ldexp(static_cast<double>(random() >> 11), -53 + static_cast<int>(random() % 64));
    REQUIRE(is_same_double(parse_real(shortest(ordinary)).value, ordinary));
  }
  for (const double value :
       {0.0, -0.0, 5e-324, 1e-310, std::numeric_limits<double>::max(), 1e16, 9999999999999998.0}) {
    CHECK(is_same_double(parse_real(shortest(value)).value, value));
  }
}

TEST_CASE("short texts read as from_chars reads them") {
  // All characters that can stand in a number, and some that cannot, in every arrangement that chance finds.
  constexpr std::string_view kCharacters = "0123456789012345678901234567890123456789....eE+-, x/:";
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 1'000'000; ++trial) {
    std::string text;
    for (std::uint64_t i = 0, length = 1 + random() % 10; i < length; ++i) {
      text.push_back(kCharacters[random() % kCharacters.size()]);
    }
    if (text.front() == '+' || text.find_first_of(" \t") != std::string::npos) continue;  // parse_real takes more
    double expected = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), expected);
    if (result.ec == std::errc::result_out_of_range) continue;  // may be a zero for parse_real
    const bool is_whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
    CAPTURE(text);
    REQUIRE(is_number(text) == is_whole);
    if (is_whole) REQUIRE(is_same_double(parse_real(text).value, expected));
  }
}

TEST_CASE("texts halfway between two doubles, and a digit beside, read as strtod reads them") {
  std::mt19937_64 random(4);
  for (int trial = 0; trial < 100'000; ++trial) {
    const double a = std::ldexp(static_cast<double>(random() >> 11), -53 + static_cast<int>(random() % 64));
    const long double halfway = (static_cast<long double>(a) + std::nextafter(a, 1e300)) / 2;
    std::array<char, 200> buffer{};
    const int digits = trial % 2 == 0 ? 120 : static_cast<int>(random() % 20);
    std::snprintf(buffer.data(), buffer.size(), "%.*Lf", digits, halfway);
    std::string text(buffer.data());
    for (int change = 0; change < 3; ++change) {
      CAPTURE(text);
      REQUIRE(is_same_double(parse_real(text).value, std::strtod(text.c_str(), nullptr)));
      const std::size_t last = text.find_last_of("12345678");
      if (last != std::string::npos) text[last] = static_cast<char>(text[last] + (change == 0 ? 1 : -1));
    }
  }
}

TEST_CASE("numbers print as to_chars prints them") {
  std::mt19937_64 random(5);
  const auto check = [](double value) {
    std::array<char, 32> text{};
    const auto result = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    CAPTURE(value);
    REQUIRE(shortest(value) == std::string_view(text.data(), result.ptr));
  };
  const auto check_around = [&](double value) {
    check(value);
    check(-value);
    if (value > 1e-4) check(std::nextafter(value, 0));
    if (value < 9e15) check(std::nextafter(value, 1e300));
  };
  for (int trial = 0; trial < 200'000; ++trial) {
    // All mantissas, those of few bits, and decimals of few digits; between 1e-4 and 1e16.
    const int exponent = -13 + static_cast<int>(random() % 66);
    check_around(std::ldexp(1 + static_cast<double>(random() >> 12) * 0x1p-52, exponent));
    check(std::ldexp(1 + static_cast<double>((random() & random() & random()) >> 12) * 0x1p-52, exponent));
    const double decimal = static_cast<double>(random() % 1'000'000'000'000) / std::pow(10, static_cast<int>(random() % 9));
    if (decimal >= 1e-4) check_around(decimal);
  }
  for (int exponent = -13; exponent < 54; ++exponent) check_around(std::ldexp(1, exponent));
  for (int exponent = -4; exponent < 16; ++exponent) check_around(std::pow(10, exponent));
}

TEST_CASE("numbers print as people write them") {
  CHECK(shortest(0.1) == "0.1");
  CHECK(shortest(-0.0) == "-0");
  CHECK(shortest(100000) == "100000");
  CHECK(shortest(-1.5) == "-1.5");
  CHECK(shortest(1e300) == "1e+300");
  CHECK(shortest(1e-5) == "1e-05");
  CHECK(shortest(0.0001) == "0.0001");
}

TEST_CASE("plus signs, bare points and blanks around a number are accepted") {
  CHECK(parse_real("+1.5").value == 1.5);
  CHECK(parse_real(".5").value == 0.5);
  CHECK(parse_real("5.").value == 5);
  CHECK(parse_real(" \t-2e3 ").value == -2000);
  CHECK(parse_real("5.e1").value == 50);
  CHECK(parse_real("007").value == 7);
}

TEST_CASE("what only resembles a number is refused") {
  for (const char* text : {"",
                           " ",
                           "-",
                           "+",
                           ".",
                           "e5",
                           ".e5",
                           "1e",
                           "1e+",
                           "--1",
                           "+-1",
                           "-+1",
                           "1.2.3",
                           "12abc",
                           "1 2",
                           "0x10",
                           "0x1p3",
                           "1_000",
                           "1'000",
                           "1,5",
                           "True",
                           "1/2",
                           "$5",
                           "1.5f",
                           "nan",
                           "NaN",
                           "-nan",
                           "inf",
                           "-inf",
                           "Infinity",
                           "nan(0x1)",
                           "1.#INF",
                           "1e5.5",
                           "\xE2\x88\x92"
                           "1",
                           "\xC2\xA0"
                           "1",
                           "1\n"}) {
    CAPTURE(text);
    CHECK(parse_real(text).error == NumberError::not_a_number);
  }
}

TEST_CASE("too large is out of range and too small is a zero of the right sign, however long the exponent") {
  for (const char* text : {"1e400", "-1e999", "1e99999999999", "1e99999999999999999999999999999999",
                           "0.001e312", "1.7976931348623159e308"}) {
    CAPTURE(text);
    CHECK(parse_real(text).error == NumberError::out_of_range);
  }
  for (const char* text : {"1e-400", "1e-99999999999", "1e-99999999999999999999999999999999", "0e99999999999",
                           "123456e-999", "0.0e400", "2e-324"}) {
    CAPTURE(text);
    CHECK(is_number(text));
    CHECK(is_same_double(parse_real(text).value, 0.0));
    CHECK(is_same_double(parse_real("-" + std::string(text)).value, -0.0));
  }
  CHECK(parse_real("0." + std::string(500, '0') + "1e501").value == 1);
  CHECK(parse_real("1" + std::string(500, '0') + "e-500").value == 1);
  CHECK(parse_real("1" + std::string(500, '0')).error == NumberError::out_of_range);
  CHECK(is_same_double(parse_real("0." + std::string(500, '0') + "1").value, 0.0));
}

TEST_CASE("eight hundred digits are read exactly") {
  // Half-way between two doubles, told apart by the last digit only.
  const std::string half = "9007199254740993." + std::string(780, '0');
  CHECK(parse_real(half + "0").value == 9007199254740992.0);
  CHECK(parse_real(half + "1").value == 9007199254740994.0);
  CHECK(parse_real("123456789012345678901234567890").value == 123456789012345678901234567890.0);
}

TEST_CASE("counts are whole numbers with the usual shorthands") {
  CHECK(parse_count("0") == 0u);
  CHECK(parse_count("1000") == 1000u);
  CHECK(parse_count("010") == 10u);
  CHECK(parse_count("1e6") == 1'000'000u);
  CHECK(parse_count("1E+3") == 1000u);
  CHECK(parse_count("2.5e3") == 2500u);
  CHECK(parse_count("10k") == 10'000u);
  CHECK(parse_count("1.5M") == 1'500'000u);
  CHECK(parse_count("1G") == 1'000'000'000u);
  CHECK(parse_count("9223372036854775807") == 9223372036854775807u);
  CHECK(parse_count("9007199254740993") == 9007199254740993u);
  for (const char* text : {"",
                           "-1",
                           "+1",
                           "1.5",
                           "1e",
                           "e3",
                           "k",
                           ".",
                           "1e-3",
                           "1e6k",
                           "0x10",
                           "1 ",
                           " 1",
                           "nan",
                           "1.5e0",
                           "9223372036854775808",
                           "18446744073709551616",
                           "1e19",
                           "1e99999999999999999999",
                           "10G0",
                           "1..5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_count(text).has_value());
  }
}

TEST_CASE("seeds are decimal digits below 2^64") {
  CHECK(parse_seed("0") == 0u);
  CHECK(parse_seed("18446744073709551615") == 18446744073709551615u);
  CHECK(parse_seed("010") == 10u);
  for (const char* text : {"", "-1", "+1", "18446744073709551616", "1e3", "0x10", " 1", "1 "}) {
    CAPTURE(text);
    CHECK_FALSE(parse_seed(text).has_value());
  }
}

TEST_CASE("durations are positive and count in seconds, minutes or hours") {
  CHECK(parse_duration("90") == 90.0);
  CHECK(parse_duration("90s") == 90.0);
  CHECK(parse_duration("10m") == 600.0);
  CHECK(parse_duration("1.5h") == 5400.0);
  for (const char* text : {"", "0", "0s", "-1s", "1d", "s", "1 s", "nan", "inf", "1e308h", "1e400"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}

TEST_CASE("numbers of options have no blanks around them") {
  CHECK(parse_finite("1e-3") == 1e-3);
  CHECK_FALSE(parse_finite(" 1").has_value());
  CHECK_FALSE(parse_finite("1\t").has_value());
  CHECK_FALSE(parse_finite("1e400").has_value());
  CHECK_FALSE(parse_finite("inf").has_value());
  CHECK_FALSE(parse_finite("").has_value());
}
