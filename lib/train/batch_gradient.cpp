#include "train/batch_gradient.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/for_each_lane.hpp"

namespace biject {

namespace {

// An even number of shards, so that two threads finish together; small enough that a shard's activations stay in the cache.
Index shard_count(Index batch) { return batch < 32 ? 1 : 2 * ((batch + 2 * kMostShardRows - 1) / (2 * kMostShardRows)); }

// Whole groups of lanes, so that sums over the rows of a shard do not depend on whether it begins where its matrix does.
Index shard_rows(Index batch) {
  return whole_lane_groups((batch + shard_count(batch) - 1) / shard_count(batch));
}

// Lanes are what can run side by side. Each costs a gradient, which the reduction has to read: past the size of a cache that is
// dearer than what a third thread would gain.
Index lane_count(Index batch, Index parameters) {
  return std::min(shard_count(batch), parameters > 400'000 ? Index{2} : kMostLanes);
}

/// The rows `indices` of a table, to the first rows of a batch.
template <class S> void gather(const RowMatrix<S>& table, std::span<const std::uint32_t> indices, Matrix<S>& batch) {
  for_each_lane_group(std::ssize(indices), [&](Index first, int count) {
    std::array<const S*, kLanes> from;
    for (int i = 0; i < count; ++i) from[i] = table.data() + indices[static_cast<std::size_t>(first + i)] * table.cols();
    for (Index c = 0; c < table.cols(); ++c) {
      Lanes<S> column;
      for (int i = 0; i < count; ++i) column[i] = from[i][c];
      column.store(batch.col(c).data() + first, count);
    }
  });
}

}  // namespace

template <class S>
BatchGradient<S>::BatchGradient(const Flow<S>& flow, Index batch_size, ThreadPool& pool)
    : flow_(flow), pool_(pool), shard_rows_(shard_rows(batch_size)) {
  Index lanes = lane_count(batch_size, flow.params().size());
  if (pool.threads() == 1 && lanes == shard_count(batch_size) && flow.sums_by_block()) {
    shards_per_pass_ = std::min(lanes, kMostShardRows / shard_rows_);
    lanes = 1;
  }
  const Index rows = shards_per_pass_ * shard_rows_;
  const Index features = flow.spec().features, context = flow.spec().context;
  lanes_.reserve(static_cast<std::size_t>(lanes));
  for (Index i = 0; i < lanes; ++i) {
    lanes_.push_back({Workspace<S>(flow.scratch(), rows), Arena<S>(flow.params()), Matrix<S>::Zero(rows, features),
                      Matrix<S>::Zero(rows, features), Matrix<S>::Zero(rows, context), Matrix<S>::Zero(rows, context),
                      Vector<S>::Zero(rows), Vector<S>::Zero(rows)});
  }
}

template <class S>
double BatchGradient<S>::run(const Arena<S>& theta, const Rows<S>& rows, std::span<const std::uint32_t> batch, const Noise& noise) {
  const Index size = std::ssize(batch), pass = shards_per_pass_ * shard_rows_;
  pool_.run(static_cast<int>(lanes_.size()), [&](int number) {
    Lane& lane = lanes_[static_cast<std::size_t>(number)];
    lane.sum = 0;
    for (Index first = number * pass; first < size; first += std::ssize(lanes_) * pass) {
      const Index n = std::min(pass, size - first);
      const auto indices = batch.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n));
      gather(rows.x, indices, lane.x);
      gather(rows.context, indices, lane.context);
      for (Index i = 0; i < n; ++i) {
        const S weight = rows.weights.size() == 0 ? S(1) : rows.weights(indices[static_cast<std::size_t>(i)]);
        lane.weight(i) = -weight / static_cast<S>(size);
      }
      lane.scratch.set_rows(n);
      const Noise of_pass{noise.seed, noise.first_row + static_cast<std::uint64_t>(first)};
      const Frame<S> f{theta, lane.context.topRows(n), lane.scratch, &of_pass};
      const Gradient<S> grad{lane.grad, lane.dcontext.topRows(n), shard_rows_};
      flow_.ascend(f, lane.x.topRows(n), lane.weight.head(n), lane.logp.head(n), lane.dx.topRows(n), grad);
      for_each_block(grad, n, [&](Index begin, Index count) {
        double sum = 0;
        for (Index i = begin; i < begin + count; ++i) sum -= static_cast<double>(lane.weight(i)) * static_cast<double>(lane.logp(i));
        lane.sum += sum;
      });
    }
  });
  double sum = 0;
  for (const Lane& lane : lanes_) sum += lane.sum;
  return sum * static_cast<double>(size);
}

template <class S> double BatchGradient<S>::reduce(Index begin, Index end) {
  // In groups of lanes, past `end` too: there the layout has a gap, which holds zeros. The compiler may not reorder a floating-point
  // sum by itself, hence a partial sum for each lane.
  S* total = lanes_.front().grad.flat().data();
  Lanes<double> squares{};
  for (Index i = begin; i < end; i += kLanes) {
    Lanes<S> sum = Lanes<S>::load(total + i, kLanes);
    for (std::size_t lane = 1; lane < lanes_.size(); ++lane) {
      S* part = lanes_[lane].grad.flat().data() + i;
      for_each_lane([&](int l) { sum[l] += part[l]; });
      for_each_lane([&](int l) { part[l] = 0; });
    }
    if (lanes_.size() > 1) sum.store(total + i, kLanes);
    for_each_lane([&](int l) { squares[l] += static_cast<double>(sum[l]) * static_cast<double>(sum[l]); });
  }
  return std::accumulate(squares.value, squares.value + kLanes, 0.);
}

template <class S> void BatchGradient<S>::clear(Index begin, Index end) {
  std::ranges::fill(total().flat().subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)), S(0));
}

template class BatchGradient<float>;
template class BatchGradient<double>;

}  // namespace biject
