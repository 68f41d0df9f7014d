#include "core/above_minus_one.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

using namespace biject;

TEST_CASE("m stays above minus one and has the value, the slope and the parts it says") {
  const auto s = static_cast<long double>(AboveMinusOne<double>::kScale);
  double before = -1;
  for (const double a : {-1e9, -1e6, -3e3, -20., -1., -1e-3, -1e-12, 0., 1e-12, 1e-3, 1., 20., 3e3, 1e6, 1e9}) {
    CAPTURE(a);
    const AboveMinusOne<double> m(a);
    const auto wide = static_cast<long double>(a);
    const long double root = std::sqrt(wide * wide + s * s);
    const long double expected = a < 0 ? s * s / (root - wide) - s : wide + root - s;
    CHECK(std::abs(m.value - static_cast<double>(expected)) <= 1e-15 * (1 + std::abs(a)));
    CHECK(m.value > -0.9991);
    CHECK(m.value >= before);
    CHECK(a + m.excess == doctest::Approx(static_cast<double>(expected)).epsilon(1e-15).scale(1 + std::abs(a)));
    CHECK(m.ratio * a == doctest::Approx(static_cast<double>(expected)).epsilon(1e-15));
    CHECK(m.derivative > 0);
    const double h = 1e-5 * (1 + std::abs(a));
    if (std::abs(a) < 100) {
      const double slope = (AboveMinusOne<double>(a + h).value - AboveMinusOne<double>(a - h).value) / (2 * h);
      CHECK(m.derivative == doctest::Approx(slope).epsilon(1e-7));
    }
    before = m.value;
  }
  CHECK(AboveMinusOne<double>(0).value == 0);
  CHECK(AboveMinusOne<double>(0).derivative == 1);
  CHECK(AboveMinusOne<float>(0).derivative == 1);
  CHECK(std::isnan(AboveMinusOne<double>(std::nan("")).value));
}
