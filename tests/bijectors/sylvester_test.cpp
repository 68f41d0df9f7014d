#include "bijectors/sylvester.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <cmath>

#include "core/above_minus_one.hpp"
#include "laws/subject.hpp"

using namespace biject;

namespace {

constexpr Index kRows = 48, kFeatures = 4, kRank = 3;

struct Fixture {
  explicit Fixture(double size)
      : s(kFeatures, 0, [](Chain<double>& chain) {
          chain.add<Sylvester<double>>("s", kFeatures, Index{0}, NetStyle{{}, 0, {}}, kRank);
        }, kRows, size) {}
  auto tensor(std::size_t i) { return s.theta[s.plan.params().tensors()[i].panels[0].slot]; }
  auto phi() { return s.theta[s.plan.params().tensors().back().panels[0].slot].col(0); }  // (b, p, q)
  Subject<double> s;
  Matrix<double> z = Matrix<double>(kRows, kFeatures), back = z;
  Vector<double> logdet = Vector<double>::Zero(kRows);
};

}  // namespace

TEST_CASE("a Sylvester layer is the product of matrices in the paper") {
  Fixture f(0.5);
  f.s.bijector->forward(f.s.frame(), f.s.x, f.z, f.logdet);
  Matrix<double> q = Matrix<double>::Identity(kRank, kFeatures);  // as rows
  const auto v = f.tensor(0);
  for (Index j = 0; j < kRank; ++j) q = (q - 2 * (q * v.col(j)) * v.col(j).transpose() / v.col(j).squaredNorm()).eval();
  CHECK((q * q.transpose() - Matrix<double>::Identity(kRank, kRank)).cwiseAbs().maxCoeff() < 1e-14);
  Matrix<double> r1 = f.tensor(1), r2 = f.tensor(2);
  r1.conservativeResizeLike(Matrix<double>::Zero(kRank, kRank));
  r2.conservativeResizeLike(Matrix<double>::Zero(kRank, kRank));
  for (Index i = 0; i < kRank; ++i) {
    const double p = f.phi()(kRank + i), slope = f.phi()(2 * kRank + i);
    r1(i, i) = AboveMinusOne<double>(p * slope).value / slope;
    r2(i, i) = slope;
  }
  for (Index row = 0; row < kRows; ++row) {
    const Vector<double> x = f.s.x.row(row).transpose();
    const Vector<double> t = (r2 * q * x + f.phi().head(kRank)).array().tanh().matrix();
    const Vector<double> z = x + q.transpose() * r1 * t;
    const Vector<double> slopes = (1 - t.array().square()).matrix();
    const Matrix<double> jacobian =
        Matrix<double>::Identity(kFeatures, kFeatures) + q.transpose() * r1 * slopes.asDiagonal() * r2 * q;
    CHECK((f.z.row(row).transpose() - z).norm() < 1e-13);
    CHECK(f.logdet(row) == doctest::Approx(std::log(jacobian.determinant())).epsilon(1e-12));
  }
}

TEST_CASE("a Sylvester layer starts as the identity, and each of its parts but R2 can leave at once") {
  Fixture f(0);
  f.s.bijector->forward(f.s.frame(), f.s.x, f.z, f.logdet);
  CHECK(f.z == f.s.x);
  CHECK(f.logdet == Vector<double>::Zero(kRows));
  Arena<double> grad(f.s.plan.params());
  Matrix<double> dx(kRows, kFeatures), dcontext(kRows, 0);
  f.s.bijector->backward(f.s.frame(), f.s.x, f.s.dz, f.s.dlogdet.col(0), dx, {grad, dcontext});
  const auto norm = [&](std::size_t i) { return grad[f.s.plan.params().tensors()[i].panels[0].slot].norm(); };
  CHECK(norm(1) > 0.1);                                       // R1
  CHECK(norm(f.s.plan.params().tensors().size() - 1) > 0.1);  // φ
}

TEST_CASE("diagonals of opposite signs, however large, leave a bijection") {
  for (const double size : {1., 3., 30., 300.}) {
    CAPTURE(size);
    Fixture f(0.3);
    f.phi().segment(kRank, kRank).setConstant(-size);
    f.phi().tail(kRank).setConstant(size);
    f.s.bijector->forward(f.s.frame(), f.s.x, f.z, f.logdet);
    CHECK(f.logdet.minCoeff() >= kRank * std::log(1e-3) - 1e-6);
    f.s.bijector->inverse(f.s.frame(), f.z, f.back, f.logdet);
    CHECK((f.back - f.s.x).cwiseAbs().maxCoeff() < 1e-9);
  }
}
