#pragma once

#include <algorithm>
#include <limits>

#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"

namespace biject {

/// Small dense matrices, one D × D matrix per lane: entry (i, j) of all kLanes matrices stands at a[(i·D + j)·kLanes]. Vectors: entry i
/// at b[i·kLanes].
///
/// No pivoting: for matrices whose symmetric part is positive definite (I + G with ‖G‖ < 1, say), where every pivot is positive
/// (Golub, Van Loan, Matrix computations, section 4.1.4). log|det| is then the sum of the logarithms of the pivots.

namespace lane_matrix {

/// row ← row − factor·other, over `count` entries.
template <class S> inline void eliminate(S* row, const Lanes<S>& factor, const S* other, Index count) {
  for (Index j = 0; j < count * kLanes; j += kLanes) {
    auto to = Lanes<S>::load(row + j, kLanes);
    const auto from = Lanes<S>::load(other + j, kLanes);
    for_each_lane([&](int i) { to[i] -= factor[i] * from[i]; });
    to.store(row + j, kLanes);
  }
}

/// row ← factor·row, over `count` entries.
template <class S> inline void scale(S* row, const Lanes<S>& factor, Index count) {
  for (Index j = 0; j < count * kLanes; j += kLanes) {
    auto to = Lanes<S>::load(row + j, kLanes);
    for_each_lane([&](int i) { to[i] *= factor[i]; });
    to.store(row + j, kLanes);
  }
}

/// 1 / pivot; adds log pivot to logdet, NaN if the pivot is not positive.
template <class S> inline Lanes<S> reciprocal(const S* at, Lanes<S>& logdet) {
  const auto pivot = Lanes<S>::load(at, kLanes);
  Lanes<S> result;
  for_each_lane([&](int i) {
    result[i] = 1 / pivot[i];
    logdet[i] += pivot[i] > 0 ? log_fast(pivot[i]) : std::numeric_limits<S>::quiet_NaN();
  });
  return result;
}

}  // namespace lane_matrix

/// a ← its factors L·U, L with ones on the diagonal. Adds log det a to logdet.
template <class S> void factorise(S* a, Index size, Lanes<S>& logdet) {
  const auto entry = [&](Index i, Index j) { return a + (i * size + j) * kLanes; };
  for (Index k = 0; k < size; ++k) {
    const auto inverse = lane_matrix::reciprocal(entry(k, k), logdet);
    for (Index row = k + 1; row < size; ++row) {
      lane_matrix::scale(entry(row, k), inverse, 1);
      lane_matrix::eliminate(entry(row, k + 1), Lanes<S>::load(entry(row, k), kLanes), entry(k, k + 1), size - k - 1);
    }
  }
}

/// b ← a⁻¹·b, given what factorise made of a.
template <class S> void solve(const S* a, Index size, S* b) {
  const auto entry = [&](Index i, Index j) { return Lanes<S>::load(a + (i * size + j) * kLanes, kLanes); };
  for (Index k = 0; k < size; ++k) {
    for (Index row = k + 1; row < size; ++row) lane_matrix::eliminate(b + row * kLanes, entry(row, k), b + k * kLanes, 1);
  }
  for (Index k = size; k-- > 0;) {
    auto pivot = entry(k, k);
    for_each_lane([&](int i) { pivot[i] = 1 / pivot[i]; });
    lane_matrix::scale(b + k * kLanes, pivot, 1);
    for (Index row = 0; row < k; ++row) lane_matrix::eliminate(b + row * kLanes, entry(row, k), b + k * kLanes, 1);
  }
}

/// a ← a⁻¹, by Gauss and Jordan. Adds log det a to logdet.
template <class S> void invert(S* a, Index size, Lanes<S>& logdet) {
  const auto entry = [&](Index i, Index j) { return a + (i * size + j) * kLanes; };
  for (Index k = 0; k < size; ++k) {
    const auto inverse = lane_matrix::reciprocal(entry(k, k), logdet);
    std::fill_n(entry(k, k), kLanes, S(1));
    lane_matrix::scale(entry(k, 0), inverse, size);
    for (Index row = 0; row < size; ++row) {
      if (row == k) continue;
      const auto factor = Lanes<S>::load(entry(row, k), kLanes);
      std::fill_n(entry(row, k), kLanes, S(0));
      lane_matrix::eliminate(entry(row, 0), factor, entry(k, 0), size);
    }
  }
}

}  // namespace biject
