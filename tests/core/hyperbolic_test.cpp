#include "core/hyperbolic.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

using namespace biject;

namespace {

/// The largest relative error over ± numbers from 1e-30 to `most`, in units of epsilon.
template <class S> double worst(S (*f)(S), const std::function<long double(long double)>& truth, double most, double least = -1e300) {
  double result = 0;
  for (double exponent = -30; exponent <= std::log10(most); exponent += 1e-3) {
    for (const double sign : {1., -1.}) {
      const S x = static_cast<S>(sign * std::pow(10, exponent));
      if (static_cast<double>(x) < least) continue;
      const long double expected = truth(static_cast<long double>(x));
      const double error = static_cast<double>(std::abs((static_cast<long double>(f(x)) - expected) / expected));
      result = std::max(result, error / static_cast<double>(std::numeric_limits<S>::epsilon()));
    }
  }
  return result;
}

template <class S> void check_all(double far) {
  CHECK(worst<S>(expm1_fast<S>, [](long double x) { return std::expm1(x); }, 80) <= 4);
  CHECK(worst<S>(log1p_fast<S>, [](long double x) { return std::log1p(x); }, far, -0.999) <= 4);
  CHECK(worst<S>(sinh_fast<S>, [](long double x) { return std::sinh(x); }, 80) <= 4);
  CHECK(worst<S>(asinh_fast<S>, [](long double x) { return std::asinh(x); }, far) <= 4);
}

}  // namespace

TEST_CASE("expm1, log1p, sinh and asinh keep their relative accuracy at zero and far out") {
  check_all<float>(1e30);
  check_all<double>(1e300);
}

TEST_CASE("log cosh is a square at zero and straight far out") {
  for (const double x : {0., 1e-3, -0.5, 2., -20., 1e6}) {
    const double expected = std::abs(x) > 20 ? std::abs(x) - std::log(2.) : std::log(std::cosh(x));
    CHECK(std::abs(log_cosh(x) - expected) < 1e-15 * (1 + std::abs(expected)));
  }
}

TEST_CASE("zero stays zero and NaN stays NaN") {
  for (double (*f)(double) : {expm1_fast<double>, log1p_fast<double>, sinh_fast<double>, asinh_fast<double>}) {
    CHECK(f(0) == 0);
    CHECK(std::isnan(f(std::nan(""))));
  }
}
