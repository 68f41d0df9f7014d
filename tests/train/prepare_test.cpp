#include "train/prepare.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.hpp"
#include "laws/subject.hpp"

using namespace biject;

namespace {

FitData table_of(const Matrix<double>& values) {
  FitData data;
  for (Index j = 0; j < values.cols(); ++j) data.names.push_back("x" + std::to_string(j));
  data.is_given.assign(data.names.size(), false);
  data.values = values;
  return data;
}

FitPlan plan_for(const FitData& data) {
  FitRequest request;
  request.flow = "gaussian";
  return plan_fit(request, data.values.rows(), data.validation ? data.validation->rows() : 0, data.values.cols(), 0);
}

// The rows in file units again, in the order in which they are trained on or judged by.
Vector<double> first_column(const Prepared<double>& prepared, const Rows<double>& rows) {
  return rows.x.col(0).array() * prepared.columns[0].scale + prepared.columns[0].mean;
}

}  // namespace

TEST_CASE("the rows held out are those that a shuffle of all rows brings to the front") {
  for (const std::uint64_t seed : {0, 1, 77}) {
    for (const Index rows : {10, 11, 999, 5000}) {
      Matrix<double> values(rows, 1);
      std::iota(values.data(), values.data() + rows, 0.);
      const FitPlan plan = plan_for(table_of(values));
      std::vector<double> order(values.data(), values.data() + rows);
      const Rng rng(seed, Stream::split);
      for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i, 0, static_cast<std::uint32_t>(i))]);
      std::sort(order.begin(), order.begin() + plan.validation_rows);
      std::sort(order.begin() + plan.validation_rows, order.end());

      const Prepared<double> prepared = prepare<double>(table_of(values), plan, seed);
      const Vector<double> expected = Vector<double>::Map(order.data(), rows);
      CHECK(first_column(prepared, prepared.validation).isApprox(expected.head(plan.validation_rows), 1e-12));
      CHECK(first_column(prepared, prepared.training).isApprox(expected.tail(plan.train_rows), 1e-12));
    }
  }
}

TEST_CASE("small differences of large numbers are standardised before they are rounded to float") {
  Matrix<double> small = Subject<double>::random(4000, 1, 3, 1);
  const Matrix<double> large = small.array() + 1e9;
  const FitPlan plan = plan_for(table_of(small));
  small = large.array() - 1e9;  // what the large numbers can tell apart
  const Prepared<float> near = prepare<float>(table_of(small), plan, 0), far = prepare<float>(table_of(large), plan, 0);
  CHECK((near.training.x - far.training.x).cwiseAbs().maxCoeff() < 1e-5f);
  CHECK((near.validation.x - far.validation.x).cwiseAbs().maxCoeff() < 1e-5f);
}

TEST_CASE("the normal of a table of many blocks is that of its rows") {
  const Index rows = 500'000;
  Matrix<double> values = Subject<double>::random(rows, 2, 4, 1);
  values.col(1) = 0.8 * values.col(0) + 0.6 * values.col(1);
  FitData data = table_of(values);
  data.weights = 1.5 + Subject<double>::random(rows, 1, 5, 1).array().tanh();
  const Prepared<double> prepared = prepare<double>(data, plan_for(data), 0);

  const auto& [x, context, weights] = prepared.training;
  const Eigen::RowVector2d mean = weights.transpose() * x / weights.sum();
  const Matrix<double> centred = x.rowwise() - mean;
  const Eigen::Matrix2d covariance = centred.transpose() * weights.asDiagonal() * centred / weights.sum();
  const Matrix<double> apart = prepared.validation.x.rowwise() - mean;
  const Vector<double> squares = (apart * covariance.inverse()).cwiseProduct(apart).rowwise().sum();
  const Vector<double> log_probs = -0.5 * squares.array() - std::log(2 * std::numbers::pi) - 0.5 * std::log(covariance.determinant());
  const double expected = prepared.validation.weights.dot(log_probs) / prepared.validation.weights.sum();
  CHECK(prepared.gaussian.mean == doctest::Approx(expected).epsilon(1e-7));
  CHECK(prepared.gaussian.rows == prepared.validation.x.rows());
}
