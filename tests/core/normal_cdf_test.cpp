#include "core/normal_cdf.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace biject;

namespace {

long double log_normal_cdf_exact(long double x) {  // of moderate x, from a library that is accurate there
  return x < 1 ? std::log(std::erfc(-x / std::sqrt(2.L)) / 2) : std::log1p(-std::erfc(x / std::sqrt(2.L)) / 2);
}

template <class S> double relative(S found, long double expected) {
  return static_cast<double>(std::abs((static_cast<long double>(found) - expected) / expected) / std::numeric_limits<S>::epsilon());
}

}  // namespace

TEST_CASE("the logarithm of the normal distribution function has full relative accuracy in both tails") {
  double worst_double = 0, worst_float = 0;
  for (double x = -100; x <= 8; x += 1e-2) {
    worst_double = std::max(worst_double, relative(log_normal_cdf(x), log_normal_cdf_exact(x)));
    const float y = static_cast<float>(x);
    worst_float = std::max(worst_float, relative(log_normal_cdf(y), log_normal_cdf_exact(y)));
  }
  CHECK(worst_double < 100);  // e^{−x²/2} at x = 8 costs two digits of an x² that is rounded
  CHECK(worst_float < 100);
}

TEST_CASE("known values of the normal distribution function") {
  CHECK(log_normal_cdf(0.) == doctest::Approx(std::log(0.5)).epsilon(1e-15));
  CHECK(log_normal_cdf(-10.) == doctest::Approx(-53.23128515051247).epsilon(1e-15));
  CHECK(log_normal_cdf(-1e3) == doctest::Approx(-500007.826694812).epsilon(1e-14));
  CHECK(log_normal_cdf(-1e6) == doctest::Approx(-500000000014.73444).epsilon(1e-15));
  CHECK(std::abs(log_normal_cdf(1e6)) < 1e-300);
  CHECK(std::isnan(log_normal_cdf(std::nan(""))));
}

TEST_CASE("the excess of the normal hazard follows its limits") {
  CHECK(normal_hazard_excess(0.) == doctest::Approx(std::sqrt(2 / std::acos(-1.))).epsilon(1e-15));
  CHECK(normal_hazard_excess(1e6) == doctest::Approx(1e-6).epsilon(1e-11));  // 1/y − 2/y³ + …
  CHECK(normal_hazard_excess(0.f) == doctest::Approx(std::sqrt(2 / std::acos(-1.))).epsilon(1e-6));
}

TEST_CASE("the probit undoes the normal distribution function") {
  double worst = 0, worst_float = 0;
  for (double x = -1000; x <= 5; x += 1e-2) {
    worst = std::max(worst, std::abs(probit_of_log(log_normal_cdf(x)) - x) / (1 + std::abs(x)));
  }
  CHECK(worst < 1e-13);  // where Φ is near 1, its logarithm is e^{−x²/2} with the digits that this has
  for (float x = -1000; x <= 3; x += 1e-2f) {
    worst_float = std::max(worst_float, double(std::abs(probit_of_log(log_normal_cdf(x)) - x) / (1 + std::abs(x))));
  }
  CHECK(worst_float < 1e-5);
  CHECK(std::abs(probit_of_log(std::log(0.5))) < 1e-15);
  CHECK(probit_of_log(std::log(0.975)) == doctest::Approx(1.959963984540054).epsilon(1e-14));
  CHECK(probit_of_log(std::log(1e-10)) == doctest::Approx(-6.361340902404056).epsilon(1e-14));
  CHECK(probit_of_log(-500000000014.73444) == doctest::Approx(-1e6).epsilon(1e-14));
}
