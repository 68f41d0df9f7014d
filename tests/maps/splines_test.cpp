#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/lanes.hpp"
#include "laws/subject.hpp"
#include "maps/circular_rq_spline.hpp"
#include "maps/cubic_spline.hpp"
#include "maps/linear_rational_spline.hpp"
#include "maps/linear_spline.hpp"
#include "maps/quadratic_spline.hpp"
#include "maps/rq_spline.hpp"

using namespace biject;

namespace {

constexpr double kBound = 3;

struct Spline {
  std::string name;
  std::function<MapPtr<double>(Index bins)> make;
  Index fewest_bins = 2;
  bool has_widths = true;      // φ starts with K raw widths; else all bins are equally wide
  bool has_smooth_knots = true;  // slope continuous between bins
  bool has_smooth_ends = true;   // slope 1 at ±B
  bool is_circle = false;
};

template <template <class> class M> std::function<MapPtr<double>(Index)> maker() {
  return [](Index bins) { return std::make_unique<M<double>>(bins, kBound); };
}

const std::vector<Spline>& splines() {
  static const std::vector<Spline> list{
      {"linear", maker<LinearSpline>(), 2, false, false, false},
      {"quadratic", maker<QuadraticSpline>(), QuadraticSpline<double>::kFewestBins},
      {"cubic", maker<CubicSpline>(), 2, true, true, false},  // its slope at ±B has a test of its own
      {"rq", maker<RqSpline>()},
      {"lrs", maker<LinearRationalSpline>()},
      {"circular", maker<CircularRqSpline>(), 2, true, true, false, true},
  };
  return list;
}

/// z or x, and what is added to logdet.
struct Points {
  Vector<double> to, logdet;
};

/// The same φ (1 × P) for all samples, or a row of φ for each.
Points apply(const Map<double>& map, const Matrix<double>& phi, const Vector<double>& from, bool is_inverse = false) {
  const Matrix<double> rows = phi.rows() == from.size() ? phi : Matrix<double>(phi.replicate(from.size(), 1));
  Points result{Vector<double>(from.size()), Vector<double>::Zero(from.size())};
  if (is_inverse) {
    map.inverse(rows, from, result.to, result.logdet);
  } else {
    map.forward(rows, from, result.to, result.logdet);
  }
  return result;
}

/// |a − b|, on the circle the shorter way round.
double distance(const Spline& spline, double a, double b) {
  const double straight = std::abs(a - b);
  return spline.is_circle && std::abs(a) <= kBound && std::abs(b) <= kBound ? std::min(straight, 2 * kBound - straight) : straight;
}

/// The extents of the bins of one φ, from the definition.
std::vector<double> extents(const Matrix<double>& raw) {
  const Eigen::ArrayXd e = (raw.array() - raw.maxCoeff()).exp().transpose();
  std::vector<double> result;
  for (const double p : Eigen::ArrayXd(e / e.sum())) {
    result.push_back(2 * kBound * (1e-3 + (1 - static_cast<double>(e.size()) * 1e-3) * p));
  }
  return result;
}

std::vector<double> inner_knots(const Spline& spline, const Matrix<double>& phi, Index bins) {
  std::vector<double> widths = extents(phi.leftCols(bins));
  if (!spline.has_widths) widths.assign(static_cast<std::size_t>(bins), 2 * kBound / static_cast<double>(bins));
  std::vector<double> result;
  double knot = -kBound;
  for (Index k = 0; k + 1 < bins; ++k) result.push_back(knot += widths[static_cast<std::size_t>(k)]);
  return result;
}

}  // namespace

TEST_CASE("every spline of zeros is the identity") {
  for (const Spline& spline : splines()) {
    for (const Index bins : {spline.fewest_bins, Index{5}, Index{8}, Index{64}}) {
      CAPTURE(spline.name);
      CAPTURE(bins);
      const auto map = spline.make(bins);
      const Vector<double> x = Vector<double>::LinSpaced(1001, -4, 4);
      for (const bool is_inverse : {false, true}) {
        const Points z = apply(*map, Matrix<double>::Zero(1, map->params()), x, is_inverse);
        CHECK((z.to - x).cwiseAbs().maxCoeff() < 1e-13);
        CHECK(z.logdet.cwiseAbs().maxCoeff() < 1e-12);
      }
    }
  }
}

