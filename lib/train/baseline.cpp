#include "train/baseline.hpp"

#include <Eigen/Cholesky>
#include <cmath>
#include <numbers>

namespace biject {

namespace {

/// log density of each row of `at` under the normal fitted to `data`; a density of no columns is 1.
Vector<double> normal_log_prob(const Matrix<double>& data, const Vector<double>& weights, const Matrix<double>& at) {
  if (data.cols() == 0) return Vector<double>::Zero(at.rows());
  const Vector<double> share =
      weights.size() == 0 ? Vector<double>::Constant(data.rows(), 1. / static_cast<double>(data.rows()))
                          : Vector<double>(weights / weights.sum());
  const Eigen::RowVectorXd mean = share.transpose() * data;
  const Matrix<double> centred = data.rowwise() - mean;
  Matrix<double> covariance = centred.transpose() * share.asDiagonal() * centred;
  covariance.diagonal().array() += 1e-9;  // of standardised columns: only matters for collinear ones
  const Eigen::LLT<Matrix<double>> cholesky(covariance);
  const Matrix<double> lower = cholesky.matrixL();
  const Matrix<double> white = cholesky.matrixL().solve((at.rowwise() - mean).transpose());
  const double constant =
      lower.diagonal().array().log().sum() + 0.5 * std::log(2 * std::numbers::pi) * static_cast<double>(data.cols());
  return (-0.5 * white.colwise().squaredNorm().array() - constant).matrix().transpose();
}

Matrix<double> beside(const Matrix<double>& left, const Matrix<double>& right) {
  Matrix<double> both(left.rows(), left.cols() + right.cols());
  both << left, right;
  return both;
}

}  // namespace

LogProbSummary summarise(VectorIn<double> values, VectorIn<double> weights) {
  const Vector<double> share = weights.size() == 0
                                   ? Vector<double>::Constant(values.size(), 1. / static_cast<double>(values.size()))
                                   : Vector<double>(weights / weights.sum());
  LogProbSummary summary;
  summary.rows = values.size();
  summary.mean = share.dot(values);
  if (values.size() > 1) {
    const double count = static_cast<double>(values.size());
    const double square = (share.array() * (values.array() - summary.mean)).square().sum();
    summary.standard_error = std::sqrt(square * count / (count - 1));
  }
  return summary;
}

LogProbSummary gaussian_baseline(const Rows<double>& training, const Rows<double>& validation) {
  const Vector<double> joint = normal_log_prob(beside(training.context, training.x), training.weights,
                                               beside(validation.context, validation.x));
  const Vector<double> of_context = normal_log_prob(training.context, training.weights, validation.context);
  return summarise(joint - of_context, validation.weights);
}

}  // namespace biject
