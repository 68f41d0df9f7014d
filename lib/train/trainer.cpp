#include "train/trainer.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

#include "train/adam.hpp"
#include "train/batch_gradient.hpp"
#include "train/schedule.hpp"
#include "train/sharded.hpp"

namespace biject {

namespace {

constexpr double kAverageDecay = 0.999;
constexpr Index kMostRejections = 50;     // each halves the rate, so by then it is 1e-15 of what was asked for
constexpr double kWorthwhile = 1e-3;      // nats: what `patience` epochs must gain to go on

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The state of one training; train() is its story.
template <class S> class Training {
 public:
  Training(const Flow<S>& flow, Arena<S>& theta, const Rows<S>& training, const Rows<S>& validation,
           const TrainOptions& options, ThreadPool& pool, const TrainHooks& hooks)
      : theta_(theta),
        training_(training),
        validation_(validation),
        options_(options),
        hooks_(hooks),
        pool_(pool),
        batches_((training.x.rows() + options.batch_size - 1) / options.batch_size),
        batch_size_((training.x.rows() + batches_ - 1) / batches_),
        warmup_(std::min<Index>(200, std::max<Index>(1, options.epochs * batches_ / 20))),
        adam_(flow.params(), {.weight_decay = options.weight_decay}),
        gradient_(flow, batch_size_, pool),
        judge_(flow, pool),
        average_(options.average ? theta : Arena<S>()),
        best_(theta),
        slice_squares_(static_cast<std::size_t>(adam_.slices())),
        order_(static_cast<std::size_t>(training.x.rows())),
        logp_(validation.x.rows()) {
    std::iota(order_.begin(), order_.end(), 0U);
  }

  TrainResult run() {
    best_value_ = anchor_ = mean_log_prob(theta_);
    result_.validation = best_value_;
    result_.train = std::numeric_limits<double>::quiet_NaN();
    bool goes_on = true;
    for (Index epoch = 1; goes_on && epoch <= options_.epochs; ++epoch) goes_on = run_epoch(epoch);
    theta_ = best_;
    result_.seconds = watch_.seconds();
    return result_;
  }

 private:
  bool run_epoch(Index epoch) {
    shuffle(epoch);
    double sum = 0;
    Index rows = 0;
    const double began = watch_.seconds();
    for (Index batch = 0; batch < batches_ && !is_over(); ++batch) {
      const double value = run_step(batch);
      if (result_.rejected_steps > kMostRejections) return stop(StopReason::diverged);
      if (std::isfinite(value)) {
        sum += value;
        rows += batch_end(batch) - batch_end(batch - 1);
      }
    }
    const double took = watch_.seconds() - began;
    result_.epochs = epoch;
    if (epoch % options_.judge_every != 0 && epoch != options_.epochs && !is_over()) return true;
    EpochReport report{.epoch = epoch, .epochs = options_.epochs, .rate = rate_, .rejected_steps = result_.rejected_steps};
    report.train = rows > 0 ? sum / static_cast<double>(rows) : std::numeric_limits<double>::quiet_NaN();
    judge(epoch, report);
    report.seconds = watch_.seconds();
    report.rows_per_second = static_cast<double>(rows) / std::max(took, 1e-9);
    if (hooks_.on_epoch) hooks_.on_epoch(report);
    if (is_over()) return false;
    if (options_.patience > 0) {
      if (best_value_ > anchor_ + kWorthwhile) {
        anchor_ = best_value_;
        anchor_epoch_ = epoch;
      }
      if (epoch - anchor_epoch_ >= options_.patience) return stop(StopReason::patience);
    }
    return true;
  }

  bool stop(StopReason reason) {
    result_.stop = reason;
    return false;
  }

  /// Whether something from outside ends the training now; asked before every batch.
  bool is_over() {
    if (is_interrupted_) return true;
    if (hooks_.should_stop && hooks_.should_stop()) {
      is_interrupted_ = true;
      result_.stop = StopReason::interrupted;
    } else if (options_.seconds > 0 && watch_.seconds() >= options_.seconds) {
      is_interrupted_ = true;
      result_.stop = StopReason::time;
    }
    return is_interrupted_;
  }

  // Fisher–Yates from the order of the epoch before; the result is a function of the seed and the epoch.
  void shuffle(Index epoch) {
    const Rng rng(options_.seed, Stream::shuffle);
    Rng::RowGroupPlaces places;
    for (std::size_t end = order_.size(); end > 0;) {
      const std::size_t first = (end - 1) / Rng::kRowGroup * Rng::kRowGroup;
      rng.places_of_rows(first, static_cast<std::uint32_t>(epoch), places);
      for (std::size_t i = end; i-- > first;) std::swap(order_[i], order_[places[i - first]]);
      end = first;
    }
  }

  Index batch_end(Index batch) const { return (batch + 1) * training_.x.rows() / batches_; }

  /// Σ weight · log p of the batch before the step, NaN if the step was rejected.
  double run_step(Index batch) {
    const Index first = batch_end(batch - 1), rows = batch_end(batch) - first;
    const auto indices = std::span(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows));
    const double value = gradient_.run(theta_, training_, indices,
                                       {options_.seed, static_cast<std::uint64_t>(step_) * static_cast<std::uint64_t>(batch_size_)});
    pool_.run(adam_.slices(), [&](int slice) {
      slice_squares_[static_cast<std::size_t>(slice)] =
          gradient_.reduce(adam_.slice_begin(slice), adam_.slice_end(slice));
    });
    const double norm = std::sqrt(std::accumulate(slice_squares_.begin(), slice_squares_.end(), 0.));
    if (!std::isfinite(value) || !std::isfinite(norm)) {
      reject_step();
      return std::numeric_limits<double>::quiet_NaN();
    }
    const double scale = options_.clip > 0 && norm > options_.clip ? options_.clip / norm : 1;
    const double by_steps = static_cast<double>(step_) / static_cast<double>(options_.epochs * batches_);
    const double by_time = options_.seconds > 0 ? watch_.seconds() / options_.seconds : 0;
    rate_ = options_.learning_rate * backoff_ *
            schedule_factor(options_.schedule == "cosine", step_, warmup_, std::max(by_steps, by_time));
    ++step_;
    // A short memory at first, so that the average does not drag the start along (Tieleman's warm-up).
    const double age = static_cast<double>(step_);
    const S keep = static_cast<S>(std::min(kAverageDecay, (1 + age) / (10 + age)));
    adam_.begin_step();
    pool_.run(adam_.slices(), [&](int slice) {
      const Index begin = adam_.slice_begin(slice), end = adam_.slice_end(slice);
      adam_.update_slice(slice, theta_, gradient_.total(), scale, rate_);
      if (options_.average) {
        const S* theta = theta_.flat().data();
        S* average = average_.flat().data();
        for (Index i = begin; i < end; ++i) average[i] = keep * average[i] + (1 - keep) * theta[i];
      }
      gradient_.clear(begin, end);
    });
    return value;
  }