TEST_CASE("samples beyond the last whole group get the same bits as in one, and nothing is written behind them") {
  const Index many = 3 * kLanes, few = 2 * kLanes + 5;
  const double untouched = 12345;
  for (const Spline& spline : splines()) {
    for (const Index bins : {spline.fewest_bins, Index{8}, Index{64}}) {
      CAPTURE(spline.name);
      CAPTURE(bins);
      const auto map = spline.make(bins);
      const Matrix<double> phi = Subject<double>::random(many, map->params(), 1, 2), from = Subject<double>::random(many, 3, 2, 2);
      const auto run = [&](Index n) {  // columns: z, logdet, x, logdet, dx, dphi
        Matrix<double> result = Matrix<double>::Constant(many, 5 + map->params(), untouched);
        const auto column = [&](Index c) { return result.col(c).head(n); };
        column(1).setZero();
        column(3).setZero();
        map->forward(phi.topRows(n), from.col(0).head(n), column(0), column(1));
        map->inverse(phi.topRows(n), from.col(0).head(n), column(2), column(3));
        map->backward(phi.topRows(n), from.col(0).head(n), from.col(1).head(n), from.col(2).head(n), column(4),
                      result.rightCols(map->params()).topRows(n));
        return result;
      };
      const Matrix<double> whole = run(many), part = run(few);
      CHECK(part.topRows(few) == whole.topRows(few));
      CHECK((part.bottomRows(many - few).array() == untouched).all());
    }
  }
}

TEST_CASE("every spline is the identity outside its bound, to the last bit") {
  Vector<double> x(6);
  x << -1e300, -7, std::nextafter(-kBound, -10), std::nextafter(kBound, 10), 7, 1e300;
  for (const Spline& spline : splines()) {
    CAPTURE(spline.name);
    const auto map = spline.make(8);
    for (const bool is_inverse : {false, true}) {
      const Points z = apply(*map, Subject<double>::random(1, map->params(), 1, 2), x, is_inverse);
      CHECK(z.to == x);
      CHECK(z.logdet.isZero(0));
    }
  }
}

TEST_CASE("value and slope of every spline are continuous across knots and at the bound where promised") {
  for (const Spline& spline : splines()) {
    for (const Index bins : {Index{3}, Index{8}, Index{16}}) {
      const auto map = spline.make(bins);
      for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(spline.name);
        CAPTURE(bins);
        CAPTURE(seed);
        const Matrix<double> phi = Subject<double>::random(1, map->params(), seed, 1);
        std::vector<double> points = inner_knots(spline, phi, bins);
        const std::size_t inner = points.size();
        points.insert(points.end(), {-kBound, kBound});
        // The two sides of a place whose position the test knows to a few units in the last place only.
        constexpr double kBeside = 1e-14;
        for (std::size_t i = 0; i < points.size(); ++i) {
          const Points both = apply(*map, phi, Vector<double>{{points[i] - kBeside, points[i] + kBeside}});
          const double slope = std::exp(both.logdet.maxCoeff());
          if (!(spline.is_circle && i >= inner)) REQUIRE(distance(spline, both.to(0), both.to(1)) < 1e-13 + 2 * kBeside * slope);
          if (i < inner ? spline.has_smooth_knots : spline.has_smooth_ends) {
            REQUIRE(std::abs(both.logdet(0) - both.logdet(1)) < 1e-9);
          }
        }
      }
    }
  }
}

TEST_CASE("the bound and one unit beside it come back, for every spline") {
  const double below = std::nextafter(kBound, 0), above = std::nextafter(kBound, 10);
  const Vector<double> x{{-above, -kBound, -below, below, kBound, above}};
  for (const Spline& spline : splines()) {
    for (const double size : {0.5, 3., 30.}) {
      for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(spline.name);
        CAPTURE(size);
        CAPTURE(seed);
        const auto map = spline.make(8);
        const Matrix<double> phi = Subject<double>::random(1, map->params(), seed, size);
        for (const bool is_inverse : {false, true}) {
          const Points there = apply(*map, phi, x, is_inverse), back = apply(*map, phi, there.to, !is_inverse);
          REQUIRE(there.to.allFinite());
          REQUIRE(there.logdet.allFinite());
          for (Index i = 0; i < x.size(); ++i) REQUIRE(distance(spline, back.to(i), x(i)) < (size > 1 ? 1e-9 : 1e-12));
        }
      }
    }
  }
}

TEST_CASE("random points of every spline come back to 1e-12") {
  const Index n = 20'000;
  for (const Spline& spline : splines()) {
    for (const Index bins : {Index{5}, Index{8}, Index{32}}) {
      CAPTURE(spline.name);
      CAPTURE(bins);
      const auto map = spline.make(bins);
      const Matrix<double> phi = Subject<double>::random(n, map->params(), 3, 0.7);
      const Vector<double> x = Subject<double>::random(n, 1, 4, 2).cwiseMax(-8).cwiseMin(8);
      for (const bool is_inverse : {false, true}) {
        const Points there = apply(*map, phi, x, is_inverse), back = apply(*map, phi, there.to, !is_inverse);
        double far = 0;
        for (Index i = 0; i < n; ++i) far = std::max(far, distance(spline, back.to(i), x(i)));
        CHECK(far < 1e-12);
        CHECK((there.logdet + back.logdet).cwiseAbs().maxCoeff() < 1e-10);
      }
    }
  }
}

