#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "laws/cases.hpp"

// Many points and many φ for every map of the catalogue, where the laws look at a few.

using namespace biject;

namespace {

constexpr Index kPoints = 100'000;
constexpr double kReach = 8;

/// The largest error of `back`, relative to 1 + |from|. On a circle (length > 0) a rounding may carry a point at one end to the other,
/// which is the same point.
double worst(const Vector<double>& from, const Vector<double>& back, double length) {
  double result = 0;
  for (Index i = 0; i < from.size(); ++i) {
    const double way = std::abs(back(i) - from(i)), error = (length > 0 ? std::min(way, std::abs(length - way)) : way) / (1 + std::abs(from(i)));
    if (!(error <= result)) result = error;
  }
  return result;
}

}  // namespace

TEST_CASE("every map comes back from a hundred thousand points, for as many sets of numbers") {
  for (const auto& [name, make] : laws::maps<double>()) {
    CAPTURE(name);
    const auto map = make();
    const double length = name == "circular rational-quadratic spline 8" ? 6 : name == "circular rational-quadratic spline 5" ? 4 : 0;
    Matrix<double> phi = Subject<double>::random(kPoints, map->params(), 1, 0.5);
    Vector<double> start(map->params());
    map->init(start);
    phi.rowwise() += start.transpose();
    const Rng rng(2, Stream::sample);
    Vector<double> from(kPoints), there(kPoints), back(kPoints), logdet = Vector<double>::Zero(kPoints);
    for (Index i = 0; i < kPoints; ++i) from(i) = kReach * (2 * rng.uniform(static_cast<std::uint64_t>(i), 0) - 1);
    for (Index i = 0; i < 100; ++i) {  // the ends of intervals, and a step beside them
      const double end = static_cast<double>(i % 2 == 0 ? 2 : 3) * (i % 4 < 2 ? 1 : -1);
      from(i) = i % 3 == 0 ? end : std::nextafter(end, i % 3 == 1 ? -9 : 9);
    }
    map->forward(phi, from, there, logdet);
    Vector<double> one_way = logdet;
    map->inverse(phi, there, back, logdet);
    CHECK(worst(from, back, length) < 1e-10);
    CHECK((logdet.array().abs() / (1 + one_way.array().abs())).maxCoeff() < 1e-10);
    logdet.setZero();
    map->inverse(phi, from, there, logdet);
    one_way = logdet;
    map->forward(phi, there, back, logdet);
    CHECK(worst(from, back, length) < 1e-10);
    CHECK((logdet.array().abs() / (1 + one_way.array().abs())).maxCoeff() < 1e-10);
  }
}
