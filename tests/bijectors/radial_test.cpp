#include "bijectors/radial.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "laws/subject.hpp"

using namespace biject;

namespace {

constexpr Index kRows = 48;

struct Fixture {
  explicit Fixture(Index features)
      : s(features, 0, [features](Chain<double>& chain) {
          chain.add<Radial<double>>("r", features, Index{0}, NetStyle{{}, 0, {}});
        }, kRows, 0), z(kRows, features), back(kRows, features) {}
  Slot slot() const { return s.plan.params().tensors().back().panels[0].slot; }
  auto phi() { return s.theta[slot()].col(0); }  // (x₀, raw α, raw γ)
  double round_trip() {
    logdet.setZero();
    s.bijector->forward(s.frame(), s.x, z, logdet);
    Vector<double> unused = Vector<double>::Zero(kRows);
    s.bijector->inverse(s.frame(), z, back, unused);
    return ((back - s.x).array().abs() / (1 + s.x.array().abs())).maxCoeff();
  }
  Subject<double> s;
  Matrix<double> z, back;
  Vector<double> logdet = Vector<double>::Zero(kRows);
};

}  // namespace

TEST_CASE("a radial layer is the formula of the paper") {
  Fixture f(2);
  f.phi() << 0.5, -1, 0, 2;  // α = 1
  f.s.x.row(0) << 3.5, 3;    // five away from the centre
  f.round_trip();
  const double scale = 0.999, gamma = 2 + std::sqrt(4 + scale * scale) - scale, h = 1. / 6;
  CHECK(f.z(0, 0) == doctest::Approx(3.5 + gamma * h * 3));
  CHECK(f.z(0, 1) == doctest::Approx(3 + gamma * h * 4));
  CHECK(f.logdet(0) == doctest::Approx(std::log((1 + gamma * h) * (1 + gamma * h - gamma * h * h * 5))));
}

TEST_CASE("the centre stays where it is, with finite gradients") {
  for (const Index features : {Index{1}, Index{3}}) {
    for (const double raw_gamma : {-1e9, -1e3, -1., 0., 1., 1e3}) {
      CAPTURE(raw_gamma);
      Fixture f(features);
      f.phi()(features + 1) = raw_gamma;
      f.s.x.row(0) = f.phi().head(features).transpose();
      CHECK(f.round_trip() < 1e-9);
      CHECK(f.z.row(0) == f.s.x.row(0));
      CHECK(f.back.row(0) == f.s.x.row(0));
      // The steepest place: 1 + γ in every direction.
      CHECK(f.logdet(0) >= static_cast<double>(features) * std::log(1e-3) - 1e-6);
      Arena<double> grad(f.s.plan.params());
      Matrix<double> dx(kRows, features), dcontext(kRows, 0);
      f.s.bijector->backward(f.s.frame(), f.s.x, f.s.dz, f.s.dlogdet.col(0), dx, {grad, dcontext});
      CHECK(dx.allFinite());
      CHECK(grad[f.slot()].allFinite());
      CHECK((raw_gamma < -100 || std::abs(grad[f.slot()](features + 1)) > 1e-3));
    }
  }
}

TEST_CASE("a radius of action beyond all bounds is bounded") {
  for (const double raw_alpha : {-1e9, -30., 30., 1e9}) {
    Fixture f(2);
    f.phi()(2) = raw_alpha;
    f.phi()(3) = -3;
    f.s.x.row(0) << 1e6, -1e6;
    CHECK(f.round_trip() < 1e-9);
    CHECK(f.logdet.allFinite());
  }
}
