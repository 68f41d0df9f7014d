#pragma once

#include "core/for_each_lane.hpp"
#include "core/monotone_root.hpp"
#include "core/numerics.hpp"
#include "core/types.hpp"
#include "maps/clamp.hpp"

namespace biject {

/// What the maps share that have a formula on [−B, B] and go on outside as straight lines with the slopes at its ends.
///
/// A core is the formula for one lane group, φ included. With x̄ = x clamped to [−B, B], v(x̄) its value and s(x̄) = dv/dx̄ > 0,
///   z = v(x̄) + s(x̄)·(x − x̄),   logdet = log s(x̄),
/// so with a = ∂L/∂z and b = ∂L/∂logdet the gradients that reach the core are
///   ∂L/∂v = a,   ∂L/∂s = a·(x − x̄) + b/s,   and   ∂L/∂x = a·s, plus b·s′/s inside.
/// A core has, for forward and inverse,
///   void evaluate(const Lanes<S>& at, Lanes<S>& value, Lanes<S>& slope) const;
/// and for backward
///   void slopes(const Lanes<S>& at, Lanes<S>& slope, Lanes<S>& curvature) const;   // s and s′
///   void backward(const Lanes<S>& at, const Lanes<S>& dvalue, const Lanes<S>& dslope, S* dphi, Index stride) const;
/// and make_core(first, count) makes it: one core, or one for each of the two.

template <class S, class F>
void forward_with_tails(S bound, const VectorIn<S>& x, VectorOut<S>& z, VectorOut<S>& logdet, F&& make_core) {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const auto core = make_core(first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    Lanes<S> at, value, slope;
    for_each_lane([&](int i) { at[i] = clamp(from[i], -bound, bound); });
    core.evaluate(at, value, slope);
    for_each_lane([&](int i) {
      value[i] += slope[i] * (from[i] - at[i]);
      slope[i] = log_fast(slope[i]);
    });
    value.store(z.data() + first, count);
    slope.add_to(logdet.data() + first, count);
  });
}

template <class S, class F>
void inverse_with_tails(S bound, const VectorIn<S>& z, VectorOut<S>& x, VectorOut<S>& logdet, F&& make_core) {
  for_each_lane_group(z.size(), [&](Index first, int count) {
    const auto core = make_core(first, count);
    const auto from = Lanes<S>::load(z.data() + first, count);
    Lanes<S> low, high, lowest, highest, slope_low, slope_high, inside, at, value, slope;
    for_each_lane([&](int i) { low[i] = -bound, high[i] = bound; });
    core.evaluate(low, lowest, slope_low);
    core.evaluate(high, highest, slope_high);
    for_each_lane([&](int i) {
      inside[i] = clamp(from[i], lowest[i], highest[i]);
      low[i] = 1, high[i] = 3;
    });
    // The unknown is 2 + x/B: the search ends at its last digits, which those of an x near 0 would be beyond what rounding allows.
    const Lanes<S> root = monotone_root(inside, low, high, [&](const Lanes<S>& unknown, Lanes<S>& f, Lanes<S>& df) {
      for_each_lane([&](int i) { at[i] = bound * (unknown[i] - 2); });
      core.evaluate(at, f, df);
      for_each_lane([&](int i) { df[i] *= bound; });
    });
    for_each_lane([&](int i) {
      at[i] = bound * (root[i] - 2);
      at[i] = from[i] < lowest[i] ? -bound : (from[i] > highest[i] ? bound : at[i]);
    });
    core.evaluate(at, value, slope);
    for_each_lane([&](int i) {
      at[i] += (from[i] - value[i]) / slope[i];  // outside the straight line, inside a last step that gives x its digits
      slope[i] = -log_fast(slope[i]);
    });
    at.store(x.data() + first, count);
    slope.add_to(logdet.data() + first, count);
  });
}

template <class S, class F>
void backward_with_tails(S bound, const VectorIn<S>& x, const VectorIn<S>& dz, const VectorIn<S>& dlogdet, VectorOut<S>& dx,
                         Out<S>& dphi, F&& make_core) {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const auto core = make_core(first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    const auto a = Lanes<S>::load(dz.data() + first, count), b = Lanes<S>::load(dlogdet.data() + first, count);
    Lanes<S> at, slope, curvature, dslope, dfrom;
    for_each_lane([&](int i) { at[i] = clamp(from[i], -bound, bound); });
    core.slopes(at, slope, curvature);
    for_each_lane([&](int i) {
      const bool is_inside = from[i] >= -bound && from[i] <= bound;
      const S of_log = b[i] / slope[i];
      dslope[i] = a[i] * (from[i] - at[i]) + of_log;
      dfrom[i] = a[i] * slope[i] + (is_inside ? of_log * curvature[i] : S(0));
    });
    dfrom.store(dx.data() + first, count);
    core.backward(at, a, dslope, dphi.data() + first, dphi.outerStride());
  });
}

}  // namespace biject
