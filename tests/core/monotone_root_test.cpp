#include "core/monotone_root.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>

using namespace biject;

namespace {

template <class S> Lanes<S> spread(S first, S step) {
  Lanes<S> result;
  for (int i = 0; i < kLanes; ++i) result[i] = first + step * static_cast<S>(i);
  return result;
}

template <class S, class F> void solves(F&& f, S tolerance) {
  const Lanes<S> truth = spread<S>(S(-3.7), S(0.5));
  Lanes<S> z, slope, low = spread<S>(-1, 0), high = spread<S>(1, 0);
  f(truth, z, slope);
  int calls = 0;
  const auto counted = [&](const Lanes<S>& x, Lanes<S>& value, Lanes<S>& s) {
    ++calls;
    f(x, value, s);
  };
  widen_bracket(z, low, high, counted);
  const Lanes<S> x = monotone_root(z, low, high, counted);
  for (int i = 0; i < kLanes; ++i) CHECK(std::abs(x[i] - truth[i]) <= tolerance * (1 + std::abs(truth[i])));
  CHECK(calls < 100);
}

}  // namespace

TEST_CASE("increasing functions are inverted to the last digits") {
  const auto sinh = []<class S>(const Lanes<S>& x, Lanes<S>& value, Lanes<S>& slope) {
    for (int i = 0; i < kLanes; ++i) value[i] = std::sinh(x[i]), slope[i] = std::cosh(x[i]);
  };
  solves<double>(sinh, 1e-14);
  solves<float>(sinh, 1e-6f);
  // Newton alone cycles or leaves for infinity here.
  const auto steep = []<class S>(const Lanes<S>& x, Lanes<S>& value, Lanes<S>& slope) {
    for (int i = 0; i < kLanes; ++i) {
      value[i] = std::atan(20 * (x[i] - 1)) + S(1e-3) * x[i];
      slope[i] = 20 / (1 + 400 * (x[i] - 1) * (x[i] - 1)) + S(1e-3);
    }
  };
  solves<double>(steep, 1e-11);
}

TEST_CASE("a jump, a wrong slope and a NaN end the search all the same") {
  const Lanes<double> z = spread<double>(0, 0), low = spread<double>(-10, 0), high = spread<double>(20, 0);
  const Lanes<double> at_jump = monotone_root(z, low, high, [](const Lanes<double>& x, Lanes<double>& value, Lanes<double>& slope) {
    for (int i = 0; i < kLanes; ++i) value[i] = x[i] < 1.25 ? -1 : 1, slope[i] = i % 2 == 0 ? 0 : 1e-300;
  });
  for (int i = 0; i < kLanes; ++i) CHECK(std::abs(at_jump[i] - 1.25) < 1e-12);
  int calls = 0;
  monotone_root(z, low, high, [&](const Lanes<double>&, Lanes<double>& value, Lanes<double>& slope) {
    ++calls;
    for (int i = 0; i < kLanes; ++i) value[i] = slope[i] = std::nan("");
  });
  CHECK(calls <= kMostRootSteps);
}

TEST_CASE("the search does not look outside the bracket") {
  // From the middle, 0.5, Newton's step leads to 0.9, and from there, half as long as before, to 1.09. The solution is 0.985.
  const auto bent = [](double x) {
    if (x < 0.6) return std::pair(x - 0.5, 1.);
    if (x < 0.85) return std::pair(0.1 + 0.24 * (x - 0.6), 0.24);
    if (x < 0.95) return std::pair(0.16 + (x - 0.85), 1.);
    return std::pair(0.26 + 4 * (x - 0.95), 4.);
  };
  for (const double side : {1., -1.}) {
    double least = 0, most = 0;
    const auto f = [&](const Lanes<double>& x, Lanes<double>& value, Lanes<double>& slope) {
      for (int i = 0; i < kLanes; ++i) {
        least = std::min(least, side * x[i]);
        most = std::max(most, side * x[i]);
        const auto [v, s] = bent(side * x[i]);
        value[i] = side * v, slope[i] = s;
      }
    };
    const Lanes<double> low = spread<double>(side > 0 ? 0 : -1, 0), high = spread<double>(side > 0 ? 1 : 0, 0);
    const Lanes<double> x = monotone_root(spread<double>(0.4 * side, 0), low, high, f);
    for (int i = 0; i < kLanes; ++i) CHECK(std::abs(side * x[i] - 0.985) < 1e-12);
    CHECK(least >= 0);
    CHECK(most > 0.899);  // the step before was one of Newton's
    CHECK(most <= 1);
  }
}

TEST_CASE("a solution does not depend on its neighbours") {
  const auto f = [](const Lanes<double>& x, Lanes<double>& value, Lanes<double>& slope) {
    for (int i = 0; i < kLanes; ++i) value[i] = x[i] * x[i] * x[i] + x[i], slope[i] = 3 * x[i] * x[i] + 1;
  };
  const Lanes<double> low = spread<double>(-1e3, 0), high = spread<double>(1e3, 0);
  const Lanes<double> mixed = monotone_root(spread<double>(-70, 11), low, high, f);
  for (int i = 0; i < kLanes; ++i) CHECK(monotone_root(spread<double>(-70 + 11 * i, 0), low, high, f)[3] == mixed[i]);
}
