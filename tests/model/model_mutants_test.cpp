#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "model/model_file.hpp"
#include "model/tiny_model.hpp"

// Random damage to a valid file. Without a new digest all of it must be seen; with one the reader stands
// alone.

using namespace biject;
using namespace biject::test;

namespace {

// One random change of the text, a function of the number alone.
std::string mutant(std::string text, std::uint64_t number) {
  const Rng rng(7, Stream::shuffle);
  const auto below = [&](std::size_t bound, std::uint32_t index) {
    return static_cast<std::size_t>(rng.below(bound, number, index));
  };
  const std::size_t place = below(text.size(), 0), other = below(text.size(), 1);
  const std::size_t length = 1 + below(16, 2);
  const auto byte = static_cast<char>(below(256, 3));
  switch (number % 9) {
    case 0:
      text[place] = static_cast<char>(text[place] ^ 1 << below(8, 4));
      break;
    case 1:
      text[place] = byte;
      break;
    case 2:
      text.resize(place);
      break;
    case 3:
      text.insert(place, length, byte);
      break;
    case 4:
      text.erase(place, length);
      break;
    case 5:
      std::swap(text[place], text[other]);
      break;
    case 6:
      text.replace(place, std::min(length, text.size() - place), length, '\0');
      break;
    case 7:
      text.insert(place, text.substr(other, length));
      break;
    case 8:
      text[place] = "0123456789-.eE[]{}\",: "[below(22, 5)];
      break;
  }
  return text;
}

bool is_finite(const Model& model) {
  return std::ranges::all_of(model.theta.flat(), [](double value) { return std::isfinite(value); }) &&
         std::ranges::all_of(model.columns, [](const Column& column) { return column.scale > 0; });
}

}  // namespace

TEST_CASE("every damaged byte of a file is noticed") {
  for (std::uint64_t number = 0; number < 1800; ++number) {
    const std::string changed = mutant(good(), number);
    const std::string message = model_refusal([&] { parse_model(changed, "name"); });
    if (message.empty() != (changed == good())) FAIL("mutant " << number);
  }
}

TEST_CASE("a damaged file with a digest that fits is refused or gives a model of finite numbers") {
  const std::string header = header_of(good()), numbers = numbers_of(good());
  int loaded = 0;
  for (std::uint64_t number = 0; number < 3600; ++number) {
    // In turn: anywhere; in the header, with a length that fits; in the numbers.
    const std::string changed = number % 4 == 0   ? mutant(good(), number)
                                : number % 4 == 3 ? container(header, mutant(numbers, number))
                                                  : container(mutant(header, number), numbers);
    const std::string message = model_refusal([&] {
      const Model model = parse_model(with_digest(changed), "name");
      ++loaded;
      if (!is_finite(model)) FAIL("mutant " << number);
      CHECK_FALSE(serialize(model).empty());
    });
    CHECK(message.size() < 400);
  }
  CHECK(loaded > 100);  // or the mutants test nothing
}
