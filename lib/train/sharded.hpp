#pragma once

#include <vector>

#include "flows/flow.hpp"
#include "train/thread_pool.hpp"

namespace biject {

/// Scores and samples any number of rows on all threads, in shards that always have kShardRows rows (the last one padded), so that
/// a row's result depends on the row alone.
template <class S> class ShardedFlow {
 public:
  ShardedFlow(const Flow<S>& flow, ThreadPool& pool);

  /// x n × D, context n × C; overwrites logp (n × 1).
  void log_prob(const Arena<S>& theta, In<S> x, In<S> context, VectorOut<S> logp);
  /// Row i of x (n × D) is draw number first_row + i; context n × C.
  void sample(const Arena<S>& theta, const Rng& rng, std::uint64_t first_row, double temperature, In<S> context, Out<S> x);

 private:
  struct Lane {  // what one thread needs
    Workspace<S> scratch;
    Matrix<S> x, context;  // kShardRows × D, × C
    Vector<S> logp;        // kShardRows
  };
  template <class F> void for_each_shard(Index n, F&& body);  // body(lane, first, rows), in any order

  const Flow<S>& flow_;
  ThreadPool& pool_;
  std::vector<Lane> lanes_;
};

}  // namespace biject
