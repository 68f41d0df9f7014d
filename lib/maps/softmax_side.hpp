#pragma once

#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"
#include "core/unroll.hpp"
#include "maps/spline_limits.hpp"

namespace biject {

/// How raw numbers become the widths or heights of the bins of a spline on [−B, B]. Internal to this folder.

/// ε: no width or height is below this part of 2B, no slope at a knot below this (where a slope has a floor of its own).
template <class S> constexpr S kSplineFloor = S(1e-3);

/// f(k) for all bins, with constants for arguments if their number K is one.
template <int K, class F> inline void for_each_bin(int bins, F f) {
  if constexpr (K > 0) {
    unroll<K>(f);
  } else {
    for (int k = 0; k < bins; ++k) f(k);
  }
}

/// The softmax of the raw numbers of one side for a group of samples, not yet normalised.
template <class S, int K> struct SoftmaxSide {
  Lanes<S> e[K > 0 ? K : kMostSplineBins];  // exp(raw − max)
  Lanes<S> inverse_sum;

  /// raw(k) gives the raw numbers of bin k.
  template <class F> void load(int bins, F&& raw) {
    Lanes<S> most = raw(0), sum{};
    for_each_bin<K>(bins, [&](auto k) {
      e[k] = raw(k);
      for_each_lane([&](int i) { most[i] = e[k][i] > most[i] ? e[k][i] : most[i]; });
    });
    for_each_bin<K>(bins, [&](auto k) {
      for_each_lane([&](int i) {
        e[k][i] = exp_not_high(e[k][i] - most[i]);
        sum[i] += e[k][i];
      });
    });
    for_each_lane([&](int i) { inverse_sum[i] = 1 / sum[i]; });
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
