#include "bijectors/reflections.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <cmath>

#include "bijectors/householder.hpp"
#include "laws/subject.hpp"

using namespace biject;

namespace {

struct Fixture {
  Fixture(Index size, Index count) : reflections(plan, size, count), theta(plan.params()), scratch(plan.scratch(), size) {
    reflections.init(theta, Rng(2, Stream::init));
  }
  auto v() { return theta[plan.params().tensors()[0].panels[0].slot]; }
  Frame<double> frame() { return {theta, nothing, scratch}; }
  Matrix<double> q() {
    Matrix<double> result = Matrix<double>::Identity(scratch.rows(), scratch.rows());
    reflections.apply(frame(), result);
    return result;
  }
  Plan plan;
  Reflections<double> reflections;
  Arena<double> theta;
  Workspace<double> scratch;
  Matrix<double> nothing = Matrix<double>(0, 0);
};

double off_orthogonal(const Matrix<double>& q) {
  return (q * q.transpose() - Matrix<double>::Identity(q.rows(), q.cols())).cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("a product of reflections is orthogonal, and its transpose its inverse") {
  for (const auto& [size, count] : {std::pair<Index, Index>{1, 2}, {2, 2}, {5, 3}, {16, 16}, {33, 32}}) {
    CAPTURE(size);
    Fixture f(size, count);
    Matrix<double> q = f.q();
    CHECK(off_orthogonal(q) < 1e-14);
    CHECK(q.determinant() == doctest::Approx(count % 2 == 0 ? 1 : -1).epsilon(1e-12));
    f.reflections.apply_transposed(f.frame(), q);
    CHECK((q - Matrix<double>::Identity(size, size)).cwiseAbs().maxCoeff() < 1e-14);
  }
}

TEST_CASE("one reflection is the matrix in the books") {
  Fixture f(4, 1);
  const Vector<double> v = f.v().col(0);
  const Matrix<double> expected = Matrix<double>::Identity(4, 4) - 2 * v * v.transpose() / v.squaredNorm();
  CHECK((f.q() - expected).cwiseAbs().maxCoeff() < 1e-15);
}

TEST_CASE("very short, very long and empty directions are no exception") {
  for (const double size : {1e-310, 1e-200, 1e200}) {
    Fixture f(5, 4);
    f.v() *= size;
    CHECK(off_orthogonal(f.q()) < 1e-14);
  }
  Fixture f(5, 2);
  f.v().setZero();
  CHECK(f.q() == Matrix<double>::Identity(5, 5));
}

TEST_CASE("a rotation starts at the identity and can leave it") {
  const Index features = 5;
  Subject<double> s(features, 0, [](Chain<double>& chain) { chain.add<Householder<double>>("r", Index{5}, Index{4}); }, 48, 0);
  Matrix<double> z(48, features), dx(48, features), dcontext(48, 0);
  Vector<double> logdet = Vector<double>::Zero(48);
  s.bijector->forward(s.frame(), s.x, z, logdet);
  CHECK((z - s.x).cwiseAbs().maxCoeff() < 1e-14);
  CHECK(logdet == Vector<double>::Zero(48));
  Arena<double> grad(s.plan.params());
  s.bijector->backward(s.frame(), s.x, s.dz, s.dlogdet.col(0), dx, {grad, dcontext});
  const auto dv = grad[s.plan.params().tensors()[0].panels[0].slot];
  for (Index j = 0; j < dv.cols(); ++j) CHECK(dv.col(j).norm() > 0.1);
  // Equal directions with opposite gradients: a step along them is a rotation.
  CHECK((dv.col(0) + dv.col(1)).norm() < 1e-12 * dv.norm());
}