  void reject_step() {
    ++result_.rejected_steps;
    backoff_ *= 0.5;
    theta_ = best_;
    if (options_.average) average_ = best_;
    adam_.reset();
    gradient_.clear(0, std::ssize(theta_.flat()));
  }

  double mean_log_prob(const Arena<S>& theta) {
    judge_.log_prob(theta, validation_.x, validation_.context, logp_);
    double sum = 0, total = 0;
    for (Index i = 0; i < logp_.size(); ++i) {
      const double weight = validation_.weights.size() == 0 ? 1. : static_cast<double>(validation_.weights(i));
      if (weight > 0) sum += weight * static_cast<double>(logp_(i));
      total += weight;
    }
    return sum / total;
  }

  /// Compares the raw and the averaged weights with the best so far.
  void judge(Index epoch, EpochReport& report) {
    const double raw = mean_log_prob(theta_);
    const double averaged = options_.average ? mean_log_prob(average_) : raw;
    report.is_average = averaged > raw || !std::isfinite(raw);
    report.validation = report.is_average ? averaged : raw;
    if (std::isfinite(report.validation) && !(report.validation <= best_value_)) {
      best_value_ = report.validation;
      best_ = report.is_average ? average_ : theta_;
      report.is_best = true;
      result_.best_epoch = epoch;
      result_.averaged = report.is_average;
      result_.train = report.train;
      result_.validation = best_value_;
    }
    report.best = best_value_;
  }

  Arena<S>& theta_;
  const Rows<S>&training_, &validation_;
  const TrainOptions& options_;
  const TrainHooks& hooks_;
  ThreadPool& pool_;
  Index batches_, batch_size_;  // of an epoch; rows of the largest
  long warmup_;
  Adam<S> adam_;
  BatchGradient<S> gradient_;
  ShardedFlow<S> judge_;
  Arena<S> average_, best_;  // the average is empty if there is none
  std::vector<double> slice_squares_;
  std::vector<std::uint32_t> order_;
  Vector<S> logp_;
  Stopwatch watch_;
  TrainResult result_;
  double best_value_ = 0, anchor_ = 0, rate_ = 0, backoff_ = 1;
  Index anchor_epoch_ = 0;
  long step_ = 0;
  bool is_interrupted_ = false;
};

}  // namespace

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::patience: return "patience";
    case StopReason::epochs: return "epochs";
    case StopReason::time: return "time";
    case StopReason::interrupted: return "interrupted";
    case StopReason::diverged: return "diverged";
  }
  return "";
}

template <class S>
TrainResult train(const Flow<S>& flow, Arena<S>& theta, const Rows<S>& training, const Rows<S>& validation,
                  const TrainOptions& options, ThreadPool& pool, const TrainHooks& hooks) {
  return Training<S>(flow, theta, training, validation, options, pool, hooks).run();
}

template TrainResult train<float>(const Flow<float>&, Arena<float>&, const Rows<float>&, const Rows<float>&,
                                  const TrainOptions&, ThreadPool&, const TrainHooks&);
template TrainResult train<double>(const Flow<double>&, Arena<double>&, const Rows<double>&, const Rows<double>&,
                                   const TrainOptions&, ThreadPool&, const TrainHooks&);

}  // namespace biject
