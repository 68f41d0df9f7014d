#include "core/numerics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace biject;

namespace {

/// Distance in units of the last place of the expected value.
template <class S> double ulps(S found, double expected) {
  const S rounded = static_cast<S>(expected);
  const double unit = static_cast<double>(std::nextafter(std::abs(rounded), std::numeric_limits<S>::infinity())) -
                      static_cast<double>(std::abs(rounded));
  return std::abs(static_cast<double>(found) - expected) / unit;
}

template <class S> void check_exp_and_log() {
  double worst_exp = 0, worst_log = 0;
  for (int i = 0; i <= 200'000; ++i) {
    const S x = static_cast<S>(-80 + 160. * i / 200'000);
    worst_exp = std::max(worst_exp, ulps(exp_fast(x), static_cast<double>(std::exp(static_cast<long double>(x)))));
    const S y = static_cast<S>(std::exp(static_cast<double>(x)));
    worst_log = std::max(worst_log, ulps(log_fast(y), static_cast<double>(std::log(static_cast<long double>(y)))));
  }
  CHECK(worst_exp <= 2);
  CHECK(worst_log <= 2);
}

template <class S> void check_inverse_root() {
  double worst = 0;
  for (int i = 0; i <= 200'000; ++i) {
    const S x = static_cast<S>(std::exp(-80 + 160. * i / 200'000));
    worst = std::max(worst, ulps(inverse_root(x), static_cast<double>(1 / std::sqrt(static_cast<long double>(x)))));
  }
  CHECK(worst <= 2);
  for (const S x : {S(0.25), S(1), S(4)}) CHECK(inverse_root(x) == 1 / std::sqrt(x));
}

}  // namespace

TEST_CASE("the fast exponential and logarithm are within two units in the last place") {
  check_exp_and_log<float>();
  check_exp_and_log<double>();
}

TEST_CASE("the inverse root is within two units in the last place") {
  check_inverse_root<float>();
  check_inverse_root<double>();
}

TEST_CASE("exp stays a normal number at the ends, and NaN stays NaN") {
  CHECK(exp_fast(-1e30f) > 0);
  CHECK(std::isfinite(exp_fast(1e30f)));
  CHECK(exp_fast(-1e300) > 0);
  CHECK(std::isfinite(exp_fast(1e300)));
  CHECK(std::isnan(exp_fast(std::nan(""))));
  CHECK(std::isnan(exp_fast(std::nanf(""))));
}

TEST_CASE("sine and cosine of turns are within an ulp of 1, exact at quarters and on the circle") {
  double worst = 0;
  for (int i = 0; i <= 200'000; ++i) {
    const double x = i / 200'000.;
    double sine, cosine;
    sine_and_cosine_of_turns(x, sine, cosine);
    const long double angle = 2 * 3.14159265358979323846264338327950288L * static_cast<long double>(x);
    worst = std::max({worst, std::abs(sine - static_cast<double>(std::sin(angle))), std::abs(cosine - static_cast<double>(std::cos(angle)))});
    worst = std::max(worst, std::abs(sine * sine + cosine * cosine - 1) / 2);
    if (i % 50'000 == 0) CHECK(std::abs(sine * cosine) == 0);
  }
  CHECK(worst < 2.3e-16);
}

TEST_CASE("softplus, sigmoid, tanh and the soft clamp are what they are called") {
  for (double x = -30; x <= 30; x += 0.01) {
    CHECK(softplus(x) == doctest::Approx(std::log1p(std::exp(x))).epsilon(1e-12));
    CHECK(sigmoid(x) == doctest::Approx(1 / (1 + std::exp(-x))).epsilon(1e-14));
    CHECK(std::abs(tanh_fast(x) - std::tanh(x)) < 1e-15);
    CHECK(std::abs(soft_clamp(x, 3.)) < 3);
    const double h = 1e-6, numeric = (soft_clamp(x + h, 3.) - soft_clamp(x - h, 3.)) / (2 * h);
    CHECK(soft_clamp_derivative(x, 3.) == doctest::Approx(numeric).epsilon(1e-7));
  }
  CHECK(soft_clamp_derivative(0., 3.) == 1);
  for (const float far : {1e10f, 1e17f, 1e20f, std::numeric_limits<float>::max(), std::numeric_limits<float>::infinity()}) {
    CHECK(soft_clamp(far, 3.f) == doctest::Approx(3));
    CHECK(soft_clamp(-far, 3.f) == doctest::Approx(-3));
    CHECK(soft_clamp_derivative(far, 3.f) < 1e-25f);
  }
  CHECK(std::isnan(soft_clamp(std::nanf(""), 3.f)));
}
