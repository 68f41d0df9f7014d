#pragma once

#include <limits>

#include "core/for_each_lane.hpp"

namespace biject {

/// Solving f(x) = z for an increasing f by Newton's method inside a bracket: a step that leaves the bracket, or that fails to halve the
/// one before, becomes a bisection (Press et al., Numerical recipes, section 9.4). Straight-line code over many
/// samples at once; a sample that has arrived stays where it is, so it does not matter how long its neighbours take.

/// More than halving a bracket of any two doubles down to neighbours can need, doubled for the Newton steps in between.
inline constexpr int kMostRootSteps = 200;

/// One unknown on its way: low ≤ x ≤ high, f(low) ≤ z ≤ f(high).
template <class S> struct RootSearch {
  S x, low, high;
  S step;        // the last one
  S is_done = 0; // 1 once x has arrived, a number so that loops over samples stay vector code

  RootSearch() = default;
  RootSearch(S from, S to) : x(from + (to - from) / 2), low(from), high(to), step(to - from) {}

  /// Moves x, given f and its derivative there.
  void advance(S z, S value, S slope) {
    const S excess = value - z;
    low = excess <= 0 ? x : low;
    high = excess >= 0 ? x : high;
    const S newton = -excess / slope, half = (high - low) / 2;
    const S target = x + newton;
    const S magnitude = newton < 0 ? -newton : newton, before = step < 0 ? -step : step;
    const bool is_good = target >= low && target <= high && 2 * magnitude <= before;  // false for NaN
    const S next = is_good ? target : low + half;
    const S moved = next - x;
    const S size = x < 0 ? -x : x, length = moved < 0 ? -moved : moved;
    constexpr S kArrived = 2 * std::numeric_limits<S>::epsilon();
    const S arrived = length <= kArrived * size || excess == 0 ? S(1) : S(0);
    x = is_done != 0 || excess == 0 ? x : next;
    step = moved;
    is_done = is_done != 0 ? S(1) : arrived;
  }
};

/// f(x, value, slope), all Lanes<S>, is increasing, and f(low) ≤ z ≤ f(high). The x with f(x) = z to the accuracy in which f is computed.
template <class S, class F> Lanes<S> monotone_root(const Lanes<S>& z, const Lanes<S>& low, const Lanes<S>& high, F&& f) {
  RootSearch<S> search[kLanes];
  Lanes<S> x, value, slope;
  for_each_lane([&](int i) { search[i] = RootSearch<S>(low[i], high[i]); });
  for (int steps = 0; steps < kMostRootSteps; ++steps) {
    for_each_lane([&](int i) { x[i] = search[i].x; });
    f(x, value, slope);
    S arrived = 0;
    for_each_lane([&](int i) {
      search[i].advance(z[i], value[i], slope[i]);
      arrived += search[i].is_done;
    });
    if (arrived == kLanes) break;
  }
  for_each_lane([&](int i) { x[i] = search[i].x; });
  return x;
}

/// Widens [low, high], four times in each step, until it brackets the solution. For an f that is onto the real line.
template <class S, class F> void widen_bracket(const Lanes<S>& z, Lanes<S>& low, Lanes<S>& high, F&& f) {
  constexpr int kMostWidenings = std::numeric_limits<S>::max_exponent / 2;
  Lanes<S> below, above, slope;
  for (int steps = 0; steps < kMostWidenings; ++steps) {
    f(low, below, slope);
    f(high, above, slope);
    S outside = 0;
    for_each_lane([&](int i) {
      const S reach = high[i] - low[i];
      const bool is_low = below[i] > z[i], is_high = above[i] < z[i];
      low[i] = is_low ? low[i] - 3 * reach : low[i];
      high[i] = is_high ? high[i] + 3 * reach : high[i];
      outside += is_low || is_high ? S(1) : S(0);
    });
    if (outside == 0) return;
  }
}

}  // namespace biject
