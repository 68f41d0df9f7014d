#pragma once

#include "maps/softmax_side.hpp"
#include "maps/spline_rows.hpp"

namespace biject {

/// What the splines with free widths, heights and knot slopes share: from raw numbers to the bin that holds a sample, and the way of
/// the gradient back. Internal to this folder. Numbers in parentheses are the equations of rq_spline.md.

/// linear: slope 1 at ±B, raw slopes at the K − 1 inner knots. periodic: K raw slopes, the first of them at both ends.
enum class SplineEnds { linear, periodic };

/// The bin that holds a sample: everything about it that value, inverse and gradient need.
template <class S> struct Bin {
  Lanes<S> index;                     // k, as a number
  Lanes<S> x0, w, z0, h;              // left knot and extents
  Lanes<S> p_w, below_w, p_h, below_h;  // softmax of the bin, sum of those before it
  Lanes<S> raw0, raw1;                // raw slopes at its ends; meaningless at ±B if the ends are linear
};

/// The bins on both sides of it; beyond ±B a tail of slope 1.
template <class S> struct Neighbours {
  struct One {
    Lanes<S> w, h, p_w, p_h;
  } before, after;
};

/// ∂L/∂ the numbers of a bin. Every bin to its left has ∂L/∂width = x0, ∂L/∂height = z0.
template <class S> struct BinGradient {
  Lanes<S> x0, w, z0, h, raw0, raw1;
};

/// ∂L/∂ the numbers of its neighbours, beyond that.
template <class S> struct NeighbourGradient {
  Lanes<S> w_before, h_before, w_after, h_after;
};

/// Slopes ε + softplus(raw + const) at the ends of a bin, 1 for a raw 0; 1 at ±B if the ends are linear.
template <class S> struct SoftplusSlopes {
  static constexpr S kShift = S(0.5397424172369522);  // log(exp(1 − ε) − 1)
  Lanes<S> d0, d1, sigma0, sigma1;

  SoftplusSlopes(const Bin<S>& bin, int bins, SplineEnds ends) {
    const S first = ends == SplineEnds::linear ? S(0) : S(-1), last = ends == SplineEnds::linear ? static_cast<S>(bins - 1) : S(-1);
    for_each_lane([&](int i) {
      const S free0 = kSplineFloor<S> + softplus(bin.raw0[i] + kShift, sigma0[i]);
      const S free1 = kSplineFloor<S> + softplus(bin.raw1[i] + kShift, sigma1[i]);
      d0[i] = bin.index[i] == first ? S(1) : free0;
      d1[i] = bin.index[i] == last ? S(1) : free1;
    });
  }
  /// From ∂L/∂d to ∂L/∂raw (17). At a linear end it is nobody's.
  S raw0_gradient(S g_d0, int i) const { return g_d0 * sigma0[i]; }
  S raw1_gradient(S g_d1, int i) const { return g_d1 * sigma1[i]; }
};

template <class S, int K, SplineEnds ends = SplineEnds::linear> class SplineBins {
 public:
  /// φ = (K raw widths, K raw heights, raw slopes, what else there is)
  SplineBins(Index bins, S bound, const PhiGroup<S>& phi)
      : bins_(K > 0 ? K : static_cast<int>(bins)), bound_(bound), phi_(phi) {
    widths_.load(bins_, [&](int k) { return phi[k]; });
    heights_.load(bins_, [&](int k) { return phi[bins_ + k]; });
  }

  int bins() const { return bins_; }

  /// The bin whose left edge, in x (or in z if by_height), is the last one not above `at`, which lies in [−B, B].
  template <bool by_height> void find(const Lanes<S>& at, Bin<S>& bin) const {
    const S floor = extent_floor(bound_), share = extent_share(bins_, bound_);
    const SoftmaxSide<S, K>& compared = by_height ? heights_ : widths_;
    // Not yet normalised; only at the end of the search, for one bin instead of K.
    Lanes<S> sum_w{}, sum_h{}, scale, at_bound{};
    for_each_lane([&](int i) { scale[i] = share * compared.inverse_sum[i]; });
    if constexpr (ends == SplineEnds::periodic) at_bound = phi_[slope_column(0)];
    Lanes<S> slope_before = at_bound;
    bin = {};
    for_each_bin<K>(bins_, [&](auto k) {
      const Lanes<S> slope_after = k + 1 < bins_ ? phi_[slope_column(k + 1)] : at_bound;
      const S before_sum = floor * static_cast<S>(k) - bound_;
      for_each_lane([&](int i) {
        const bool here = k == 0 || at[i] >= before_sum + scale[i] * (by_height ? sum_h[i] : sum_w[i]);
        bin.index[i] = here ? static_cast<S>(k) : bin.index[i];
        bin.p_w[i] = here ? widths_.e[k][i] : bin.p_w[i];
        bin.p_h[i] = here ? heights_.e[k][i] : bin.p_h[i];
        bin.below_w[i] = here ? sum_w[i] : bin.below_w[i];
        bin.below_h[i] = here ? sum_h[i] : bin.below_h[i];
        bin.raw0[i] = here ? slope_before[i] : bin.raw0[i];
        bin.raw1[i] = here ? slope_after[i] : bin.raw1[i];
        sum_w[i] += widths_.e[k][i];
        sum_h[i] += heights_.e[k][i];
      });
      slope_before = slope_after;
    });
    for_each_lane([&](int i) {
      const S inverse_w = widths_.inverse_sum[i], inverse_h = heights_.inverse_sum[i], before_sum = floor * bin.index[i] - bound_;
      bin.x0[i] = before_sum + share * inverse_w * bin.below_w[i];
      bin.z0[i] = before_sum + share * inverse_h * bin.below_h[i];
      bin.p_w[i] *= inverse_w;
      bin.p_h[i] *= inverse_h;
      bin.below_w[i] *= inverse_w;
      bin.below_h[i] *= inverse_h;
      bin.w[i] = floor + share * bin.p_w[i];
      bin.h[i] = floor + share * bin.p_h[i];
    });
  }

  // As in `find`, normalised at the end.
  void find_neighbours(const Bin<S>& bin, Neighbours<S>& beside) const {
    auto& [before, after] = beside;
    for_each_lane([&](int i) { before.p_w[i] = before.p_h[i] = after.p_w[i] = after.p_h[i] = 0; });
    for_each_bin<K>(bins_, [&](auto k) {
      for_each_lane([&](int i) {
        const S number = static_cast<S>(k);
        const bool is_before = number + 1 == bin.index[i], is_after = number - 1 == bin.index[i];
        before.p_w[i] = is_before ? widths_.e[k][i] : before.p_w[i];
        before.p_h[i] = is_before ? heights_.e[k][i] : before.p_h[i];
        after.p_w[i] = is_after ? widths_.e[k][i] : after.p_w[i];
        after.p_h[i] = is_after ? heights_.e[k][i] : after.p_h[i];
      });
    });
    measure(before);
    measure(after);
  }

  /// Spreads the gradients of the bin to the raw widths, heights and slopes (16). `is_inside` is 1 or 0.
  void spread(const Bin<S>& bin, const Lanes<S>& is_inside, const BinGradient<S>& g, const PhiGradientGroup<S>& dphi) const {
    Lanes<S> mean_w, mean_h;
    for_each_lane([&](int i) {
      mean_w[i] = g.x0[i] * bin.below_w[i] + g.w[i] * bin.p_w[i];
      mean_h[i] = g.z0[i] * bin.below_h[i] + g.h[i] * bin.p_h[i];
    });
    spread(bin, is_inside, mean_w, mean_h, g, dphi, [](S, int, S&, S&) {});
  }

  /// The same with gradients of the neighbours.
  void spread(const Bin<S>& bin, const Neighbours<S>& beside, const Lanes<S>& is_inside, const BinGradient<S>& g,
              const NeighbourGradient<S>& g_beside, const PhiGradientGroup<S>& dphi) const {
    Lanes<S> mean_w, mean_h;
    for_each_lane([&](int i) {
      mean_w[i] = g.x0[i] * bin.below_w[i] + g.w[i] * bin.p_w[i] + g_beside.w_before[i] * beside.before.p_w[i] +
                  g_beside.w_after[i] * beside.after.p_w[i];
      mean_h[i] = g.z0[i] * bin.below_h[i] + g.h[i] * bin.p_h[i] + g_beside.h_before[i] * beside.before.p_h[i] +
                  g_beside.h_after[i] * beside.after.p_h[i];
    });
    spread(bin, is_inside, mean_w, mean_h, g, dphi, [&](S number, int i, S& of_w, S& of_h) {
      const bool is_before = number + 1 == bin.index[i], is_after = number - 1 == bin.index[i];
      of_w += is_before ? g_beside.w_before[i] : (is_after ? g_beside.w_after[i] : S(0));
      of_h += is_before ? g_beside.h_before[i] : (is_after ? g_beside.h_after[i] : S(0));
    });
  }

 private:
  /// From terms of the softmax that are not yet normalised; those of a tail are 0, which makes it as wide as high.
  void measure(typename Neighbours<S>::One& one) const {
    const S floor = extent_floor(bound_), share = extent_share(bins_, bound_);
    for_each_lane([&](int i) {
      one.p_w[i] *= widths_.inverse_sum[i];
      one.p_h[i] *= heights_.inverse_sum[i];
      one.w[i] = floor + share * one.p_w[i];
      one.h[i] = floor + share * one.p_h[i];
    });
  }

  /// extend(k, lane, of_w, of_h) adds to the gradients of width and height k.
  template <class F>
  void spread(const Bin<S>& bin, const Lanes<S>& is_inside, const Lanes<S>& mean_w, const Lanes<S>& mean_h, const BinGradient<S>& g,
              const PhiGradientGroup<S>& dphi, F&& extend) const {
    const S share = extent_share(bins_, bound_);
    Lanes<S> slope0, slope1;
    for_each_lane([&](int i) {
      slope0[i] = g.raw0[i] * is_inside[i];
      slope1[i] = g.raw1[i] * is_inside[i];
    });
    for_each_bin<K>(bins_, [&](auto k) {
      Lanes<S> dw, dh, dslope;
      for_each_lane([&](int i) {
        const S at = bin.index[i], number = static_cast<S>(k);
        S of_w = number < at ? g.x0[i] : (number == at ? g.w[i] : S(0));
        S of_h = number < at ? g.z0[i] : (number == at ? g.h[i] : S(0));
        extend(number, i, of_w, of_h);
        const S factor = share * is_inside[i];
        dw[i] = factor * widths_.e[k][i] * widths_.inverse_sum[i] * (of_w - mean_w[i]);
        dh[i] = factor * heights_.e[k][i] * heights_.inverse_sum[i] * (of_h - mean_h[i]);
        dslope[i] = (number == at ? slope1[i] : S(0)) + (number + 1 == at ? slope0[i] : S(0));
      });
      dphi.set(k, dw);
      dphi.set(bins_ + k, dh);
      if (k + 1 < bins_) dphi.set(slope_column(k + 1), dslope);
    });
    if constexpr (ends == SplineEnds::periodic) {
      Lanes<S> dslope;
      for_each_lane([&](int i) {
        dslope[i] = (bin.index[i] == 0 ? slope0[i] : S(0)) + (bin.index[i] == static_cast<S>(bins_ - 1) ? slope1[i] : S(0));
      });
      dphi.set(slope_column(0), dslope);
    }
  }

  /// Of the raw slope at knot k < K; knot 0 has one only if the ends are periodic.
  Index slope_column(int k) const { return 2 * bins_ + k - (ends == SplineEnds::linear ? 1 : 0); }

  int bins_;
  S bound_;
  PhiGroup<S> phi_;
  SoftmaxSide<S, K> widths_, heights_;
};

}  // namespace biject
