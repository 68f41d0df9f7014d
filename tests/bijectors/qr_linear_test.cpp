#include "bijectors/qr_linear.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <cmath>

#include "bijectors/lu_linear.hpp"
#include "laws/subject.hpp"

using namespace biject;

namespace {

constexpr Index kRows = 192, kFeatures = 3;

/// z of correlated data far from the origin, under the layer as it starts from them.
template <class Layer> Matrix<double> started(typename Layer::Start start, const Matrix<double>& x, Vector<double>& logdet) {
  Plan plan;
  const Layer layer(plan, kFeatures, start);
  Arena<double> theta(plan.params());
  Workspace<double> scratch(plan.scratch(), kRows);
  const Matrix<double> nothing(kRows, 0);
  Matrix<double> z(kRows, kFeatures);
  layer.init(theta, scratch, Rng(1, Stream::init), x, nothing);
  logdet.setZero();
  layer.forward({theta, nothing, scratch}, x, z, logdet);
  return z;
}

Matrix<double> correlated() {
  Matrix<double> mixing(kFeatures, kFeatures);
  mixing << 2, 1, 0, 0, 1, -1, 0.5, 0, 1;
  return (Subject<double>::random(kRows, kFeatures, 3, 1) * mixing).array() + 7;
}

}  // namespace

TEST_CASE("a linear layer that starts by whitening gives mean 0 and covariance 1, in both factorisations") {
  const Matrix<double> x = correlated();
  Vector<double> logdet(kRows), logdet_lu(kRows);
  const Matrix<double> z = started<QrLinear<double>>(QrLinear<double>::Start::whiten, x, logdet);
  const Matrix<double> z_lu = started<LuLinear<double>>(LuLinear<double>::Start::whiten, x, logdet_lu);
  CHECK((z - z_lu).cwiseAbs().maxCoeff() < 1e-12);
  CHECK((logdet - logdet_lu).cwiseAbs().maxCoeff() < 1e-12);
  CHECK(z.colwise().mean().cwiseAbs().maxCoeff() < 1e-12);
  const Matrix<double> covariance = z.transpose() * z / static_cast<double>(kRows);
  CHECK((covariance - Matrix<double>::Identity(kFeatures, kFeatures)).cwiseAbs().maxCoeff() < 3e-5);  // the ridge
  const Matrix<double> centred = x.rowwise() - x.colwise().mean();
  const double expected = -0.5 * std::log((centred.transpose() * centred / static_cast<double>(kRows)).determinant());
  CHECK(logdet(0) == doctest::Approx(expected).epsilon(1e-5));
}

TEST_CASE("data without spread start a linear layer at finite numbers") {
  for (const double value : {0., 5.}) {
    Vector<double> logdet(kRows);
    const Matrix<double> x = Matrix<double>::Constant(kRows, kFeatures, value);
    CHECK(started<QrLinear<double>>(QrLinear<double>::Start::whiten, x, logdet).allFinite());
    CHECK(logdet.allFinite());
  }
}

TEST_CASE("a linear layer without data to start from is the identity") {
  const Matrix<double> x = correlated();
  Vector<double> logdet(kRows);
  const Matrix<double> z = started<QrLinear<double>>(QrLinear<double>::Start::identity, x, logdet);
  CHECK((z - x).cwiseAbs().maxCoeff() < 1e-13);
  CHECK(logdet == Vector<double>::Zero(kRows));
}
