#include "train/engine.hpp"

#include <cmath>
#include <limits>
#include <optional>

#include "core/error.hpp"
#include "flows/flow.hpp"
#include "train/sharded.hpp"

namespace biject {

namespace {

/// The flow of a model with its parameters, in one precision.
template <class S> struct Half {
  Flow<S> flow;
  Arena<S> theta;
  ShardedFlow<S> sharded;
  Matrix<S> x, context;
  Vector<S> logp;

  Half(const Model& model, ThreadPool& pool) : flow(model.spec), theta(model.theta.cast<S>()), sharded(flow, pool) {}

  void resize(Index rows) {
    if (x.rows() == rows) return;
    x.resize(rows, flow.spec().features);
    context.resize(rows, flow.spec().context);
    logp.resize(rows);
  }
};

}  // namespace

struct Engine::State {
  State(const Model& original, bool in_double, ThreadPool& thread_pool)
      : model(original), columns(model.columns), pool(thread_pool) {
    if (in_double || model.is_double) {
      in_float64.emplace(model, pool);
    } else {
      in_float32.emplace(model, pool);
    }
    for (const Column& column : columns) {
      if (!column.is_given) log_scales += std::log(column.scale);
    }
  }

  template <class S> void standardise(In<double> values, Half<S>& half) const {
    half.resize(values.rows());
    Index feature = 0, given = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const Column& column = columns[j];
      auto target = column.is_given ? half.context.col(given++) : half.x.col(feature++);
      const auto source = values.col(static_cast<Index>(j)).array();
      target = ((source - column.mean) / column.scale).template cast<S>().matrix();
    }
  }

  template <class S> void log_prob(Half<S>& half, In<double> values, std::span<double> log_prob) {
    standardise(values, half);
    half.sharded.log_prob(half.theta, half.x, half.context, half.logp);
    for (std::size_t i = 0; i < log_prob.size(); ++i) {
      log_prob[i] = static_cast<double>(half.logp(static_cast<Index>(i))) - log_scales;
    }
  }

  template <class S>
  void sample(Half<S>& half, std::uint64_t seed, std::uint64_t first_row, double temperature, Out<double> values) {
    half.resize(values.rows());
    Index given = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      if (!columns[j].is_given) continue;
      const auto source = values.col(static_cast<Index>(j)).array();
      half.context.col(given++) = ((source - columns[j].mean) / columns[j].scale).template cast<S>().matrix();
    }
    half.sharded.sample(half.theta, Rng(seed, Stream::sample), first_row, temperature, half.context, half.x);
    Index feature = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      if (columns[j].is_given) continue;
      const auto x = half.x.col(feature++).template cast<double>().array();
      values.col(static_cast<Index>(j)) = (x * columns[j].scale + columns[j].mean).matrix();
    }
  }

  const Model model;
  const std::vector<Column>& columns;
  ThreadPool& pool;
  std::optional<Half<float>> in_float32;
  std::optional<Half<double>> in_float64;
  double log_scales = 0;  // Σ log scale over the columns that are not given
};

Engine::Engine(const Model& model, bool in_double, ThreadPool& pool)
    : state_(std::make_unique<State>(model, in_double, pool)) {}

Engine::~Engine() = default;

void Engine::log_prob(In<double> values, std::span<double> log_prob) {
  BIJECT_EXPECT(values.cols() == std::ssize(state_->columns) && values.rows() == std::ssize(log_prob));
  if (state_->in_float64) {
    state_->log_prob(*state_->in_float64, values, log_prob);
  } else {
    state_->log_prob(*state_->in_float32, values, log_prob);
  }
  for (std::size_t i = 0; i < log_prob.size(); ++i) {
    if (std::isfinite(log_prob[i])) continue;
    // So far out that float32 overflows. Float64 decides, for this row alone, so that the answer does not depend on its neighbours.
    if (!state_->in_float64) {
      if (!far_) far_ = std::make_unique<Engine>(state_->model, true, state_->pool);
      far_->log_prob(values.row(static_cast<Index>(i)), log_prob.subspan(i, 1));
    } else {
      log_prob[i] = std::numeric_limits<double>::lowest();
    }
  }
}

void Engine::sample(std::uint64_t seed, std::uint64_t first_row, double temperature, Out<double> values) {
  BIJECT_EXPECT(values.cols() == std::ssize(state_->columns));
  if (state_->in_float64) {
    state_->sample(*state_->in_float64, seed, first_row, temperature, values);
  } else {
    state_->sample(*state_->in_float32, seed, first_row, temperature, values);
  }
}

}  // namespace biject
