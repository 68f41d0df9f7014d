#include "bijectors/contractive_residual.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "laws/check_laws.hpp"

using namespace biject;

namespace {

Subject<double> residual(Index features, Index context, const std::vector<Index>& hidden, Index n, double size) {
  return {features, context, [=](Chain<double>& chain) { chain.add<ContractiveResidual<double>>("r", features, context, hidden); }, n, size};
}

Eigen::Map<Matrix<double>> tensor(Subject<double>& s, const std::string& name) {
  for (const Tensor& tensor : s.plan.params().tensors()) {
    if (tensor.name.ends_with(name)) return {s.theta[tensor.panels[0].slot].data(), tensor.rows, tensor.cols};
  }
  FAIL("no tensor of that name");
  return {nullptr, 0, 0};
}

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
    list.push_back({"contractive residual D=" + std::to_string(d) + " C=" + std::to_string(c), d, c, [=](Chain<S>& chain) {
                      chain.template add<ContractiveResidual<S>>("r", features, context, std::vector<Index>{10, 7});
                    }});
  }
  return list;
}

}  // namespace

TEST_CASE("a contractive residual layer keeps the laws of a bijector") {
  const auto in_double = cases<double>();
  const auto in_float = cases<float>();
  for (std::size_t i = 0; i < in_double.size(); ++i) laws::check_laws(in_double[i], in_float[i]);
}

TEST_CASE("a contractive residual layer starts as the identity, and can leave it") {
  for (const Index features : {3, 10}) {
    Subject<double> s = residual(features, 0, {8, 8}, 48, 0);
    s.noise = std::make_unique<Noise>(Noise{1, 0});
    const Result result = forward(s);
    CHECK(result.z == s.x);
    CHECK(result.logdet.isZero(0));
    Arena<double> dtheta(s.plan.params());
    Matrix<double> dx(48, features), dcontext(48, 0);
    s.bijector->backward(s.frame(), s.x, s.dz, s.dlogdet.col(0), dx, {dtheta, dcontext});
    CHECK(*std::max_element(dtheta.flat().begin(), dtheta.flat().end()) > 0.1);
  }
}

TEST_CASE("no weights give g a slope beyond its bound, and the bound is reached") {
  for (const double size : {0.1, 1., 30., 1e6}) {
    Subject<double> s = residual(3, 0, {9, 5}, 48, size);
    tensor(s, "b0") *= 0.3 / size;  // units that are not saturated
    tensor(s, "b1") *= 0.3 / size;
    const Matrix<double> z = forward(s).z;
    const Matrix<double> nearby = s.x;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Matrix<double> step = Subject<double>::random(48, 3, 50 + seed, 1e-4);
      s.x = nearby + step;
      const Matrix<double> dg = forward(s).z - z - step;
      CHECK((dg.rowwise().norm().array() / step.rowwise().norm().array()).maxCoeff() <= ContractiveResidual<double>::kLipschitz);
    }
  }
  // One unit per layer: norm and bound are the same thing.
  Subject<double> s = residual(1, 0, {1}, 48, 0);
  tensor(s, "w0").setConstant(1e3);
  tensor(s, "w1").setConstant(-1e3);
  tensor(s, "b0").setZero();
  s.x.setZero();
  CHECK(forward(s).logdet(0) == doctest::Approx(std::log(1 - 0.97)).epsilon(1e-9));
}

TEST_CASE("the inverse finds its way where the slope is nearly zero") {
  for (const Index features : {1, 3}) {
    Subject<double> s = residual(features, 0, {features}, 48, 0);
    tensor(s, "w0") = 1e3 * Matrix<double>::Identity(features, features);
    tensor(s, "w1") = -1e3 * Matrix<double>::Identity(features, features);
    tensor(s, "b0").setZero();
    for (Index i = 0; i < 48; ++i) s.x.row(i).setConstant(std::pow(10., -12 + 0.3 * static_cast<double>(i)) * (i % 2 == 0 ? 1 : -1));
    const Result there = forward(s);
    Matrix<double> back(48, features);
    Vector<double> logdet = there.logdet;
    s.bijector->inverse(s.frame(), there.z, back, logdet);
    CHECK(((back - s.x).array().abs() / (1 + s.x.array().abs())).maxCoeff() < 1e-13);
    CHECK(logdet.cwiseAbs().maxCoeff() < 1e-11);
  }
}

TEST_CASE("the estimated log-determinant is right on average, its z is exact") {
  constexpr Index kRows = 48;
  constexpr int kDraws = 2000;
  Subject<double> s = residual(10, 0, {12, 12}, kRows, 0.3);
  tensor(s, "b0") *= 0.3;
  const Result exact = forward(s);
  Vector<double> sum = Vector<double>::Zero(kRows), squares = sum;
  for (int draw = 0; draw < kDraws; ++draw) {
    s.noise = std::make_unique<Noise>(Noise{1000 + static_cast<std::uint64_t>(draw), 0});
    const Result estimate = forward(s);
    REQUIRE(estimate.z == exact.z);
    const Vector<double> error = estimate.logdet - exact.logdet;
    sum += error;
    squares += error.cwiseAbs2();
  }
  const Vector<double> mean = sum / kDraws;
  const Vector<double> standard_error = ((squares / kDraws - mean.cwiseAbs2()) / kDraws).cwiseSqrt();
  CHECK(standard_error.minCoeff() > 1e-4);  // it is an estimate
  CHECK((mean.array().abs() / standard_error.array()).maxCoeff() < 5);
}

TEST_CASE("all terms of the series together are unbiased where they are large") {
  // One unit of slope −r along a diagonal direction: tr(Jᵏ) = (−r)ᵏ, and the later terms are a good part of log(1 − r).
  constexpr Index kRows = 192;
  Subject<double> s = residual(9, 0, {1}, kRows, 0);
  tensor(s, "w0").setConstant(0.3);
  tensor(s, "w1").setConstant(-0.2);
  tensor(s, "b0").setZero();
  s.x.setZero();
  const double exact = forward(s).logdet(0);
  REQUIRE(exact < -0.6);
  double sum = 0, squares = 0;
  for (std::uint64_t draw = 0; draw < 500; ++draw) {
    s.noise = std::make_unique<Noise>(Noise{draw, 1000 * draw});
    const Vector<double> error = forward(s).logdet.array() - exact;
    sum += error.sum();
    squares += error.squaredNorm();
  }
  CHECK(std::abs(sum) / std::sqrt(squares) < 5);
  CHECK(std::sqrt(squares / (500 * kRows)) < 5);
}

TEST_CASE("parameters that are no numbers give no numbers, soon") {
  Subject<double> s = residual(2, 0, {4}, 48, 0.3);
  s.theta.flat()[0] = std::nan("");
  Matrix<double> x(48, 2);
  Vector<double> logdet = Vector<double>::Zero(48);
  s.bijector->inverse(s.frame(), s.x, x, logdet);
  CHECK(std::isnan(x(0, 0)));
  CHECK(std::isnan(logdet(0)));
}
