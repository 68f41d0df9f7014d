#include "train/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "flows/catalogue.hpp"
#include "train/baseline.hpp"
#include "train/batch_gradient.hpp"
#include "train/defaults.hpp"
#include "train/prepare.hpp"
#include "train/sharded.hpp"

namespace biject {

namespace {

constexpr Index kFewestRows = 10;
constexpr Index kMostRows = std::numeric_limits<std::uint32_t>::max();  // the trainer numbers them in 32 bits
constexpr Index kStartRows = 20'000;  // rows that data-dependent starts look at
constexpr Index kEpochsUnderAClock = 100'000;  // with a time limit the clock is the schedule, not a number of epochs
constexpr std::array kQuantiles{0.1, 1., 5., 25., 50., 75., 95., 99.};  // percent

/// Sorts the values.
std::vector<std::pair<double, double>> quantiles(Vector<double>& values) {
  std::ranges::sort(values);
  std::vector<std::pair<double, double>> result;
  for (const double percent : kQuantiles) {
    const double place = percent / 100 * static_cast<double>(values.size() - 1);
    const auto below = static_cast<Index>(place);
    const Index above = std::min(below + 1, values.size() - 1);
    const double share = place - static_cast<double>(below);
    result.emplace_back(percent, values(below) + share * (values(above) - values(below)));
  }
  return result;
}

template <class S>
Model fit_in(FitData data, const FitPlan& plan, const FitRequest& request, ThreadPool& pool, const TrainHooks& hooks) {
  const Prepared<S> prepared = prepare<S>(std::move(data), plan, request.seed);
  const Rows<S>&training = prepared.training, &validation = prepared.validation;
  const Flow<S> flow(plan.spec);
  Arena<S> theta(flow.params());
  const Index start_rows = std::min(kStartRows, training.x.rows());
  flow.init(theta, Rng(request.seed, Stream::init), training.x.topRows(start_rows), training.context.topRows(start_rows));

  TrainHooks in_file_units = hooks;
  if (hooks.on_epoch) {
    in_file_units.on_epoch = [&](EpochReport report) {
      report.train -= prepared.log_scales;
      report.validation -= prepared.log_scales;
      report.best -= prepared.log_scales;
      hooks.on_epoch(report);
    };
  }
  const TrainResult result = train(flow, theta, training, validation, plan.options, pool, in_file_units);
  if (!std::isfinite(result.validation)) {
    throw Error(ErrorKind::diverged, "", "training diverged: nothing gives the held-out rows a finite log_prob; some lie too far from the rows to train on",
                "look for outliers in the rows of --validation, or hold out other rows with another --seed");
  }
  if (result.stop == StopReason::diverged) {
    throw Error(ErrorKind::diverged, "",
                fmt::format("training diverged in epoch {}: {} steps had a loss that is not finite; the last finite validation "
                            "log_prob was {:.6g}",
                            result.epochs, result.rejected_steps, result.validation - prepared.log_scales),
                "a smaller --learning-rate, or --base student for heavy tails");
  }

  Model model;
  model.spec = plan.spec;
  model.columns = prepared.columns;
  model.is_double = std::is_same_v<S, double>;
  model.theta = theta.template cast<double>();
  ShardedFlow<S> judge(flow, pool);
  const auto judged = [&](const Rows<S>& rows) {
    Vector<S> logp(rows.x.rows());
    judge.log_prob(theta, rows.x, rows.context, logp);
    return Vector<double>(logp.template cast<double>().array() - prepared.log_scales);
  };
  Vector<double> of_training = judged(training);
  const Vector<double> of_validation = judged(validation);
  TrainingRecord& record = model.training;
  record.seed = request.seed;
  record.rows = training.x.rows();
  record.validation_rows = validation.x.rows();
  record.batch_size = plan.options.batch_size;
  record.learning_rate = plan.options.learning_rate;
  record.weight_decay = plan.options.weight_decay;
  record.clip = plan.options.clip;
  record.schedule = plan.options.schedule;
  record.averaged = result.averaged;
  record.epochs = result.epochs;
  record.best_epoch = result.best_epoch;
  record.rejected_steps = result.rejected_steps;
  record.stop = to_string(result.stop);
  record.seconds = result.seconds;
  record.train = summarise(of_training, prepared.training_weights);
  record.validation = summarise(of_validation, prepared.validation_weights);
  record.gaussian = prepared.gaussian;
  record.gaussian.mean -= prepared.log_scales;
  model.quantiles = quantiles(of_training);
  return model;
}

template <class S> double memory_of(const FitPlan& plan, Index columns) {
  const Flow<S> flow(plan.spec);
  const auto numbers = static_cast<double>(flow.params().size());
  const auto of_lanes = static_cast<double>(kMostLanes * kMostShardRows * flow.scratch().for_gradients());
  const auto of_judges = static_cast<double>(2 * kShardRows * flow.scratch().for_values());
  const double rows = static_cast<double>(plan.train_rows + plan.validation_rows) * static_cast<double>(columns);
  // θ, m, v, average, best and the gradients; scratch of as many shards and of two threads that judge; the table, which
  // becomes one of S block by block.
  return sizeof(S) * ((5 + kMostLanes) * numbers + of_lanes + of_judges) + sizeof(double) * rows + 2e7;
}

}  // namespace

FitPlan plan_fit(const FitRequest& request, Index rows, Index validation_rows, Index features, Index context) {
  const FlowRow* row = find_flow(request.flow);
  if (row == nullptr) throw Error(ErrorKind::usage, "", fmt::format("there is no flow '{}'", request.flow), "biject flows");
  FitPlan plan;
  plan.validation_rows = validation_rows;
  if (validation_rows == 0) {
    if (!(request.validation_fraction > 0 && request.validation_fraction < 1)) {
      throw Error(ErrorKind::usage, "", fmt::format("--validation: {} is not a fraction between 0 and 1", request.validation_fraction));
    }
    plan.validation_rows =
        std::max<Index>(1, static_cast<Index>(std::llround(request.validation_fraction * static_cast<double>(rows))));
  }
  plan.train_rows = validation_rows == 0 ? rows - plan.validation_rows : rows;
  if (rows < kFewestRows || plan.train_rows < 2) {
    throw Error(ErrorKind::data, "", fmt::format("a fit needs at least {} complete rows, and here {} {}", kFewestRows, rows == 1 ? "is" : "are", rows));
  }
  if (plan.train_rows > kMostRows) {
    throw Error(ErrorKind::data, "", fmt::format("a fit takes at most {} rows to train on, and here are {}", kMostRows, plan.train_rows));
  }
  FlowSpec& spec = plan.spec;
  spec = default_spec(*row, plan.train_rows, features, context, request.component_flow.value_or(""));
  const auto set = [](auto& value, const auto& wish) {
    if (wish) value = *wish;
  };
  set(spec.scheme, request.scheme);
  set(spec.base, request.base);
  if (spec.base == "uniform") spec.mix = "permute";  // the linear maps would leave the box
  forget_unread(spec);
  set(spec.layers, request.layers);
  if (request.blocks && *request.blocks > 0 && !request.hidden) spec.hidden.resize(1);
  set(spec.hidden, request.hidden);
  if (request.hidden) spec.blocks = 0;  // a list of widths is a plain network unless blocks are asked for
  set(spec.blocks, request.blocks);
  set(spec.bins, request.bins);
  set(spec.tail, request.tail);
  set(spec.dropout, request.dropout);
  set(spec.components, request.components);
  set(spec.mix, request.mix);
  check(spec);
  plan.options = default_options(spec, plan.train_rows);
  if (request.seconds > 0) plan.options.epochs = kEpochsUnderAClock;
  set(plan.options.epochs, request.epochs);
  set(plan.options.batch_size, request.batch_size);
  set(plan.options.patience, request.patience);
  set(plan.options.learning_rate, request.learning_rate);
  set(plan.options.weight_decay, request.weight_decay);
  set(plan.options.clip, request.clip);
  set(plan.options.schedule, request.schedule);
  set(plan.options.average, request.average);
  plan.options.seconds = request.seconds;
  plan.options.seed = request.seed;
  plan.parameters = Flow<float>(spec).params().free_count();
  plan.memory_bytes = request.in_double ? memory_of<double>(plan, features + context) : memory_of<float>(plan, features + context);
  return plan;
}

double measure_epoch_seconds(const FitData& data, const FitPlan& plan, const FitRequest& request, ThreadPool& pool) {
  // Training for one epoch on the first rows, timed as a whole; twice, because the first run meets cold caches.
  const Index rows = std::min(data.values.rows(), std::max<Index>(kFewestRows, 8 * plan.options.batch_size));
  FitData some{data.names, data.is_given, data.values.first(rows), {}, data.validation, data.validation_weights};
  if (data.weights.size() > 0) some.weights = data.weights.head(rows);
  FitPlan short_plan = plan;
  short_plan.options.epochs = 2;
  short_plan.train_rows = rows;
  short_plan.validation_rows = data.validation ? plan.validation_rows : std::max<Index>(1, rows / 10);
  double first = 0, second = 0;
  TrainHooks hooks;
  hooks.on_epoch = [&](const EpochReport& report) {
    (report.epoch == 1 ? first : second) = static_cast<double>(rows) / report.rows_per_second;
  };
  if (request.in_double) {
    fit_in<double>(std::move(some), short_plan, request, pool, hooks);
  } else {
    fit_in<float>(std::move(some), short_plan, request, pool, hooks);
  }
  return std::min(first, second) / static_cast<double>(rows) * static_cast<double>(plan.train_rows);
}

Model fit(FitData data, const FitPlan& plan, const FitRequest& request, ThreadPool& pool, const TrainHooks& hooks) {
  return request.in_double ? fit_in<double>(std::move(data), plan, request, pool, hooks)
                           : fit_in<float>(std::move(data), plan, request, pool, hooks);
}

}  // namespace biject
