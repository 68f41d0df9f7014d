#pragma once

#include <limits>

#include "core/for_each_lane.hpp"

namespace biject {

/// Solving f(x) = z for an increasing f by Newton's method inside a bracket: a step that leaves the bracket, or that fails to halve the
/// one before, becomes a bisection (Press et al., Numerical recipes, section 9.4). Straight-line code over many
/// samples at once; a sample that has arrived stays where it is, so it does not matter how long its neighbours take.

/// More than halving a bracket of any two doubles down to neighbours can need, doubled for the Newton steps in between.
inline constexpr int kMostRootSteps = 200;

/// The unknowns on their way: low ≤ x ≤ high, f(low) ≤ z ≤ f(high).
template <class S> struct RootSearch {
  Lanes<S> x, low, high;
  Lanes<S> step;     // the last one
  Lanes<S> is_done;  // 1 once x has arrived, a number so that loops over samples stay vector code

  RootSearch(const Lanes<S>& from, const Lanes<S>& to) : low(from), high(to) {
    for_each_lane([&](int i) {
      step[i] = to[i] - from[i];
      x[i] = from[i] + step[i] / 2;
      is_done[i] = 0;
    });
  }

  /// Moves x, given f and its derivative there. Whether all have arrived.
  bool advance(const Lanes<S>& z, const Lanes<S>& value, const Lanes<S>& slope) {
    for_each_lane([&](int i) {
      const S at = x[i], excess = value[i] - z[i];
      low[i] = excess <= 0 ? at : low[i];
      high[i] = excess >= 0 ? at : high[i];
      const S newton = -excess / slope[i], target = at + newton;
      const S magnitude = newton < 0 ? -newton : newton, before = step[i] < 0 ? -step[i] : step[i];
      const bool is_good = (target >= low[i]) & (target <= high[i]) & (2 * magnitude <= before);  // false for NaN
      const S next = is_good ? target : low[i] + (high[i] - low[i]) / 2;
      const S moved = next - at;
      const S size = at < 0 ? -at : at, length = moved < 0 ? -moved : moved;
      constexpr S kArrived = 2 * std::numeric_limits<S>::epsilon();
      const S met = excess == 0 ? S(1) : S(0), stays = is_done[i] != 0 ? S(1) : met;
      x[i] = stays != 0 ? at : next;
      step[i] = moved;
      is_done[i] = length <= kArrived * size ? S(1) : stays;
    });
    int under_way = 0;  // whole numbers, whose sum the compiler may reorder
    for_each_lane([&](int i) { under_way += is_done[i] == 0 ? 1 : 0; });
    return under_way == 0;
  }
};

/// f(x, value, slope), all Lanes<S>, is increasing, and f(low) ≤ z ≤ f(high). The x with f(x) = z to the accuracy in which f is computed.
template <class S, class F> Lanes<S> monotone_root(const Lanes<S>& z, const Lanes<S>& low, const Lanes<S>& high, F&& f) {
  RootSearch<S> search(low, high);
  Lanes<S> value, slope;
  for (int steps = 0; steps < kMostRootSteps; ++steps) {
    f(search.x, value, slope);
    if (search.advance(z, value, slope)) break;
  }
  return search.x;
}

/// Widens [low, high], four times in each step, until it brackets the solution. For an f that is onto the real line.
template <class S, class F> void widen_bracket(const Lanes<S>& z, Lanes<S>& low, Lanes<S>& high, F&& f) {
  constexpr int kMostWidenings = std::numeric_limits<S>::max_exponent / 2;
  Lanes<S> below, above, slope;
  for (int steps = 0; steps < kMostWidenings; ++steps) {
    f(low, below, slope);
    f(high, above, slope);
    int outside = 0;
    for_each_lane([&](int i) {
      const S reach = high[i] - low[i];
      const bool is_low = below[i] > z[i], is_high = above[i] < z[i];
      low[i] = is_low ? low[i] - 3 * reach : low[i];
      high[i] = is_high ? high[i] + 3 * reach : high[i];
      outside += (is_low || is_high) ? 1 : 0;
    });
    if (outside == 0) return;
  }
}

}  // namespace biject
