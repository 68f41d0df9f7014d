#include "maps/unconstrained_monotone.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/rng.hpp"

using namespace biject;

namespace {

constexpr double kBound = 3;

struct Points {
  Vector<double> z, logdet;
};

Points forward(const Map<double>& map, const Vector<double>& phi, const Vector<double>& x) {
  Points result{Vector<double>(x.size()), Vector<double>::Zero(x.size())};
  map.forward(Matrix<double>(phi.transpose().replicate(x.size(), 1)), x, result.z, result.logdet);
  return result;
}

/// φ at and beyond what the bounds allow: one step, two that cancel, or as many as there are, all steep.
std::vector<Vector<double>> extreme_parameters(Index bins, int count) {
  const Rng rng(3, Stream::sample);
  std::vector<Vector<double>> result;
  for (int i = 0; i < count; ++i) {
    std::uint32_t index = 0;
    const auto normal = [&] { return rng.normal(static_cast<std::uint64_t>(i), index++); };
    Vector<double> phi = Vector<double>::Zero(3 * bins + 2);
    const double size = i % 2 == 0 ? 1e3 : 10;
    const Index steps = i % 3 == 0 ? 1 : i % 3 == 1 ? std::min<Index>(2, bins) : bins;
    for (Index k = 0; k < steps; ++k) {
      const double steep = size * (normal() > 0 ? 1 : -1);
      phi(2 + k) = size * (i % 3 == 1 ? (k == 0 ? 1 : -1) : normal());
      phi(2 + bins + k) = steep;
      phi(2 + 2 * bins + k) = (steep > 0 ? 6 : -6) * normal() * 0.7;  // the step stands at −b/a
    }
    phi(1) = normal();
    result.push_back(phi);
  }
  return result;
}

constexpr Index kPanels = 60;
/// Gauss's rule of five points on [0, 1].
constexpr std::array<double, 5> kNodes{0.046910077030668, 0.230765344947158, 0.5, 0.769234655052842, 0.953089922969332};
constexpr std::array<double, 5> kWeights{0.118463442528095, 0.239314335249683, 64. / 225, 0.239314335249683, 0.118463442528095};

}  // namespace

TEST_CASE("between any two points z rises by the integral of the slope that logdet names, whatever the parameters") {
  Vector<double> knots(kPanels + 1), between(kPanels * 5);
  const double width = 2 * kBound / kPanels;
  for (Index i = 0; i <= kPanels; ++i) knots(i) = -kBound + width * static_cast<double>(i);
  for (Index i = 0; i < kPanels; ++i) {
    for (Index j = 0; j < 5; ++j) between(5 * i + j) = knots(i) + width * kNodes[static_cast<std::size_t>(j)];
  }
  for (const Index bins : {1, 3, 8, 64}) {
    const UnconstrainedMonotone<double> map(bins, kBound);
    double worst = 0;
    for (const Vector<double>& phi : extreme_parameters(bins, 60)) {
      const Points at_knots = forward(map, phi, knots), inside = forward(map, phi, between);
      for (Index i = 0; i < kPanels; ++i) {
        double integral = 0;
        for (Index j = 0; j < 5; ++j) integral += width * kWeights[static_cast<std::size_t>(j)] * std::exp(inside.logdet(5 * i + j));
        worst = std::max(worst, std::abs((at_knots.z(i + 1) - at_knots.z(i)) / integral - 1));
      }
    }
    CAPTURE(bins);
    CHECK(worst < 1e-9);
  }
}

TEST_CASE("an unconstrained monotone network rises and stays finite for huge parameters and far points") {
  const UnconstrainedMonotone<double> map(8, kBound);
  Vector<double> x(9);
  x << -1e6, -100, -3, -2.9, 0, 1e-3, 3, 100, 1e6;
  for (const double size : {1., 1e3, 1e10, 1e100, 1e300}) {
    for (const Vector<double>& direction : extreme_parameters(8, 30)) {
      Vector<double> phi = size * direction / direction.norm();
      phi(0) = 0;  // a huge shift would swallow the differences
      const Points points = forward(map, phi, x);
      CHECK(points.z.allFinite());
      CHECK(points.logdet.allFinite());
      CHECK(((points.z.tail(8) - points.z.head(8)).array() > 0).all());
      const Matrix<double> rows = phi.transpose().replicate(x.size(), 1);
      Matrix<double> dphi(x.size(), map.params());
      Vector<double> dx(x.size());
      map.backward(rows, x, Vector<double>::Ones(x.size()), Vector<double>::Ones(x.size()), dx, dphi);
      CHECK(dx.allFinite());
      CHECK(dphi.allFinite());
    }
  }
}

TEST_CASE("an unconstrained monotone network starts as the identity") {
  const UnconstrainedMonotone<double> map(8, kBound);
  Vector<double> phi(map.params()), x = Vector<double>::LinSpaced(21, -5, 5);
  map.init(phi);
  const Points points = forward(map, phi, x);
  CHECK((points.z - x).cwiseAbs().maxCoeff() < 1e-14);
  CHECK(points.logdet.cwiseAbs().maxCoeff() < 1e-14);
}