TEST_CASE("every spline increases and stays finite at any parameters, in double and in float") {
  const Index n = 2001;
  for (const Spline& spline : splines()) {
    for (const double size : {3., 30., 1e6}) {
      for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        CAPTURE(spline.name);
        CAPTURE(size);
        CAPTURE(seed);
        const auto map = spline.make(8);
        const Matrix<double> phi = Subject<double>::random(1, map->params(), seed, size);
        const Vector<double> x = Vector<double>::LinSpaced(n, -3.1, 3.1);
        int falls = 0;
        for (const bool is_inverse : {false, true}) {
          const Points z = apply(*map, phi, x, is_inverse);
          REQUIRE(z.to.allFinite());
          REQUIRE(z.logdet.allFinite());
          REQUIRE(z.to.cwiseAbs().maxCoeff() <= 3.1);
          for (Index i = 1; i < n; ++i) falls += z.to(i) < z.to(i - 1) - 1e-14;
        }
        REQUIRE(falls <= (spline.is_circle ? 6 : 0));  // in each direction where it enters, where it leaves, and at the cut
        Vector<double> dx(n);
        Matrix<double> dphi(n, map->params());
        map->backward(phi.replicate(n, 1), x, x, x, dx, dphi);
        REQUIRE(dx.allFinite());
        REQUIRE(dphi.allFinite());
      }
    }
  }
}

TEST_CASE("no spline hangs on a parameter that is not a number") {
  const Vector<double> x{{-4., -1., 0., 1., 4.}};
  for (const Spline& spline : splines()) {
    const auto map = spline.make(8);
    const Matrix<double> phi = Matrix<double>::Constant(1, map->params(), std::numeric_limits<double>::quiet_NaN());
    for (const bool is_inverse : {false, true}) {
      const Points z = apply(*map, phi, x, is_inverse);
      CHECK(z.to(0) == -4);
      CHECK(z.to(4) == 4);
    }
  }
}

TEST_CASE("a linear spline is a histogram") {
  const LinearSpline<double> map(2, 1);
  const Points z = apply(map, Matrix<double>{{std::log(3.), 0.}}, Vector<double>{{-1., -0.5, 0., 0.5, 1.}});
  const double left = 2 * (1e-3 + 0.998 * 0.75);
  const Vector<double> expected{{-1, -1 + left / 2, -1 + left, left / 2, 1}};
  CHECK((z.to - expected).cwiseAbs().maxCoeff() < 1e-15);
  CHECK(z.logdet(1) == doctest::Approx(std::log(left)).epsilon(1e-14));
  CHECK(z.logdet(3) == doctest::Approx(std::log(2 - left)).epsilon(1e-14));
}

TEST_CASE("the slope of a quadratic spline is linear between knots and has the area 2B") {
  const Index bins = 6;
  const QuadraticSpline<double> map(bins, kBound);
  const Matrix<double> phi = Subject<double>::random(1, map.params(), 8, 1);
  std::vector<double> knots = inner_knots(splines()[1], phi, bins);
  knots.insert(knots.begin(), -kBound);
  knots.push_back(kBound);
  double area = 0;
  for (std::size_t k = 0; k + 1 < knots.size(); ++k) {
    const double w = knots[k + 1] - knots[k];
    const Points z = apply(map, phi, Vector<double>{{knots[k], knots[k] + w / 4, knots[k] + w / 2, knots[k + 1] - 1e-14}});
    const Vector<double> slope = z.logdet.array().exp();
    CHECK(slope(1) == doctest::Approx(0.75 * slope(0) + 0.25 * slope(3)).epsilon(1e-10));
    CHECK(slope(2) == doctest::Approx(0.5 * slope(0) + 0.5 * slope(3)).epsilon(1e-10));
    area += w * slope(2);
  }
  CHECK(area == doctest::Approx(2 * kBound).epsilon(1e-12));
}

