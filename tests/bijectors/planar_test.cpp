#include "bijectors/planar.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "core/above_minus_one.hpp"
#include "laws/subject.hpp"

using namespace biject;

namespace {

constexpr Index kRows = 48, kFeatures = 3;

struct Fixture {
  Fixture() : s(kFeatures, 0, [](Chain<double>& chain) {
        chain.add<Planar<double>>("p", kFeatures, Index{0}, NetStyle{{}, 0, {}});
      }, kRows, 0) {}
  auto phi() { return s.theta[s.plan.params().tensors().back().panels[0].slot].col(0); }  // (w, u, b)
  void forward() {
    logdet.setZero();
    s.bijector->forward(s.frame(), s.x, z, logdet);
  }
  double round_trip() {
    forward();
    s.bijector->inverse(s.frame(), z, back, logdet);
    return ((back - s.x).array().abs() / (1 + s.x.array().abs())).maxCoeff();
  }
  Subject<double> s;
  Matrix<double> z = Matrix<double>(kRows, kFeatures), back = z;
  Vector<double> logdet = Vector<double>::Zero(kRows);
};

}  // namespace

TEST_CASE("a planar layer starts as the identity, bends somewhere, and u can leave zero") {
  Fixture f;
  CHECK(f.phi().size() == 2 * kFeatures + 1);
  CHECK(f.phi().head(kFeatures).norm() > 0.1);
  f.forward();
  CHECK(f.z == f.s.x);
  CHECK(f.logdet == Vector<double>::Zero(kRows));
  Arena<double> grad(f.s.plan.params());
  Matrix<double> dx(kRows, kFeatures), dcontext(kRows, 0);
  f.s.bijector->backward(f.s.frame(), f.s.x, f.s.dz, f.s.dlogdet.col(0), dx, {grad, dcontext});
  CHECK(grad[f.s.plan.params().tensors().back().panels[0].slot].col(0).segment(kFeatures, kFeatures).norm() > 0.1);
}

TEST_CASE("however far u points against w, the layer is a bijection with slopes above its margin") {
  for (const double size : {0.5, 1., 2., 10., 1e3}) {
    CAPTURE(size);
    Fixture f;
    const Vector<double> w = f.phi().head(kFeatures);
    f.phi().segment(kFeatures, kFeatures) = -size * w;
    f.s.x.row(0) = -(f.phi()(2 * kFeatures) / w.squaredNorm()) * w.transpose();  // where w·x + b = 0: the steepest place
    CHECK(f.round_trip() < 1e-9 * (1 + size));
    f.forward();
    CHECK(f.logdet.minCoeff() >= std::log(1e-3) - 1e-9);
    const AboveMinusOne<double> bounded(-size * w.squaredNorm());
    CHECK(f.logdet(0) == doctest::Approx(std::log1p(bounded.value)));
  }
}

TEST_CASE("u with w, u across w, and w = 0 leave u as it is or stretch it, without special cases") {
  Fixture f;
  const Vector<double> w = f.phi().head(kFeatures);
  Vector<double> across(kFeatures);
  across << -w(1), w(0), 0;
  f.phi().segment(kFeatures, kFeatures) = across;  // volume preserving
  f.forward();
  CHECK(f.logdet.cwiseAbs().maxCoeff() < 1e-14);
  CHECK((f.z - f.s.x).norm() > across.norm());
  f.phi().segment(kFeatures, kFeatures) = 1e3 * w;
  CHECK(f.round_trip() < 1e-9);
  for (const double size : {0., 1e-200, 1e-160, 1e-20}) {
    CAPTURE(size);
    f.phi().head(kFeatures) = size * w;
    f.phi().segment(kFeatures, kFeatures).setOnes();
    CHECK(f.round_trip() < 1e-12);
    f.forward();
    CHECK(f.logdet.cwiseAbs().maxCoeff() < 1e-12);
    CHECK(f.z(0, 0) - f.s.x(0, 0) == doctest::Approx(std::tanh(f.phi()(2 * kFeatures))));
  }
}

TEST_CASE("the inverse of a planar layer that has lost its numbers ends") {
  Fixture f;
  f.phi().setConstant(std::nan(""));
  f.s.bijector->inverse(f.s.frame(), f.s.x, f.back, f.logdet);
  CHECK(!f.back.allFinite());
}
