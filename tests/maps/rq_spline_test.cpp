#include "maps/rq_spline.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "laws/subject.hpp"

using namespace biject;

namespace {

constexpr double kBound = 3;

/// One φ for all samples, so that z is a function of x alone.
template <class S> Matrix<S> same_phi(Index n, Index params, std::uint64_t seed, double size) {
  return Subject<S>::random(1, params, seed, size).replicate(n, 1);
}

}  // namespace

TEST_CASE("a spline of zeros is the identity") {
  for (const Index bins : {2, 5, 8, 16}) {
    const RqSpline<double> spline(bins, kBound);
    const Vector<double> x = Vector<double>::LinSpaced(1001, -4, 4);
    Vector<double> z(1001), logdet = Vector<double>::Zero(1001);
    spline.forward(Matrix<double>::Zero(1001, spline.params()), x, z, logdet);
    CHECK((z - x).cwiseAbs().maxCoeff() < 1e-14);
    CHECK(logdet.cwiseAbs().maxCoeff() < 1e-13);
  }
}

TEST_CASE("a spline is the identity outside its bound, to the last bit") {
  const RqSpline<double> spline(8, kBound);
  const Matrix<double> phi = same_phi<double>(6, spline.params(), 1, 2);
  Vector<double> x(6), z(6), logdet = Vector<double>::Zero(6);
  x << -1e300, -7, std::nextafter(-kBound, -10), std::nextafter(kBound, 10), 7, 1e300;
  spline.forward(phi, x, z, logdet);
  CHECK(z == x);
  CHECK(logdet.isZero(0));
}

TEST_CASE("value and slope of a spline are continuous across the knots and at the bound") {
  const RqSpline<double> spline(8, kBound);
  const Index n = 200'001;
  const Matrix<double> phi = same_phi<double>(n, spline.params(), 2, 1.5);
  const Vector<double> x = Vector<double>::LinSpaced(n, -3.2, 3.2);
  Vector<double> z(n), logdet = Vector<double>::Zero(n);
  spline.forward(phi, x, z, logdet);
  const double step = x(1) - x(0);
  for (Index i = 1; i < n; ++i) {
    REQUIRE(z(i) > z(i - 1));  // increasing
    const double slope = (z(i) - z(i - 1)) / step;
    REQUIRE(slope == doctest::Approx(0.5 * (std::exp(logdet(i)) + std::exp(logdet(i - 1)))).epsilon(5e-3));
  }
}

TEST_CASE("a spline comes back from knots, edges and one unit beside them") {
  const RqSpline<double> spline(8, kBound);
  // Extreme raw numbers: widths at their floor, slopes at theirs.
  for (const double size : {0.5, 3., 30.}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const RqSpline<double> fine(8, kBound);
      const Matrix<double> one = Subject<double>::random(1, fine.params(), seed, size);
      // The knots of this φ, from its definition.
      std::vector<double> points{-kBound, kBound};
      const Eigen::ArrayXd e = (one.leftCols(8).array() - one.leftCols(8).maxCoeff()).exp().transpose();
      double knot = -kBound;
      for (Index k = 0; k < 8; ++k) {
        knot += 2 * kBound * (1e-3 + (1 - 8e-3) * e(k) / e.sum());
        points.push_back(knot);
      }
      Vector<double> x(3 * std::ssize(points));
      for (std::size_t i = 0; i < points.size(); ++i) {
        const auto at = static_cast<Index>(3 * i);
        x(at) = points[i];
        x(at + 1) = std::nextafter(points[i], 10);
        x(at + 2) = std::nextafter(points[i], -10);
      }
      const Matrix<double> phi = one.replicate(x.size(), 1);
      Vector<double> z(x.size()), back(x.size()), logdet = Vector<double>::Zero(x.size());
      spline.forward(phi, x, z, logdet);
      REQUIRE(z.allFinite());
      REQUIRE(logdet.allFinite());
      spline.inverse(phi, z, back, logdet);
      REQUIRE(back.allFinite());
      REQUIRE((back - x).cwiseAbs().maxCoeff() < 1e-9);
    }
  }
}

TEST_CASE("a million random points of random splines come back") {
  const Index n = 100'000;
  const RqSpline<double> spline(8, kBound);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Matrix<double> phi = Subject<double>::random(n, spline.params(), seed, 1);
    const Vector<double> x = Subject<double>::random(n, 1, seed + 50, 2);
    Vector<double> z(n), back(n), logdet = Vector<double>::Zero(n);
    spline.forward(phi, x, z, logdet);
    spline.inverse(phi, z, back, logdet);
    CHECK(((back - x).array().abs() / (1 + x.array().abs())).maxCoeff() < 1e-10);
    CHECK(logdet.cwiseAbs().maxCoeff() < 1e-9);
  }
}

TEST_CASE("the log-determinant is the logarithm of the slope for every number of bins") {
  for (const Index bins : {2, 3, 7, 8, 9, 32, 64}) {
    const RqSpline<double> spline(bins, kBound);
    const Index n = 2000;
    const Matrix<double> phi = same_phi<double>(n, spline.params(), 4, 0.7);
    const Vector<double> x = Vector<double>::LinSpaced(n, -2.9, 2.9);
    Vector<double> low(n), high(n), logdet = Vector<double>::Zero(n), unused = logdet;
    const double h = 1e-6;
    spline.forward(phi, x, low, logdet);
    spline.forward(phi, x.array() - h, low, unused);
    spline.forward(phi, x.array() + h, high, unused);
    const Vector<double> slope = (high - low) / (2 * h);
    CHECK((slope.array().log() - logdet.array()).abs().maxCoeff() < 1e-3);
  }
}
