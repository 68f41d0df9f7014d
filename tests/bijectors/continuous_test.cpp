#include "bijectors/continuous.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "laws/check_laws.hpp"

using namespace biject;

namespace {

Subject<double> continuous(Index features, Index context, const std::vector<Index>& hidden, Index steps, Index n, double size) {
  return {features, context, [=](Chain<double>& chain) { chain.add<Continuous<double>>("ode", features, context, hidden, steps); }, n, size};
}

void train(Subject<double>& s, std::uint64_t seed) { s.noise = std::make_unique<Noise>(Noise{seed, 0}); }

struct Result {
  Matrix<double> z;
  Vector<double> logdet;
};

Result forward(const Subject<double>& s) {
  Result result{Matrix<double>(s.x.rows(), s.x.cols()), Vector<double>::Zero(s.x.rows())};
  s.bijector->forward(s.frame(), s.x, result.z, result.logdet);
  return result;
}

template <class S> std::vector<laws::Case<S>> cases() {
  std::vector<laws::Case<S>> list;
  for (const auto& [d, c] : {std::pair<Index, Index>{1, 0}, {2, 0}, {4, 0}, {3, 2}, {10, 0}}) {
    const Index features = d, context = c;
    Tolerances tolerances;
    // Every step may be off by 1e-10, in both directions, and what contracts one way stretches the error the other way.
    tolerances.round_trip = 1e-8;
    tolerances.logdet_cancels = 1e-8;
    list.push_back({"continuous D=" + std::to_string(d) + " C=" + std::to_string(c), d, c,
                    [=](Chain<S>& chain) { chain.template add<Continuous<S>>("ode", features, context, std::vector<Index>{10, 7}, Index{4}); },
                    false, tolerances});
  }
  return list;
}

}  // namespace

TEST_CASE("a continuous flow keeps the laws of a bijector") {
  const auto in_double = cases<double>();
  const auto in_float = cases<float>();
  for (std::size_t i = 0; i < in_double.size(); ++i) laws::check_laws(in_double[i], in_float[i]);
}

TEST_CASE("a continuous flow starts as the identity, and can leave it") {
  for (const bool is_training : {false, true}) {
    Subject<double> s = continuous(3, 2, {8, 8}, 4, 48, 0);
    if (is_training) train(s, 1);
    const Result result = forward(s);
    CHECK(result.z == s.x);
    CHECK(result.logdet.isZero(0));
    if (!is_training) continue;
    Arena<double> dtheta(s.plan.params());
    Matrix<double> dx(48, 3), dcontext = Matrix<double>::Zero(48, 2);
    s.bijector->backward(s.frame(), s.x, s.dz, s.dlogdet.col(0), dx, {dtheta, dcontext});
    CHECK(*std::max_element(dtheta.flat().begin(), dtheta.flat().end()) > 0.1);
  }
}

TEST_CASE("a linear field is solved by the exponential of its matrix") {
  // Without hidden layers v = (x, t)·W + b; the last row of W is the effect of time.
  Subject<double> s = continuous(2, 0, {}, 40, 48, 0);
  Matrix<double> a(2, 2);
  a << 0.3, -0.7, 1.1, 0.2;
  for (const Tensor& tensor : s.plan.params().tensors()) {
    if (tensor.rows == 3) s.theta[tensor.panels[0].slot].topRows(2) = a;
  }
  Matrix<double> exponential = Matrix<double>::Identity(2, 2), power = exponential;
  for (int k = 1; k < 30; ++k) {
    power = power * a / k;
    exponential += power;
  }
  const Result in_use = forward(s);
  CHECK((in_use.z - s.x * exponential).cwiseAbs().maxCoeff() < 1e-9);
  CHECK((in_use.logdet.array() - a.trace()).abs().maxCoeff() < 1e-12);
  train(s, 1);
  const Result in_training = forward(s);
  CHECK((in_training.z - s.x * exponential).cwiseAbs().maxCoeff() < 1e-7);
  CHECK((in_training.logdet.array() - a.trace()).abs().maxCoeff() < 1e-12);
}

TEST_CASE("the map of training comes to that of use with more steps") {
  double before = 0;
  for (const Index steps : {4, 8, 16}) {
    Subject<double> s = continuous(4, 0, {10, 7}, steps, 48, 0.5);
    const Result in_use = forward(s);
    train(s, 1);
    const double error = (forward(s).logdet - in_use.logdet).cwiseAbs().maxCoeff();
    if (before > 0) CHECK(before / error > 8);  // 16 in the limit
    before = error;
  }
  CHECK(before < 1e-4);
}

