#include "train/sharded.hpp"

#include <atomic>

namespace biject {

template <class S> ShardedFlow<S>::ShardedFlow(const Flow<S>& flow, ThreadPool& pool) : flow_(flow), pool_(pool) {
  const Index features = flow.spec().features, context = flow.spec().context;
  lanes_.reserve(static_cast<std::size_t>(pool.threads()));
  for (int i = 0; i < pool.threads(); ++i) {
    lanes_.push_back({Workspace<S>(flow.scratch(), kShardRows), Matrix<S>::Zero(kShardRows, features),
                      Matrix<S>::Zero(kShardRows, context), Vector<S>::Zero(kShardRows)});
  }
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
void ShardedFlow<S>::log_prob(const Arena<S>& theta, In<S> x, In<S> context, VectorOut<S> logp) {
  for_each_shard(x.rows(), [&](Lane& lane, Index first, Index rows) {
    lane.x.topRows(rows) = x.middleRows(first, rows);
    lane.context.topRows(rows) = context.middleRows(first, rows);
    const Frame<S> f{theta, lane.context, lane.scratch};
    flow_.log_prob(f, lane.x, lane.logp);
    logp.segment(first, rows) = lane.logp.head(rows);
  });
}

template <class S>
void ShardedFlow<S>::sample(const Arena<S>& theta, const Rng& rng, std::uint64_t first_row, double temperature,
                            In<S> context, Out<S> x) {
  for_each_shard(x.rows(), [&](Lane& lane, Index first, Index rows) {
    lane.context.topRows(rows) = context.middleRows(first, rows);
    const Frame<S> f{theta, lane.context, lane.scratch};
    flow_.sample(f, rng, first_row + static_cast<std::uint64_t>(first), temperature, lane.x);
    x.middleRows(first, rows) = lane.x.topRows(rows);
  });
}

template class ShardedFlow<float>;
template class ShardedFlow<double>;

}  // namespace biject
