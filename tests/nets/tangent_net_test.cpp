#include "nets/tangent_net.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "laws/subject.hpp"

using namespace biject;

namespace {

Matrix<double> random(Index rows, Index cols, std::uint64_t seed) { return Subject<double>::random(rows, cols, seed, 1); }

constexpr Index kRows = 7, kInputs = 3, kOutputs = 2, kTangents = 4;

/// A network with random weights and everything that a function of its values and tangents depends on.
struct Setup {
  Setup(const std::vector<Index>& hidden, Index context_columns)
      : net(plan, {kInputs, context_columns, hidden, kOutputs, kTangents}, TangentNet<double>::Weights::own,
            TangentNet<double>::Memory::kept),
        theta(plan.params()),
        scratch(plan.scratch(), kRows),
        context(random(kRows, context_columns, 1)),
        x(random(kRows, kInputs, 2)),
        t(random(kTangents * kRows, kInputs, 3)),
        dy(random(kRows, kOutputs, 4)),
        djt(random(kTangents * kRows, kOutputs, 5)) {
    const Rng rng(6, Stream::sample);
    for (std::size_t i = 0; i < theta.flat().size(); ++i) theta.flat()[i] = 0.5 * rng.normal(i, 0);
  }
  Frame<double> frame() { return {theta, context, scratch}; }

  /// Σ dy·y + Σ djt·(J·t).
  double loss() {
    Matrix<double> y(kRows, kOutputs), jt(kTangents * kRows, kOutputs);
    net.forward(frame(), x, y);
    net.push(frame(), t, jt);
    return dy.cwiseProduct(y).sum() + djt.cwiseProduct(jt).sum();
  }

  Plan plan;
  TangentNet<double> net;
  Arena<double> theta;
  Workspace<double> scratch;
  Matrix<double> context, x, t, dy, djt;
};

const std::vector<std::vector<Index>> kShapes = {{}, {6}, {6, 5}, {4, 7, 5}};

}  // namespace

TEST_CASE("a pushed tangent is the derivative of the network along it") {
  for (const auto& hidden : kShapes) {
    Setup s(hidden, 2);
    Matrix<double> jt(kTangents * kRows, kOutputs), high(kRows, kOutputs), low(kRows, kOutputs);
    s.net.forward(s.frame(), s.x, high);
    s.net.push(s.frame(), s.t, jt);
    for (Index m = 0; m < kTangents; ++m) {
      const double h = 1e-5;
      const Matrix<double> t = s.t.middleRows(m * kRows, kRows);
      s.net.forward(s.frame(), s.x + h * t, high);
      s.net.forward(s.frame(), s.x - h * t, low);
      CHECK(((high - low) / (2 * h) - jt.middleRows(m * kRows, kRows)).cwiseAbs().maxCoeff() < 1e-8);  // h² and rounding
    }
  }
}

TEST_CASE("the gradient of values and tangents agrees with differences in every argument") {
  for (const auto& hidden : kShapes) {
    for (const Index columns : {0, 2}) {
      Setup s(hidden, columns);
      Arena<double> dtheta(s.plan.params());
      Matrix<double> dcontext = Matrix<double>::Zero(kRows, columns), dx(kRows, kInputs), dt(kTangents * kRows, kInputs);
      const Gradient<double> grad{dtheta, dcontext};
      s.loss();
      s.net.begin_backward(s.frame());
      s.net.pull(s.frame(), s.t, s.djt, dt, grad);
      s.net.backward(s.frame(), s.x, s.dy, dx, grad);
      const auto agrees = [&](double& number, double derivative) {
        const double h = 1e-5, at = number;
        number = at + h;
        const double high = s.loss();
        number = at - h;
        const double low = s.loss();
        number = at;
        CHECK(derivative == doctest::Approx((high - low) / (2 * h)).epsilon(1e-7));
      };
      for (Index i = 0; i < s.x.size(); i += 3) agrees(s.x.data()[i], dx.data()[i]);
      for (Index i = 0; i < s.t.size(); i += 5) agrees(s.t.data()[i], dt.data()[i]);
      for (Index i = 0; i < s.context.size(); i += 3) agrees(s.context.data()[i], dcontext.data()[i]);
      for (std::size_t i = 0; i < s.theta.flat().size(); i += 3) agrees(s.theta.flat()[i], dtheta.flat()[i]);
    }
  }
}

TEST_CASE("tangents pulled in parts give the gradient of all of them together") {
  Setup s({6, 5}, 0);
  Matrix<double> dcontext(kRows, 0), dx(kRows, kInputs), dt(kTangents * kRows, kInputs), unused(kTangents * kRows, kOutputs);
  Arena<double> together(s.plan.params()), in_parts(s.plan.params());
  s.loss();
  s.net.begin_backward(s.frame());
  s.net.pull(s.frame(), s.t, s.djt, dt, {together, dcontext});
  s.net.backward(s.frame(), s.x, s.dy, dx, {together, dcontext});
  const Matrix<double> dx_together = dx, dt_together = dt;
  s.net.begin_backward(s.frame());
  for (Index m = 0; m < kTangents; ++m) {
    const auto t = s.t.middleRows(m * kRows, kRows);
    s.net.push(s.frame(), t, unused.middleRows(m * kRows, kRows));
    s.net.pull(s.frame(), t, s.djt.middleRows(m * kRows, kRows), dt.middleRows(m * kRows, kRows), {in_parts, dcontext});
  }
  s.net.backward(s.frame(), s.x, s.dy, dx, {in_parts, dcontext});
  CHECK(dx.isApprox(dx_together, 1e-13));
  CHECK(dt.isApprox(dt_together, 1e-13));
  for (std::size_t i = 0; i < together.flat().size(); ++i) CHECK(in_parts.flat()[i] == doctest::Approx(together.flat()[i]).epsilon(1e-12));
}

TEST_CASE("a saturated network has tangents and gradients of zero, not NaN") {
  Setup s({6, 5}, 0);
  s.x.setConstant(1e6);
  Matrix<double> dcontext(kRows, 0), dx(kRows, kInputs), dt(kTangents * kRows, kInputs);
  Arena<double> dtheta(s.plan.params());
  CHECK(std::isfinite(s.loss()));
  s.net.begin_backward(s.frame());
  s.net.pull(s.frame(), s.t, s.djt, dt, {dtheta, dcontext});
  s.net.backward(s.frame(), s.x, s.dy, dx, {dtheta, dcontext});
  CHECK(dx.isZero(0));
  CHECK(dt.isZero(0));
}
