#include "bijectors/whitening.hpp"

#include <Eigen/Cholesky>

namespace biject {

template <class S> std::optional<Whitening> whitening(In<S> x) {
  // With covariance Σ and its inverse R·Rᵀ, R upper triangular, x·R has covariance 1. R is the inverse of the upper factor
  // of Σ = R⁻ᵀ·R⁻¹.
  const Matrix<double> data = x.template cast<double>();
  const Eigen::RowVectorXd mean = data.colwise().mean();
  const Matrix<double> centred = data.rowwise() - mean;
  Matrix<double> covariance = centred.transpose() * centred / static_cast<double>(x.rows());
  covariance.diagonal().array() += 1e-6 * covariance.diagonal().mean() + 1e-12;
  const Eigen::LLT<Matrix<double>> cholesky(covariance);
  const Matrix<double> upper = cholesky.matrixU();
  const Matrix<double> r =
      upper.template triangularView<Eigen::Upper>().solve(Matrix<double>::Identity(x.cols(), x.cols()));
  if (cholesky.info() != Eigen::Success || !r.allFinite()) return std::nullopt;
  return Whitening{r, -mean * r};
}

template std::optional<Whitening> whitening<float>(In<float>);
template std::optional<Whitening> whitening<double>(In<double>);

}  // namespace biject