TEST_CASE("the estimated log-determinant is right on average, its z is exact") {
  constexpr Index kRows = 48;
  constexpr int kDraws = 400;
  Subject<double> s = continuous(10, 0, {10, 7}, 16, kRows, 0.3);
  const Result exact = forward(s);
  Vector<double> sum = Vector<double>::Zero(kRows), squares = sum;
  for (int draw = 0; draw < kDraws; ++draw) {
    train(s, 1000 + static_cast<std::uint64_t>(draw));
    const Result estimate = forward(s);
    REQUIRE((estimate.z - exact.z).cwiseAbs().maxCoeff() < 1e-6);
    const Vector<double> error = estimate.logdet - exact.logdet;
    sum += error;
    squares += error.cwiseAbs2();
  }
  const Vector<double> mean = sum / kDraws;
  const Vector<double> standard_error = ((squares / kDraws - mean.cwiseAbs2()) / kDraws).cwiseSqrt();
  CHECK(standard_error.minCoeff() > 1e-4);  // it is an estimate
  CHECK((mean.array().abs() / standard_error.array()).maxCoeff() < 5);
}

TEST_CASE("the gradient of flow matching is that of its value") {
  for (const Index context : {0, 2}) {
    Subject<double> s = continuous(3, context, {8, 6}, 4, 48, 0.5);
    train(s, 5);
    Arena<double> dtheta(s.plan.params());
    Matrix<double> dcontext = Matrix<double>::Zero(48, context);
    Vector<double> value(48);
    const Vector<double> weight = s.dlogdet;
    const auto loss = [&](const Arena<double>& theta, const Matrix<double>& given) {
      Arena<double> unused(s.plan.params());
      Matrix<double> unused_context = Matrix<double>::Zero(48, context);
      s.bijector->match(s.frame(theta, given), s.x, weight, value, {unused, unused_context});
      return weight.dot(value);
    };
    s.bijector->match(s.frame(), s.x, weight, value, {dtheta, dcontext});
    const double at = weight.dot(value);
    Arena<double> direction(s.plan.params());
    s.add_noise(direction, 1, 77);
    const Matrix<double> along = Subject<double>::random(48, context, 78, 1);
    double slope = dcontext.cwiseProduct(along).sum();
    for (std::size_t i = 0; i < direction.flat().size(); ++i) slope += dtheta.flat()[i] * direction.flat()[i];
    const auto remainder = [&](double h) {
      Arena<double> theta = s.theta;
      for (std::size_t i = 0; i < theta.flat().size(); ++i) theta.flat()[i] += h * direction.flat()[i];
      return std::abs(loss(theta, s.context + h * along) - at - h * slope);
    };
    CHECK(std::log2(remainder(1e-4) / remainder(5e-5)) == doctest::Approx(2).epsilon(0.02));
  }
}

TEST_CASE("flow matching draws times and noise as it says, row by row") {
  // With v = 0 the value is −½|e − x|², of expectation −½(D + |x|²) and, per coordinate, variance ¼(2 + 4x²).
  constexpr Index kRows = 192;
  Subject<double> s = continuous(2, 0, {4}, 4, kRows, 0);
  Arena<double> dtheta(s.plan.params());
  Matrix<double> dcontext(kRows, 0);
  Vector<double> value(kRows), shifted(kRows);
  const Vector<double> weight = Vector<double>::Ones(kRows);
  double sum = 0, variance = 0;
  for (std::uint64_t draw = 0; draw < 100; ++draw) {
    train(s, draw);
    s.bijector->match(s.frame(), s.x, weight, value, {dtheta, dcontext});
    sum += (value.array() + 0.5 * (2 + s.x.array().square().rowwise().sum())).sum();
    variance += (0.25 * (4 + 4 * s.x.array().square().rowwise().sum())).sum();
  }
  CHECK(std::abs(sum) / std::sqrt(variance) < 5);
  s.x.rowwise() = s.x.row(0).eval();
  s.noise = std::make_unique<Noise>(Noise{3, 10});
  s.bijector->match(s.frame(), s.x, weight, value, {dtheta, dcontext});
  s.noise = std::make_unique<Noise>(Noise{3, 11});
  s.bijector->match(s.frame(), s.x, weight, shifted, {dtheta, dcontext});
  CHECK(value.tail(kRows - 1) == shifted.head(kRows - 1));
}

TEST_CASE("parameters that are no numbers give no numbers, soon") {
  Subject<double> s = continuous(2, 0, {4}, 4, 48, 0.3);
  s.theta.flat()[0] = std::nan("");
  const Result result = forward(s);
  CHECK(std::isnan(result.z(0, 0)));
  CHECK(std::isnan(result.logdet(0)));
}
