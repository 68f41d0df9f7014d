#include "train/trainer.hpp"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "laws/subject.hpp"
#include "train/schedule.hpp"
#include "train/sharded.hpp"

using namespace biject;

namespace {

FlowSpec spec_of(const char* flow, Index features) {
  FlowSpec spec;
  spec.flow = flow;
  spec.features = features;
  if (spec.flow != "gaussian") spec.layers = 2, spec.hidden = {16};
  return spec;
}

/// n draws of N(mean, factor·factorᵀ).
Rows<double> normal_rows(Index n, const Eigen::Vector3d& mean, const Eigen::Matrix3d& factor, std::uint64_t seed) {
  Rows<double> rows{Subject<double>::random(n, 3, seed, 1) * factor.transpose(), Matrix<double>(n, 0), {}};
  rows.x.rowwise() += mean.transpose();
  return rows;
}

Eigen::Matrix3d some_factor() {
  Eigen::Matrix3d factor;
  factor << 1.5, 0, 0, 0.8, 0.6, 0, -0.3, 0.5, 0.9;
  return factor;
}

Rows<float> in_float(const Rows<double>& rows) {
  return {rows.x.cast<float>(), rows.context.cast<float>(), rows.weights.cast<float>()};
}

/// Mean and covariance that a gaussian flow has learned, read off its affine map x = A·z + m.
struct Learned {
  Eigen::Vector3d mean;
  Eigen::Matrix3d covariance;
};

template <class S> Learned read_off(const Flow<S>& flow, const Arena<S>& theta) {
  Workspace<S> scratch(flow.scratch(), 4);
  Matrix<S> z = Matrix<S>::Zero(4, 3), x(4, 3);
  z.bottomRows(3).setIdentity();
  Vector<S> logdet = Vector<S>::Zero(4);
  const Matrix<S> nothing(4, 0);
  flow.inverse({theta, nothing, scratch}, z, x, logdet);
  const Eigen::Matrix<double, 4, 3> points = x.template cast<double>();
  const Eigen::Matrix3d a = (points.bottomRows(3).rowwise() - points.row(0)).transpose();
  return {points.row(0).transpose(), a * a.transpose()};
}

}  // namespace

TEST_CASE("gaussian recovers the maximum of the likelihood by its gradient") {
  const Rows<double> rows = normal_rows(4000, {0.3, -0.2, 0.1}, some_factor(), 1);
  const Eigen::RowVector3d mean = rows.x.colwise().mean();
  const Matrix<double> centred = rows.x.rowwise() - mean;
  const Eigen::Matrix3d covariance = centred.transpose() * centred / 4000;
  const Flow<double> flow(spec_of("gaussian", 3));
  Arena<double> theta(flow.params());  // zeros: the identity, far from the answer, so that only training can find it
  TrainOptions options;
  options.epochs = 60;
  options.batch_size = 400;
  options.learning_rate = 0.02;
  options.patience = 0;
  ThreadPool pool(2);
  const TrainResult result = train(flow, theta, rows, rows, options, pool, {});
  CHECK(result.stop == StopReason::epochs);
  const Learned learned = read_off(flow, theta);
  for (int i = 0; i < 3; ++i) {
    const double sd = std::sqrt(covariance(i, i));
    CHECK(std::abs(learned.mean(i) - mean(i)) < 1e-3 * sd);
    for (int j = 0; j < 3; ++j) {
      CHECK(std::abs(learned.covariance(i, j) - covariance(i, j)) < 1e-2 * sd * std::sqrt(covariance(j, j)));
    }
  }
}

