#pragma once

#include "core/lanes.hpp"
#include "core/numerics.hpp"
#include "maps/spline_limits.hpp"

namespace biject {

/// How raw numbers become the widths or heights of the bins of a spline on [−B, B]. Internal to this folder.

/// ε: no width or height is below this part of 2B, no slope at a knot below this (where a slope has a floor of its own).
template <class S> constexpr S kSplineFloor = S(1e-3);

/// The softmax of the raw numbers of one side for a group of samples, not yet normalised.
template <class S, int K> struct SoftmaxSide {
  Lanes<S> e[K > 0 ? K : kMostSplineBins];  // exp(raw − max)
  Lanes<S> inverse_sum;

  void load(const S* raw, Index stride, int bins, int count) {
    Lanes<S> most, sum;
    for (int k = 0; k < bins; ++k) {
      e[k] = Lanes<S>::load(raw + k * stride, count);
      for (int i = 0; i < kLanes; ++i) most[i] = k == 0 || e[k][i] > most[i] ? e[k][i] : most[i];
    }
    for (int i = 0; i < kLanes; ++i) sum[i] = 0;
    for (int k = 0; k < bins; ++k) {
      for (int i = 0; i < kLanes; ++i) {
        e[k][i] = exp_fast(e[k][i] - most[i]);
        sum[i] += e[k][i];
      }
    }
    for (int i = 0; i < kLanes; ++i) inverse_sum[i] = 1 / sum[i];
  }
};

/// The extents of K bins are extent_floor + extent_share·p = 2B·(ε + (1 − Kε)·p) with p the softmax.
template <class S> S extent_floor(S bound) {
  return 2 * bound * kSplineFloor<S>;
}
template <class S> S extent_share(int bins, S bound) {
  return 2 * bound * (1 - static_cast<S>(bins) * kSplineFloor<S>);
}

}  // namespace biject
