#include "train/engine.hpp"

#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "flows/flow.hpp"
#include "train/sharded.hpp"

namespace biject {

namespace {

/// What one thread needs.
template <class S> struct Lane {
  FlowLane<S> flow;
  Matrix<S> x, context;
  Vector<S> logp;

  void resize(Index rows, const FlowSpec& spec) {
    if (x.rows() == rows) return;
    x.resize(rows, spec.features);
    context.resize(rows, spec.context);
    logp.resize(rows);
  }
};

/// The flow of a model with its parameters, in one precision.
template <class S> struct Half {
  Flow<S> flow;
  Arena<S> theta;
  std::vector<Lane<S>> lanes;

  Half(const Model& model, int count) : flow(model.spec), theta(model.theta.cast<S>()) {
    for (int i = 0; i < count; ++i) lanes.push_back({FlowLane<S>(flow), {}, {}, {}});
  }
  Half(const Half&) = delete;  // the lanes refer to the flow
  Half& operator=(const Half&) = delete;

  Lane<S>& lane(int number, Index rows) {
    Lane<S>& result = lanes[static_cast<std::size_t>(number)];
    result.resize(rows, flow.spec());
    return result;
  }
};

}  // namespace

struct Engine::State {
  State(const Model& original, bool in_double, int lanes) : model(original), columns(model.columns) {
    if (in_double || model.is_double) {
      in_float64.emplace(model, lanes);
    } else {
      in_float32.emplace(model, lanes);
    }
    for (const Column& column : columns) {
      if (!column.is_given) log_scales += std::log(column.scale);
    }
  }

  template <class S> void log_prob(Half<S>& half, int number, In<double> values, std::span<double> log_prob) {
    Lane<S>& lane = half.lane(number, values.rows());
    Index feature = 0, given = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const Column& column = columns[j];
      auto target = column.is_given ? lane.context.col(given++) : lane.x.col(feature++);
      const auto source = values.col(static_cast<Index>(j)).array();
      target = ((source - column.mean) / column.scale).template cast<S>().matrix();
    }
    lane.flow.log_prob(half.theta, lane.x, lane.context, lane.logp);
    for (std::size_t i = 0; i < log_prob.size(); ++i) {
      log_prob[i] = static_cast<double>(lane.logp(static_cast<Index>(i))) - log_scales;
    }
  }

  template <class S>
  void sample(Half<S>& half, int number, std::uint64_t seed, std::uint64_t first_row, double temperature, Out<double> values) {
    Lane<S>& lane = half.lane(number, values.rows());
    Index given = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      if (!columns[j].is_given) continue;
      const auto source = values.col(static_cast<Index>(j)).array();
      lane.context.col(given++) = ((source - columns[j].mean) / columns[j].scale).template cast<S>().matrix();
    }
    lane.flow.sample(half.theta, Rng(seed, Stream::sample), first_row, temperature, lane.context, lane.x);
    Index feature = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      if (columns[j].is_given) continue;
      const auto x = lane.x.col(feature++).template cast<double>().array();
      values.col(static_cast<Index>(j)) = (x * columns[j].scale + columns[j].mean).matrix();
    }
  }

  // Float64 decides about rows that overflow float32: one after the other, for there are few, whichever lane has met them.
  void log_prob_far(In<double> values, std::span<double> log_prob) {
    const std::scoped_lock lock(far_mutex);
    if (!far) far = std::make_unique<Engine>(model, true, 1);
    far->log_prob(0, values, log_prob);
  }

  const Model model;
  const std::vector<Column>& columns;
  std::optional<Half<float>> in_float32;
  std::optional<Half<double>> in_float64;
  double log_scales = 0;  // Σ log scale over the columns that are not given
  std::mutex far_mutex;
  std::unique_ptr<Engine> far;  // made when the first of those rows comes
};

Engine::Engine(const Model& model, bool in_double, int lanes) : state_(std::make_unique<State>(model, in_double, lanes)) {}

Engine::~Engine() = default;

void Engine::log_prob(int lane, In<double> values, std::span<double> log_prob) {
  BIJECT_EXPECT(values.cols() == std::ssize(state_->columns) && values.rows() == std::ssize(log_prob));
  if (state_->in_float64) {
    state_->log_prob(*state_->in_float64, lane, values, log_prob);
  } else {
    state_->log_prob(*state_->in_float32, lane, values, log_prob);
  }
  for (std::size_t i = 0; i < log_prob.size(); ++i) {
    if (std::isfinite(log_prob[i])) continue;
    // This row alone, so that the answer does not depend on its neighbours.
    if (!state_->in_float64) {
      state_->log_prob_far(values.row(static_cast<Index>(i)), log_prob.subspan(i, 1));
    } else {
      log_prob[i] = std::numeric_limits<double>::lowest();
    }
  }
}

void Engine::sample(int lane, std::uint64_t seed, std::uint64_t first_row, double temperature, Out<double> values) {
  BIJECT_EXPECT(values.cols() == std::ssize(state_->columns));
  if (state_->in_float64) {
    state_->sample(*state_->in_float64, lane, seed, first_row, temperature, values);
  } else {
    state_->sample(*state_->in_float32, lane, seed, first_row, temperature, values);
  }
}

}  // namespace biject
