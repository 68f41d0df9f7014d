#include "bijectors/block_autoregressive.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "laws/subject.hpp"

using namespace biject;

namespace {

constexpr Index kRows = 48, kFeatures = 3;

struct Fixture {
  explicit Fixture(Index layers, double size = 0)
      : s(kFeatures, 0, [layers](Chain<double>& chain) {
          chain.add<BlockAutoregressive<double>>("b", kFeatures, Index{0}, Index{8}, layers);
        }, kRows, size) {}
  void forward() {
    logdet.setZero();
    s.bijector->forward(s.frame(), s.x, z, logdet);
  }
  Subject<double> s;
  Matrix<double> z = Matrix<double>(kRows, kFeatures), back = z;
  Vector<double> logdet = Vector<double>::Zero(kRows);
};

}  // namespace

TEST_CASE("a block autoregressive layer starts near the identity and can leave it in every number") {
  for (const Index layers : {1, 2, 3}) {
    Fixture f(layers);
    f.forward();
    CHECK((f.z - f.s.x).cwiseAbs().maxCoeff() < 0.2);
    CHECK(f.logdet.cwiseAbs().maxCoeff() < 1);  // tangents add up over the units of every hidden layer
    Arena<double> grad(f.s.plan.params());
    Matrix<double> dx(kRows, kFeatures), dcontext(kRows, 0);
    f.s.bijector->backward(f.s.frame(), f.s.x, f.s.dz, f.s.dlogdet.col(0), dx, {grad, dcontext});
    for (const Tensor& tensor : f.s.plan.params().tensors()) {
      CAPTURE(tensor.name);
      CHECK(grad[tensor.panels[0].slot].norm() > 1e-3);
    }
  }
}

TEST_CASE("numbers of any size leave an increasing map onto the real line") {
  for (const Index layers : {1, 3}) {
    for (const double size : {3., 30., 1e3}) {
      CAPTURE(size);
      Fixture f(layers, size);
      f.s.x.topRows(kRows / 2) *= 1e6;
      f.s.bijector->inverse(f.s.frame(), f.s.x, f.back, f.logdet);
      CHECK(f.back.allFinite());
      Vector<double> forward_logdet = Vector<double>::Zero(kRows), unused = forward_logdet;
      f.s.bijector->forward(f.s.frame(), f.back, f.z, forward_logdet);
      // Where the map is steep, the nearest doubles x have values z that lie far apart: those of the neighbours must enclose the target.
      for (Index d = 0; d < kFeatures; ++d) {
        Matrix<double> below = f.back, above = f.back;
        below.col(d).array() -= 4e-15 * (1 + f.back.col(d).array().abs());
        above.col(d).array() += 4e-15 * (1 + f.back.col(d).array().abs());
        const Eigen::ArrayXd target = f.s.x.col(d).array(), rounding = 1e-10 * (1 + target.abs());  // of sums of weights up to e⁷ times 1e6
        f.s.bijector->forward(f.s.frame(), below, f.z, unused);
        CHECK((f.z.col(d).array() <= target + rounding).all());
        f.s.bijector->forward(f.s.frame(), above, f.z, unused);
        CHECK((f.z.col(d).array() >= target - rounding).all());
      }
      // The slope is at least the one of α·x.
      CHECK(forward_logdet.minCoeff() >= -7. * kFeatures);
    }
  }
}

TEST_CASE("a direction is increasing whatever the weights") {
  Fixture f(2, 5);
  for (Index i = 0; i < kRows; ++i) f.s.x.row(i) << 0.3, -1, 0.1 * static_cast<double>(i) - 2;
  f.forward();
  for (Index i = 1; i < kRows; ++i) {
    CHECK(f.z(i, 2) > f.z(i - 1, 2));
    CHECK(f.z(i, 0) == f.z(0, 0));
    CHECK(f.z(i, 1) == f.z(0, 1));
  }
}

TEST_CASE("the inverse of a block autoregressive layer that has lost its numbers ends") {
  Fixture f(2);
  std::ranges::fill(f.s.theta.flat(), std::nan(""));
  f.s.bijector->inverse(f.s.frame(), f.s.x, f.back, f.logdet);
  CHECK(!f.back.allFinite());
}
