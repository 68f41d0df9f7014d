#include "train/sharded.hpp"

#include <atomic>

#include "core/lanes.hpp"

namespace biject {

template <class S>
FlowLane<S>::FlowLane(const Flow<S>& flow)
    : flow_(flow),
      scratch_(flow.scratch(), kShardRows, Workspace<S>::Use::values),
      x_(Matrix<S>::Zero(kShardRows, flow.spec().features)),
      context_(Matrix<S>::Zero(kShardRows, flow.spec().context)),
      logp_(Vector<S>::Zero(kShardRows)) {}

template <class S> template <class F> void FlowLane<S>::for_each_shard(Index n, F&& body) {
  for (Index first = 0; first < n; first += kShardRows) {
    const Index rows = std::min(kShardRows, n - first);
    scratch_.set_rows(whole_lane_groups(rows));
    body(first, rows, scratch_.rows());
  }
}

template <class S>
template <class X>
void FlowLane<S>::log_prob(const Arena<S>& theta, const X& x, const X& context, VectorOut<S> logp) {
  for_each_shard(x.rows(), [&](Index first, Index rows, Index padded) {
    x_.topRows(rows) = x.middleRows(first, rows);
    context_.topRows(rows) = context.middleRows(first, rows);
    const Frame<S> f{theta, context_.topRows(padded), scratch_};
    flow_.log_prob(f, x_.topRows(padded), logp_.head(padded));
    logp.segment(first, rows) = logp_.head(rows);
  });
}

template <class S>
void FlowLane<S>::sample(const Arena<S>& theta, const Rng& rng, std::uint64_t first_row, double temperature, In<S> context,
                         Out<S> x) {
  for_each_shard(x.rows(), [&](Index first, Index rows, Index padded) {
    context_.topRows(rows) = context.middleRows(first, rows);
    const Frame<S> f{theta, context_.topRows(padded), scratch_};
    flow_.sample(f, rng, first_row + static_cast<std::uint64_t>(first), temperature, x_.topRows(padded));
    x.middleRows(first, rows) = x_.topRows(rows);
  });
}

template <class S> ShardedFlow<S>::ShardedFlow(const Flow<S>& flow, ThreadPool& pool) : pool_(pool) {
  lanes_.reserve(static_cast<std::size_t>(pool.threads()));
  for (int i = 0; i < pool.threads(); ++i) lanes_.emplace_back(flow);
}

template <class S> template <class F> void ShardedFlow<S>::for_each_shard(Index n, F&& body) {
  std::atomic<Index> next = 0;
  const auto lanes = static_cast<int>(std::min<Index>(std::ssize(lanes_), (n + kShardRows - 1) / kShardRows));
  pool_.run(lanes, [&](int lane) {
    for (Index first = next.fetch_add(kShardRows); first < n; first = next.fetch_add(kShardRows)) {
      body(lanes_[static_cast<std::size_t>(lane)], first, std::min(kShardRows, n - first));
    }
  });
}

template <class S>
void ShardedFlow<S>::log_prob(const Arena<S>& theta, RowsIn<S> x, RowsIn<S> context, VectorOut<S> logp) {
  for_each_shard(x.rows(), [&](FlowLane<S>& lane, Index first, Index rows) {
    lane.template log_prob<RowsIn<S>>(theta, x.middleRows(first, rows), context.middleRows(first, rows), logp.segment(first, rows));
  });
}

template <class S>
void ShardedFlow<S>::sample(const Arena<S>& theta, const Rng& rng, std::uint64_t first_row, double temperature,
                            In<S> context, Out<S> x) {
  for_each_shard(x.rows(), [&](FlowLane<S>& lane, Index first, Index rows) {
    lane.sample(theta, rng, first_row + static_cast<std::uint64_t>(first), temperature, context.middleRows(first, rows),
                x.middleRows(first, rows));
  });
}

template class FlowLane<float>;
template class FlowLane<double>;
template void FlowLane<float>::log_prob<Matrix<float>>(const Arena<float>&, const Matrix<float>&, const Matrix<float>&, VectorOut<float>);
template void FlowLane<double>::log_prob<Matrix<double>>(const Arena<double>&, const Matrix<double>&, const Matrix<double>&, VectorOut<double>);
template class ShardedFlow<float>;
template class ShardedFlow<double>;

}  // namespace biject
