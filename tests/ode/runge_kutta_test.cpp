#include "ode/runge_kutta.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <numbers>

using namespace biject;

namespace {

/// A field given by a function of one row: (t, x, v) → divergence.
template <class S> class FunctionField final : public VectorField<S> {
 public:
  using Function = std::function<S(S t, const Vector<S>& x, Vector<S>& v)>;
  explicit FunctionField(Function function) : function_(std::move(function)) {}

  void init(Arena<S>&, const Rng&) const override {}
  void forward(const Frame<S>&, VectorIn<S> t, In<S> x, Out<S> v, VectorOut<S> divergence) const override {
    ++calls;
    Vector<S> row(x.cols()), velocity(x.cols());
    for (Index r = 0; r < x.rows(); ++r) {
      row = x.row(r).transpose();
      divergence(r) = function_(t(r), row, velocity);
      v.row(r) = velocity.transpose();
    }
  }
  void backward(const Frame<S>&, VectorIn<S>, In<S>, In<S>, VectorIn<S>, Out<S>, const Gradient<S>&) const override {}

  mutable int calls = 0;

 private:
  Function function_;
};

template <class S> struct Solution {
  Matrix<S> z;
  Vector<S> logdet;
};

template <class S, class Solver>
Solution<S> follow(const Plan& plan, const Solver& solver, const VectorField<S>& field, const Interval& time, const Matrix<S>& x) {
  const Arena<S> theta(plan.params());
  Workspace<S> scratch(plan.scratch(), x.rows());
  const Matrix<S> context(x.rows(), 0);
  Solution<S> result{Matrix<S>(x.rows(), x.cols()), Vector<S>::Zero(x.rows())};
  solver.forward({theta, context, scratch}, field, time, x, result.z, result.logdet);
  return result;
}

template <class S>
Solution<S> fixed(const VectorField<S>& field, const Interval& time, const Matrix<S>& x, Index steps, const Tableau& tableau) {
  Plan plan;
  const FixedSteps<S> solver(plan, x.cols(), steps, tableau);
  return follow(plan, solver, field, time, x);
}

template <class S>
Solution<S> adaptive(const VectorField<S>& field, const Interval& time, const Matrix<S>& x, double tolerance) {
  Plan plan;
  const AdaptiveSteps<S> solver(plan, x.cols(), tolerance);
  return follow(plan, solver, field, time, x);
}

/// dx/dt = x(1 − x)·(1 + t): x = 1 / (1 + (1/x₀ − 1)·e^−τ), τ = t + t²/2, dx/dx₀ = (x/x₀)²·e^−τ.
template <class S> FunctionField<S> growth() {
  return FunctionField<S>([](S t, const Vector<S>& x, Vector<S>& v) {
    v = (x.array() * (1 - x.array()) * (1 + t)).matrix();
    return ((1 - 2 * x.array()) * (1 + t)).sum();
  });
}
const Matrix<double> kStart = (Matrix<double>(3, 2) << 0.1, 0.9, 0.5, 2, 0.01, 0.3).finished();

Solution<double> growth_until(double t) {
  const double tau = t + t * t / 2;
  const Matrix<double> z = (1 / (1 + (1 / kStart.array() - 1) * std::exp(-tau))).matrix();
  return {z, ((z.array() / kStart.array()).square() * std::exp(-tau)).log().rowwise().sum().matrix()};
}

double distance(const Solution<double>& a, const Solution<double>& b) {
  return std::max((a.z - b.z).cwiseAbs().maxCoeff(), (a.logdet - b.logdet).cwiseAbs().maxCoeff());
}

}  // namespace

TEST_CASE("fixed steps converge with the order of their tableau") {
  const auto field = growth<double>();
  const Solution<double> truth = growth_until(2);
  for (const Tableau& tableau : {kRungeKutta4, kDormandPrince}) {
    const double coarse = distance(fixed(field, {0, 2}, kStart, 40, tableau), truth);
    const double fine = distance(fixed(field, {0, 2}, kStart, 80, tableau), truth);
    CHECK(coarse < 1e-5);
    CHECK(std::log2(coarse / fine) == doctest::Approx(tableau.order).epsilon(0.05));
  }
}

TEST_CASE("adaptive steps keep their tolerance, and ask for fewer steps where it is loose") {
  int calls_before = 0;
  for (const double tolerance : {1e-4, 1e-6, 1e-8, 1e-10, 1e-12}) {
    const auto field = growth<double>();
    CHECK(distance(adaptive(field, {0, 2}, kStart, tolerance), growth_until(2)) < 30 * tolerance);  // it adds up over the steps
    CHECK(field.calls > calls_before);
    calls_before = field.calls;
  }
  CHECK(calls_before < 1500);
  const Solution<float> in_float = adaptive<float>(growth<float>(), {0, 2}, kStart.cast<float>(), 1e-5);
  CHECK(distance({in_float.z.cast<double>(), in_float.logdet.cast<double>()}, growth_until(2)) < 1e-4);
}

