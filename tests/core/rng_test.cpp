#include "core/rng.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

using namespace biject;

TEST_CASE("Philox 4x32-10 gives the published answer") {
  // Random123's known answers: counter and key all zero, and all ones.
  const auto zero = Rng(0, Stream::split).bits(0, 0);  // stream number 0, row 0, index 0
  CHECK(zero == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
}

TEST_CASE("rows in groups get the bits of rows one by one") {
  const Rng rng(0x123456789abcdef0, Stream::dropout);
  for (const std::uint64_t first : {0ULL, 77ULL, (1ULL << 32) - 5}) {
    Rng::RowGroupBits words;
    rng.bits_of_rows(first, 9, words);
    for (std::size_t i = 0; i < Rng::kRowGroup; ++i) {
      const auto expected = rng.bits(first + i, 9);
      for (std::size_t w = 0; w < 4; ++w) CHECK(words[w][i] == expected[w]);
    }
    Rng::RowGroupPlaces places;
    rng.places_of_rows(first, 9, places);
    for (std::size_t i = 0; i < Rng::kRowGroup; ++i) CHECK(places[i] == rng.below(first + i + 1, first + i, 9));
  }
}

TEST_CASE("uniform numbers are inside the unit interval and fill it evenly") {
  const Rng rng(1, Stream::sample);
  const int n = 100'000;
  std::vector<double> u;
  for (int i = 0; i < n; ++i) u.push_back(rng.uniform(static_cast<std::uint64_t>(i), 3));
  std::ranges::sort(u);
  CHECK(u.front() > 0);
  CHECK(u.back() < 1);
  double distance = 0;
  for (int i = 0; i < n; ++i) distance = std::max(distance, std::abs(u[static_cast<std::size_t>(i)] - (i + 0.5) / n));
  CHECK(distance < std::sqrt(std::log(2 / 1e-9) / (2. * n)));
}

TEST_CASE("normal numbers are the same on every processor") {
  const Rng rng(7, Stream::sample);
  CHECK(rng.normal(0, 0) == 0x1.ccc7a2c614968p-1);
  CHECK(rng.normal(0, 1) == -0x1.492aabc92e902p-1);
  CHECK(rng.normal(3'000'009, 6) == 0x1.03ccf8ed84addp+0);
  CHECK(rng.normal(3'000'009, 7) == -0x1.f145bb492589ap-2);
}

TEST_CASE("normal numbers have the moments of a normal, and neighbours are independent") {
  const Rng rng(2, Stream::sample);
  const int n = 200'000;
  double sum = 0, square = 0, fourth = 0, product = 0;
  for (int i = 0; i < n; ++i) {
    const double a = rng.normal(static_cast<std::uint64_t>(i), 0), b = rng.normal(static_cast<std::uint64_t>(i), 1);
    sum += a;
    square += a * a;
    fourth += a * a * a * a;
    product += a * b;
  }
  const double unit = 1 / std::sqrt(static_cast<double>(n));  // five standard errors each
  CHECK(std::abs(sum / n) < 5 * unit);
  CHECK(std::abs(square / n - 1) < 5 * std::sqrt(2.) * unit);
  CHECK(std::abs(fourth / n - 3) < 5 * std::sqrt(96.) * unit);
  CHECK(std::abs(product / n) < 5 * unit);
}

TEST_CASE("normal numbers are those of Box and Muller, one at a time or many at once") {
  const Rng rng(6, Stream::sample);
  const auto unit = [](std::uint32_t high, std::uint32_t low) {
    return (static_cast<double>((static_cast<std::uint64_t>(high) << 32 | low) >> 12) + 0.5) * 0x1p-52;
  };
  const std::uint64_t first = (1ULL << 32) - 5;
  for (std::uint32_t pair = 0; pair < 300; ++pair) {
    Rng::RowGroupNormals normals;
    rng.normals_of_rows(first, pair, normals);
    for (std::size_t i = 0; i < Rng::kRowGroup; ++i) {
      const auto words = rng.bits(first + i, pair);
      const double radius = std::sqrt(-2 * std::log(unit(words[0], words[1])));
      const double angle = 2 * std::numbers::pi * unit(words[2], words[3]);
      CHECK(std::abs(normals[0][i] - radius * std::cos(angle)) < 1e-15 * (1 + radius));
      CHECK(std::abs(normals[1][i] - radius * std::sin(angle)) < 1e-15 * (1 + radius));
      CHECK(normals[0][i] == rng.normal(first + i, 2 * pair));
      CHECK(normals[1][i] == rng.normal(first + i, 2 * pair + 1));
    }
  }
}

TEST_CASE("streams, seeds, rows and indices all matter") {
  const double here = Rng(1, Stream::sample).uniform(1, 1);
  CHECK(here != Rng(2, Stream::sample).uniform(1, 1));
  CHECK(here != Rng(1ULL << 32 | 1, Stream::sample).uniform(1, 1));
  CHECK(here != Rng(1, Stream::init).uniform(1, 1));
  CHECK(here != Rng(1, Stream::sample).uniform(2, 1));
  CHECK(here != Rng(1, Stream::sample).uniform(1ULL << 32 | 1, 1));
  CHECK(here != Rng(1, Stream::sample).uniform(1, 2));
  CHECK(here == Rng(1, Stream::sample).uniform(1, 1));
}

TEST_CASE("numbers below a bound reach all of them and stay below") {
  const Rng rng(3, Stream::split);
  std::vector<int> counts(7);
  for (int i = 0; i < 7000; ++i) ++counts.at(rng.below(7, static_cast<std::uint64_t>(i), 0));
  for (const int count : counts) CHECK(std::abs(count - 1000) < 200);
  CHECK(rng.below(1, 5, 5) == 0);
}
