#include "train/baseline.hpp"

#include <Eigen/Cholesky>
#include <cmath>
#include <numbers>

namespace biject {

namespace {

/// A normal density fitted in two passes; one of no columns is 1.
class Normal {
 public:
  explicit Normal(Index columns)
      : mean_(Eigen::RowVectorXd::Zero(columns)), covariance_(Matrix<double>::Zero(columns, columns)) {}

  void add_to_mean(Matrix<double>& data, const Vector<double>& share) {
    if (data.cols() > 0) mean_ += Eigen::RowVectorXd(share.transpose() * data);
  }
  void add_to_covariance(Matrix<double>& data, const Vector<double>& share) {
    if (data.cols() == 0) return;
    data.rowwise() -= mean_;
    covariance_ += Matrix<double>(data.transpose() * share.asDiagonal() * data);
  }
  void finish() {
    if (covariance_.cols() == 0) return;
    covariance_.diagonal().array() += 1e-9;  // of standardised columns: only matters for collinear ones
    cholesky_.compute(covariance_);
  }
  Vector<double> log_prob(const Matrix<double>& at) const {
    if (at.cols() == 0) return Vector<double>::Zero(at.rows());
    const Matrix<double> lower = cholesky_.matrixL();
    const Matrix<double> white = cholesky_.matrixL().solve((at.rowwise() - mean_).transpose());
    const double constant =
        lower.diagonal().array().log().sum() + 0.5 * std::log(2 * std::numbers::pi) * static_cast<double>(at.cols());
    return (-0.5 * white.colwise().squaredNorm().array() - constant).matrix().transpose();
  }

 private:
  Eigen::RowVectorXd mean_;
  Matrix<double> covariance_;
  Eigen::LLT<Matrix<double>> cholesky_;
};

/// Of rows of weights that sum to `total`, some that follow each other; weights empty: all alike.
Vector<double> share_of(VectorIn<double> weights, double total, Index first, Index rows) {
  if (weights.size() == 0) return Vector<double>::Constant(rows, 1. / total);
  return weights.segment(first, rows) / total;
}

double total_of(VectorIn<double> weights, Index rows) {
  return weights.size() == 0 ? static_cast<double>(rows) : weights.sum();
}

}  // namespace

LogProbSummary summarise(VectorIn<double> values, VectorIn<double> weights) {
  const Vector<double> share = share_of(weights, total_of(weights, values.size()), 0, values.size());
  LogProbSummary summary;
  summary.rows = values.size();
  summary.mean = share.dot(values);
  if (values.size() > 1) {
    const auto count = static_cast<double>(values.size());
    const double square = (share.array() * (values.array() - summary.mean)).square().sum();
    summary.standard_error = std::sqrt(square * count / (count - 1));
  }
  return summary;
}

LogProbSummary gaussian_baseline(const RowStream& training, const RowStream& validation) {
  Normal joint(training.context + training.features), of_context(training.context);
  const double total = total_of(training.weights, training.rows);
  const auto pass = [&](void (Normal::*add)(Matrix<double>&, const Vector<double>&)) {
    Index first = 0;
    training.for_each_block([&](Matrix<double>& block) {
      const Vector<double> share = share_of(training.weights, total, first, block.rows());
      Matrix<double> context = block.leftCols(training.context);
      (of_context.*add)(context, share);
      (joint.*add)(block, share);
      first += block.rows();
    });
  };
  pass(&Normal::add_to_mean);
  pass(&Normal::add_to_covariance);
  joint.finish();
  of_context.finish();

  Vector<double> log_probs(validation.rows);
  Index first = 0;
  validation.for_each_block([&](const Matrix<double>& block) {
    log_probs.segment(first, block.rows()) = joint.log_prob(block) - of_context.log_prob(block.leftCols(validation.context));
    first += block.rows();
  });
  return summarise(log_probs, validation.weights);
}

}  // namespace biject
