#pragma once

#include <vector>

#include "flows/flow.hpp"
#include "train/thread_pool.hpp"

namespace biject {

/// Scores and samples any number of rows on one thread, in shards of kShardRows rows, the last one padded to whole groups of kLanes: so
/// a row's result depends on the row alone.
template <class S> class FlowLane {
 public:
  explicit FlowLane(const Flow<S>& flow);

  /// x n × D, context n × C, both either Matrix<S> or RowMatrix<S>; overwrites logp (n × 1).
  template <class X> void log_prob(const Arena<S>& theta, const X& x, const X& context, VectorOut<S> logp);
  /// Row i of x (n × D) is draw number first_row + i; context n × C.
  void sample(const Arena<S>& theta, const Rng& rng, std::uint64_t first_row, double temperature, In<S> context, Out<S> x);

 private:
  template <class F> void for_each_shard(Index n, F&& body);  // body(first, rows, padded rows), after scratch has these

  const Flow<S>& flow_;
  Workspace<S> scratch_;
  Matrix<S> x_, context_;  // kShardRows × D, × C
  Vector<S> logp_;         // kShardRows
};

/// The same on all threads of a pool, with the same results.
template <class S> class ShardedFlow {
 public:
  ShardedFlow(const Flow<S>& flow, ThreadPool& pool);

  void log_prob(const Arena<S>& theta, RowsIn<S> x, RowsIn<S> context, VectorOut<S> logp);
  void sample(const Arena<S>& theta, const Rng& rng, std::uint64_t first_row, double temperature, In<S> context, Out<S> x);

 private:
  template <class F> void for_each_shard(Index n, F&& body);  // body(lane, first, rows), in any order

  ThreadPool& pool_;
  std::vector<FlowLane<S>> lanes_;
};

}  // namespace biject
