#pragma once

#include "maps/softmax_side.hpp"

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
  Lanes<S> d0, d1, shifted0, shifted1;

  SoftplusSlopes(const Bin<S>& bin, int bins, SplineEnds ends) {
    const S first = ends == SplineEnds::linear ? S(0) : S(-1), last = ends == SplineEnds::linear ? static_cast<S>(bins - 1) : S(-1);
    for (int i = 0; i < kLanes; ++i) {
      shifted0[i] = bin.raw0[i] + kShift;
      shifted1[i] = bin.raw1[i] + kShift;
      d0[i] = bin.index[i] == first ? S(1) : kSplineFloor<S> + softplus(shifted0[i]);
      d1[i] = bin.index[i] == last ? S(1) : kSplineFloor<S> + softplus(shifted1[i]);
    }
  }
  /// From ∂L/∂d to ∂L/∂raw (17). At a linear end it is nobody's.
  S raw0_gradient(S g_d0, int i) const { return g_d0 * sigmoid(shifted0[i]); }
  S raw1_gradient(S g_d1, int i) const { return g_d1 * sigmoid(shifted1[i]); }
};

template <class S, int K, SplineEnds ends = SplineEnds::linear> class SplineBins {
 public:
  /// φ = (K raw widths, K raw heights, raw slopes, what else there is)
  SplineBins(Index bins, S bound, const In<S>& phi, Index first, int count)
      : bins_(K > 0 ? K : static_cast<int>(bins)), count_(count), stride_(phi.outerStride()), bound_(bound),
        raw_(phi.data() + first) {
    widths_.load(raw_, stride_, bins_, count);
    heights_.load(raw_ + bins_ * stride_, stride_, bins_, count);
  }

  int bins() const { return bins_; }

  /// The bin whose left edge, in x (or in z if by_height), is the last one not above `at`, which lies in [−B, B].
  template <bool by_height> void find(const Lanes<S>& at, Bin<S>& bin) const {
    const S floor = extent_floor(bound_), share = extent_share(bins_, bound_);
    Lanes<S> x_edge, z_edge, below_w, below_h;
    for (int i = 0; i < kLanes; ++i) {
      x_edge[i] = z_edge[i] = -bound_;
      below_w[i] = below_h[i] = 0;
      bin.raw0[i] = bin.raw1[i] = 0;
    }
    Lanes<S> at_bound = bin.raw0;
    if constexpr (ends == SplineEnds::periodic) at_bound = Lanes<S>::load(raw_ + slope_column(0) * stride_, count_);
    Lanes<S> slope_before = at_bound;
    for (int k = 0; k < bins_; ++k) {
      Lanes<S> slope_after = at_bound;
      if (k + 1 < bins_) slope_after = Lanes<S>::load(raw_ + slope_column(k + 1) * stride_, count_);
      for (int i = 0; i < kLanes; ++i) {
        const S p_w = widths_.e[k][i] * widths_.inverse_sum[i], p_h = heights_.e[k][i] * heights_.inverse_sum[i];
        const S w = floor + share * p_w, h = floor + share * p_h;
        const bool here = k == 0 || at[i] >= (by_height ? z_edge[i] : x_edge[i]);
        bin.index[i] = here ? static_cast<S>(k) : bin.index[i];
        bin.x0[i] = here ? x_edge[i] : bin.x0[i];
        bin.z0[i] = here ? z_edge[i] : bin.z0[i];
        bin.w[i] = here ? w : bin.w[i];
        bin.h[i] = here ? h : bin.h[i];
        bin.p_w[i] = here ? p_w : bin.p_w[i];
        bin.p_h[i] = here ? p_h : bin.p_h[i];
        bin.below_w[i] = here ? below_w[i] : bin.below_w[i];
        bin.below_h[i] = here ? below_h[i] : bin.below_h[i];
        bin.raw0[i] = here ? slope_before[i] : bin.raw0[i];
        bin.raw1[i] = here ? slope_after[i] : bin.raw1[i];
        x_edge[i] += w;
        z_edge[i] += h;
        below_w[i] += p_w;
        below_h[i] += p_h;
      }
      slope_before = slope_after;
    }
  }

  void find_neighbours(const Bin<S>& bin, Neighbours<S>& beside) const {
    const S floor = extent_floor(bound_), share = extent_share(bins_, bound_);
    for (auto* one : {&beside.before, &beside.after}) {
      for (int i = 0; i < kLanes; ++i) {
        one->w[i] = one->h[i] = 1;
        one->p_w[i] = one->p_h[i] = 0;
      }
    }
    for (int k = 0; k < bins_; ++k) {
      for (int i = 0; i < kLanes; ++i) {
        const S p_w = widths_.e[k][i] * widths_.inverse_sum[i], p_h = heights_.e[k][i] * heights_.inverse_sum[i];
        const S w = floor + share * p_w, h = floor + share * p_h, number = static_cast<S>(k);
        const bool is_before = number + 1 == bin.index[i], is_after = number - 1 == bin.index[i];
        beside.before.p_w[i] = is_before ? p_w : beside.before.p_w[i];
        beside.before.p_h[i] = is_before ? p_h : beside.before.p_h[i];
        beside.before.w[i] = is_before ? w : beside.before.w[i];
        beside.before.h[i] = is_before ? h : beside.before.h[i];
        beside.after.p_w[i] = is_after ? p_w : beside.after.p_w[i];
        beside.after.p_h[i] = is_after ? p_h : beside.after.p_h[i];
        beside.after.w[i] = is_after ? w : beside.after.w[i];
        beside.after.h[i] = is_after ? h : beside.after.h[i];
      }
    }
  }

  /// Spreads the gradients of the bin to the raw widths, heights and slopes (16). `is_inside` is 1 or 0.
  void spread(const Bin<S>& bin, const Lanes<S>& is_inside, const BinGradient<S>& g, S* dphi, Index dstride) const {
    Lanes<S> mean_w, mean_h;
    for (int i = 0; i < kLanes; ++i) {
      mean_w[i] = g.x0[i] * bin.below_w[i] + g.w[i] * bin.p_w[i];
      mean_h[i] = g.z0[i] * bin.below_h[i] + g.h[i] * bin.p_h[i];
    }
    spread(bin, is_inside, mean_w, mean_h, g, dphi, dstride, [](S, int, S&, S&) {});
  }

  /// The same with gradients of the neighbours.
  void spread(const Bin<S>& bin, const Neighbours<S>& beside, const Lanes<S>& is_inside, const BinGradient<S>& g,
              const NeighbourGradient<S>& g_beside, S* dphi, Index dstride) const {
    Lanes<S> mean_w, mean_h;
    for (int i = 0; i < kLanes; ++i) {
      mean_w[i] = g.x0[i] * bin.below_w[i] + g.w[i] * bin.p_w[i] + g_beside.w_before[i] * beside.before.p_w[i] +
                  g_beside.w_after[i] * beside.after.p_w[i];
      mean_h[i] = g.z0[i] * bin.below_h[i] + g.h[i] * bin.p_h[i] + g_beside.h_before[i] * beside.before.p_h[i] +
                  g_beside.h_after[i] * beside.after.p_h[i];
    }
    spread(bin, is_inside, mean_w, mean_h, g, dphi, dstride, [&](S number, int i, S& of_w, S& of_h) {
      const bool is_before = number + 1 == bin.index[i], is_after = number - 1 == bin.index[i];
      of_w += is_before ? g_beside.w_before[i] : (is_after ? g_beside.w_after[i] : S(0));
      of_h += is_before ? g_beside.h_before[i] : (is_after ? g_beside.h_after[i] : S(0));
    });
  }

 private:
  /// extend(k, lane, of_w, of_h) adds to the gradients of width and height k.
  template <class F>
  void spread(const Bin<S>& bin, const Lanes<S>& is_inside, const Lanes<S>& mean_w, const Lanes<S>& mean_h, const BinGradient<S>& g,
              S* dphi, Index dstride, F&& extend) const {
    const S share = extent_share(bins_, bound_);
    Lanes<S> slope0, slope1;
    for (int i = 0; i < kLanes; ++i) {
      slope0[i] = g.raw0[i] * is_inside[i];
      slope1[i] = g.raw1[i] * is_inside[i];
    }
    for (int k = 0; k < bins_; ++k) {
      Lanes<S> dw, dh, dslope;
      for (int i = 0; i < kLanes; ++i) {
        const S at = bin.index[i], number = static_cast<S>(k);
        S of_w = number < at ? g.x0[i] : (number == at ? g.w[i] : S(0));
        S of_h = number < at ? g.z0[i] : (number == at ? g.h[i] : S(0));
        extend(number, i, of_w, of_h);
        const S factor = share * is_inside[i];
        dw[i] = factor * widths_.e[k][i] * widths_.inverse_sum[i] * (of_w - mean_w[i]);
        dh[i] = factor * heights_.e[k][i] * heights_.inverse_sum[i] * (of_h - mean_h[i]);
        dslope[i] = (number == at ? slope1[i] : S(0)) + (number + 1 == at ? slope0[i] : S(0));
      }
      dw.store(dphi + k * dstride, count_);
      dh.store(dphi + (bins_ + k) * dstride, count_);
      if (k + 1 < bins_) dslope.store(dphi + slope_column(k + 1) * dstride, count_);
    }
    if constexpr (ends == SplineEnds::periodic) {
      Lanes<S> dslope;
      for (int i = 0; i < kLanes; ++i) {
        dslope[i] = (bin.index[i] == 0 ? slope0[i] : S(0)) + (bin.index[i] == static_cast<S>(bins_ - 1) ? slope1[i] : S(0));
      }
      dslope.store(dphi + slope_column(0) * dstride, count_);
    }
  }

  /// Of the raw slope at knot k < K; knot 0 has one only if the ends are periodic.
  Index slope_column(int k) const { return 2 * bins_ + k - (ends == SplineEnds::linear ? 1 : 0); }

  int bins_, count_;
  Index stride_;
  S bound_;
  const S* raw_;
  SoftmaxSide<S, K> widths_, heights_;
};

}  // namespace biject
