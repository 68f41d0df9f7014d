#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "flows/flow.hpp"
#include "train/thread_pool.hpp"
#include "train/trainer.hpp"

namespace biject {

/// Bounds of what a BatchGradient holds: lanes, with a gradient and scratch each, and the rows of that scratch.
inline constexpr Index kMostLanes = 8, kMostShardRows = kMostBlockRows;

/// The gradient of minus the mean of what training maximises (the log density, see Flow::ascend) over a batch, on all threads.
///
/// A batch is cut in shards, shard k belongs to lane k mod (number of lanes), a lane does its shards in order into its own
/// gradient, and the gradients of the lanes are summed in order. Shards and lanes depend on the batch and the network alone,
/// so the result is the same byte for byte with any number of threads. Nothing is allocated after construction.
///
/// A single thread needs no lanes where they have one shard each and the flow sums by blocks: it puts the shards, as blocks, into one
/// gradient, several in one pass if they are small, which comes to the same bytes.
template <class S> class BatchGradient {
 public:
  /// batch_size: rows of the largest batch.
  BatchGradient(const Flow<S>& flow, Index batch_size, ThreadPool& pool);

  /// Adds up, over the rows `batch` of `rows`, weight · value; the gradient of minus its mean stands in the lanes' arenas.
  /// Row i of the batch draws the noise of row noise.first_row + i.
  double run(const Arena<S>& theta, const Rows<S>& rows, std::span<const std::uint32_t> batch, const Noise& noise);
  /// Sums the lanes over [begin, end) into the first, makes the others zero again, and returns the square of the norm of that part.
  double reduce(Index begin, Index end);
  /// The gradient after reduce.
  Arena<S>& total() { return lanes_.front().grad; }
  /// Makes it zero again over [begin, end), after reduce.
  void clear(Index begin, Index end);

 private:
  struct Lane {
    Workspace<S> scratch;
    Arena<S> grad;
    Matrix<S> x, dx, context, dcontext;  // shard rows × D, × D, × C, × C
    Vector<S> weight, logp;              // shard rows
    double sum = 0;
  };
  const Flow<S>& flow_;
  ThreadPool& pool_;
  Index shard_rows_, shards_per_pass_ = 1;
  std::vector<Lane> lanes_;
};

}  // namespace biject