TEST_CASE("a stretching field stretches by e, in both kinds of steps") {
  const FunctionField<double> field([](double, const Vector<double>& x, Vector<double>& v) {
    v = x;
    return static_cast<double>(x.size());
  });
  const Matrix<double> x = Matrix<double>::Random(5, 3);
  for (const auto& [z, logdet] : {adaptive<double>(field, {0, 1}, x, 1e-11), fixed<double>(field, {0, 1}, x, 200, kDormandPrince)}) {
    CHECK((z - std::exp(1.) * x).cwiseAbs().maxCoeff() < 1e-9);
    CHECK((logdet.array() - 3).abs().maxCoeff() < 1e-12);
  }
}

TEST_CASE("a field that turns comes round after a whole turn and keeps volumes") {
  const FunctionField<double> field([](double, const Vector<double>& x, Vector<double>& v) {
    v << -x(1), x(0);
    return 0.;
  });
  const Matrix<double> x = Matrix<double>::Random(4, 2);
  const double turn = 2 * std::numbers::pi;
  const Solution<double> whole = adaptive<double>(field, {0, turn}, x, 1e-11), quarter = adaptive<double>(field, {0, turn / 4}, x, 1e-11);
  CHECK((whole.z - x).cwiseAbs().maxCoeff() < 1e-8);
  CHECK((quarter.z.col(1) - x.col(0)).cwiseAbs().maxCoeff() < 1e-8);
  CHECK(whole.logdet.isZero(0));
}

TEST_CASE("following a solution back in time undoes it") {
  const auto field = growth<double>();
  const Solution<double> there = adaptive<double>(field, {0, 1}, kStart, 1e-12), back = adaptive<double>(field, {1, 0}, there.z, 1e-12);
  CHECK((back.z - kStart).cwiseAbs().maxCoeff() < 1e-10);
  CHECK((back.logdet + there.logdet).cwiseAbs().maxCoeff() < 1e-10);
  const Solution<double> steps = fixed<double>(field, {1, 0}, there.z, 100, kRungeKutta4);
  CHECK((steps.z - kStart).cwiseAbs().maxCoeff() < 1e-7);
}

TEST_CASE("an adaptive row does not know its neighbours") {
  const auto field = growth<double>();
  Matrix<double> x(40, 2);
  for (Index r = 0; r < 40; ++r) x.row(r) << 0.01 + 0.05 * static_cast<double>(r), std::exp(0.1 * static_cast<double>(r));
  const Solution<double> together = adaptive<double>(field, {0, 1}, x, 1e-9);
  for (Index r = 0; r < 40; ++r) {
    const Solution<double> alone = adaptive<double>(field, {0, 1}, Matrix<double>(x.row(r)), 1e-9);
    CHECK(alone.z.row(0) == together.z.row(r));
    CHECK(alone.logdet(0) == together.logdet(r));
  }
}

TEST_CASE("the log-determinant is held to the tolerance where the solution itself is easy") {
  // The point stands still; only the volume around it changes, with a sharp peak in time.
  const auto peak = [](double t) { return 1 / (1e-4 + (t - 0.4) * (t - 0.4)); };
  const FunctionField<double> field([&](double t, const Vector<double>&, Vector<double>& v) {
    v.setZero();
    return peak(t);
  });
  const double truth = 100 * (std::atan(100 * 0.6) + std::atan(100 * 0.4));
  const Solution<double> found = adaptive<double>(field, {0, 1}, Matrix<double>::Zero(1, 1), 1e-9);
  CHECK(found.logdet(0) == doctest::Approx(truth).epsilon(1e-8));
}

TEST_CASE("a row that cannot be followed is NaN, the others are not") {
  // The first row runs into infinity before its time is over.
  const FunctionField<double> field([](double, const Vector<double>& x, Vector<double>& v) {
    v = x.array().square().matrix();
    return 2 * x.sum();
  });
  const Matrix<double> x = (Matrix<double>(3, 1) << 2, 0.5, -1).finished();
  const auto [z, logdet] = adaptive<double>(field, {0, 1}, x, 1e-8);
  CHECK(std::isnan(z(0)));
  CHECK(std::isnan(logdet(0)));
  CHECK(z(1) == doctest::Approx(1).epsilon(1e-6));
  CHECK(z(2) == doctest::Approx(-0.5).epsilon(1e-6));
}

TEST_CASE("a field without numbers ends soon and gives NaN") {
  const FunctionField<double> field([](double, const Vector<double>&, Vector<double>& v) {
    v.setConstant(std::nan(""));
    return std::nan("");
  });
  CHECK(std::isnan(adaptive<double>(field, {0, 1}, kStart, 1e-8).z(0)));
  CHECK(field.calls < 500);
}