TEST_CASE("gaussian starts at the maximum of the likelihood") {
  const Rows<double> rows = normal_rows(4000, {0.3, -0.2, 0.1}, some_factor(), 1);
  const Eigen::RowVector3d mean = rows.x.colwise().mean();
  const Flow<float> flow(spec_of("gaussian", 3));
  Arena<float> theta(flow.params());
  flow.init(theta, Rng(0, Stream::init), rows.x.cast<float>(), Matrix<float>(4000, 0));
  const Learned learned = read_off(flow, theta);
  const Matrix<double> centred = rows.x.rowwise() - mean;
  const Eigen::Matrix3d covariance = centred.transpose() * centred / 4000;
  CHECK((learned.mean - mean.transpose()).cwiseAbs().maxCoeff() < 1e-3);
  CHECK((learned.covariance - covariance).cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("a batch may be smaller than those for which shards were reserved") {
  // 1025 rows in batches of at most 513: one of 512 rows, for which two shards of 256 would do, and one of 513, for which four were cut.
  const Rows<double> rows = normal_rows(1025, {0.3, -0.2, 0.1}, some_factor(), 1);
  const Flow<double> flow(spec_of("gaussian", 3));
  TrainOptions options;
  options.epochs = 2;
  options.batch_size = 513;
  Arena<double> of_one(flow.params()), of_two(flow.params());
  ThreadPool one(1), two(2);
  CHECK(train(flow, of_one, rows, rows, options, one, {}).epochs == 2);
  CHECK(train(flow, of_two, rows, rows, options, two, {}).epochs == 2);
  CHECK(std::ranges::equal(of_one.flat(), of_two.flat()));
}

TEST_CASE("a row of weight two counts like two rows") {
  const Rows<double> rows = normal_rows(300, {0, 0, 0}, some_factor(), 2);
  Rows<double> weighted = rows, doubled;
  weighted.weights = Vector<double>::Ones(300);
  weighted.weights.head(100).setConstant(2);
  weighted.weights /= weighted.weights.mean();
  doubled.x.resize(400, 3);
  doubled.x << rows.x, rows.x.topRows(100);
  doubled.context.resize(400, 0);
  TrainOptions options;
  options.epochs = 400;
  options.batch_size = 400;  // everything in one batch: no noise of the order
  options.learning_rate = 0.02;
  options.patience = 0;
  ThreadPool pool(1);
  const Flow<double> flow(spec_of("gaussian", 3));
  Arena<double> a(flow.params()), b(flow.params());
  train(flow, a, weighted, weighted, options, pool, {});
  train(flow, b, doubled, doubled, options, pool, {});
  CHECK((read_off(flow, a).covariance - read_off(flow, b).covariance).cwiseAbs().maxCoeff() < 1e-3);
  CHECK((read_off(flow, a).mean - read_off(flow, b).mean).cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("a step whose loss is not finite is rejected, counted and rolled back") {
  Rows<double> rows = normal_rows(512, {0, 0, 0}, some_factor(), 3);
  const Rows<double> validation = normal_rows(128, {0, 0, 0}, some_factor(), 4);
  rows.x(17, 1) = std::nan("");  // the one batch of each epoch that meets it must not harm the others
  TrainOptions options;
  options.epochs = 6;
  options.batch_size = 64;
  options.patience = 0;
  ThreadPool pool(1);
  const Flow<double> flow(spec_of("maf", 3));
  Arena<double> theta(flow.params());
  flow.init(theta, Rng(0, Stream::init), validation.x, validation.context);
  const TrainResult result = train(flow, theta, rows, validation, options, pool, {});
  CHECK(result.rejected_steps == 6);
  CHECK(std::isfinite(result.validation));
  for (const double number : theta.flat()) CHECK(std::isfinite(number));
}

TEST_CASE("training that only meets infinite losses is called diverged") {
  Rows<double> rows = normal_rows(64, {0, 0, 0}, some_factor(), 3);
  rows.x.setConstant(std::numeric_limits<double>::infinity());
  const Rows<double> validation = normal_rows(64, {0, 0, 0}, some_factor(), 4);
  TrainOptions options;
  options.epochs = 1000;
  options.patience = 0;
  ThreadPool pool(1);
  const Flow<double> flow(spec_of("maf", 3));
  Arena<double> theta(flow.params());
  flow.init(theta, Rng(0, Stream::init), validation.x, validation.context);
  CHECK(train(flow, theta, rows, validation, options, pool, {}).stop == StopReason::diverged);
}

TEST_CASE("the best parameters by validation are kept, and patience ends what no longer improves") {
  const Rows<double> rows = normal_rows(64, {0, 0, 0}, some_factor(), 5), validation = normal_rows(256, {0, 0, 0}, some_factor(), 6);
  TrainOptions options;
  options.epochs = 500;
  options.batch_size = 32;
  options.patience = 15;
  options.learning_rate = 5e-3;  // overfits 64 rows soon
  ThreadPool pool(1);
  const Flow<float> flow(spec_of("nsf", 3));
  Arena<float> theta(flow.params());
  flow.init(theta, Rng(0, Stream::init), in_float(rows).x, in_float(rows).context);
  double best = -1e9, last = 0;
  Index epochs = 0;
  TrainHooks hooks;
  hooks.on_epoch = [&](const EpochReport& report) {
    best = std::max(best, report.validation);
    last = report.validation;
    ++epochs;
  };
  const TrainResult result = train(flow, theta, in_float(rows), in_float(validation), options, pool, hooks);
  CHECK(result.stop == StopReason::patience);
  CHECK(result.epochs == epochs);
  CHECK(epochs < 500);
  CHECK(last < best);
  Vector<float> logp(256);
  ShardedFlow<float>(flow, pool).log_prob(theta, in_float(validation).x, in_float(validation).context, logp);
  CHECK(logp.cast<double>().mean() == doctest::Approx(result.validation).epsilon(1e-9));
  CHECK(result.validation >= best);
}

TEST_CASE("an interruption is obeyed after the batch at hand, and the best so far survives") {
  const Rows<double> rows = normal_rows(640, {0, 0, 0}, some_factor(), 5);
  TrainOptions options;
  options.batch_size = 64;
  int batches = 0;
  TrainHooks hooks;
  hooks.should_stop = [&] { return ++batches > 25; };
  ThreadPool pool(1);
  const Flow<float> flow(spec_of("maf", 3));
  Arena<float> theta(flow.params());
  flow.init(theta, Rng(0, Stream::init), in_float(rows).x, in_float(rows).context);
  const TrainResult result = train(flow, theta, in_float(rows), in_float(rows), options, pool, hooks);
  CHECK(result.stop == StopReason::interrupted);
  CHECK(result.epochs <= 3);
  CHECK(std::isfinite(result.validation));
}

TEST_CASE("the schedule warms up and ends at zero") {
  CHECK(schedule_factor(true, 0, 10, 0) == doctest::Approx(0.1));
  CHECK(schedule_factor(true, 9, 10, 0) == doctest::Approx(1));
  CHECK(schedule_factor(true, 500, 10, 0.5) == doctest::Approx(0.5));
  CHECK(schedule_factor(true, 1000, 10, 1) == doctest::Approx(0));
  CHECK(schedule_factor(false, 1000, 10, 1) == doctest::Approx(1));
}