TEST_CASE("the slope of a cubic spline has a floor, and is 1 at the bound unless the spline is too flat there") {
  const Index n = 20'001, bins = 8;
  const CubicSpline<double> map(bins, kBound);
  const Vector<double> x = Vector<double>::LinSpaced(n, -kBound, kBound);
  int flat = 0, steep = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    for (const double size : {1., 4., 40.}) {
      const Matrix<double> phi = Subject<double>::random(1, map.params(), seed, size);
      const std::vector<double> w = extents(phi.leftCols(bins)), h = extents(phi.middleCols(bins, bins));
      double least = 1e300;
      for (std::size_t k = 0; k < w.size(); ++k) least = std::min(least, h[k] / w[k]);
      const Points z = apply(map, phi, x);
      REQUIRE(std::exp(z.logdet.minCoeff()) >= 0.0084 * std::min(1., least));
      for (const auto& [place, secant] : {std::pair{Index{0}, h[0] / w[0]}, {n - 1, h[7] / w[7]}}) {
        REQUIRE(std::exp(z.logdet(place)) == doctest::Approx(std::min(1., 2.94 * secant)).epsilon(1e-8));
        ++(2.94 * secant < 1 ? flat : steep);
      }
    }
  }
  CHECK(flat > 10);
  CHECK(steep > 10);
}

TEST_CASE("a linear-rational spline agrees with the weights of its authors") {
  // One bin of two, by the formulas of Dolatabadi, Erfani and Leckie with a weight of 1 at the left knot.
  const Index bins = 2;
  const LinearRationalSpline<double> map(bins, kBound);
  const Matrix<double> phi = Subject<double>::random(1, map.params(), 12, 1);
  const double w = extents(phi.leftCols(2))[0], h = extents(phi.middleCols(2, 2))[0];
  const double d0 = 1, d1 = 1e-3 + std::log1p(std::exp(phi(4) + 0.5397424172369522)), lambda = 0.025 + 0.95 / (1 + std::exp(-phi(5)));
  const double za = -kBound, zb = za + h, wa = 1, wb = std::sqrt(d0 / d1) * wa;
  const double wc = (lambda * wa * d0 + (1 - lambda) * wb * d1) * w / h;
  const double zc = ((1 - lambda) * wa * za + lambda * wb * zb) / ((1 - lambda) * wa + lambda * wb);
  for (const double xi : {0.01, 0.2, 0.4, 0.6, 0.8, 0.99}) {
    const double left = (wa * za * (lambda - xi) + wc * zc * xi) / (wa * (lambda - xi) + wc * xi);
    const double right = (wc * zc * (1 - xi) + wb * zb * (xi - lambda)) / (wc * (1 - xi) + wb * (xi - lambda));
    const Points z = apply(map, phi, Vector<double>{{-kBound + xi * w}});
    CHECK(z.to(0) == doctest::Approx(xi <= lambda ? left : right).epsilon(1e-12));
  }
}

TEST_CASE("a circular spline turns the circle") {
  const Index n = 6000;
  const CircularRqSpline<double> map(8, kBound);
  const Spline& circle = splines()[5];
  Matrix<double> phi = Subject<double>::random(1, map.params(), 5, 1);
  Vector<double> x = Vector<double>::LinSpaced(n, -kBound, kBound);
  x(n - 1) = std::nextafter(kBound, 0);
  phi(map.params() - 1) = 0;
  const Points straight = apply(map, phi, x);
  for (const double shift : {0.5, -2., 3., -3., 6., 20., -1e6}) {
    CAPTURE(shift);
    phi(map.params() - 1) = shift;
    const Points turned = apply(map, phi, x), back = apply(map, phi, turned.to, true);
    CHECK(turned.to.minCoeff() >= -kBound);
    CHECK(turned.to.maxCoeff() < kBound);
    CHECK(turned.logdet == straight.logdet);  // turning stretches nothing, on either side of the cut
    CHECK(std::abs(turned.logdet(0) - turned.logdet(n - 1)) < 1e-12);  // one slope for both ends
    for (Index i = 0; i < n; ++i) {
      REQUIRE(distance(circle, turned.to(i), std::remainder(straight.to(i) + shift, 2 * kBound)) < 1e-9);
      REQUIRE(distance(circle, back.to(i), x(i)) < 1e-13 * std::exp(-straight.logdet.minCoeff()));
    }
    CHECK((turned.logdet + back.logdet).cwiseAbs().maxCoeff() < 1e-9);
    // Whole turns change nothing; B itself belongs to the outside.
    phi(map.params() - 1) = shift + 2 * kBound;
    const Points again = apply(map, phi, x);
    for (Index i = 0; i < n; ++i) REQUIRE(distance(circle, again.to(i), turned.to(i)) < 1e-9);
    CHECK(apply(map, phi, Vector<double>{{kBound}}).to(0) == kBound);
  }
}
