#include "maps/rq_spline.hpp"

#include <cmath>

#include "core/error.hpp"
#include "core/lanes.hpp"
#include "core/numerics.hpp"

// Numbers in parentheses are the equations of rq_spline.md.
namespace biject {

namespace {

template <class S> constexpr S kFloor = S(1e-3);
// softplus(kSlopeShift) + kFloor = 1
template <class S> constexpr S kSlopeShift = S(0.5397424172369522);  // log(exp(1 − 1e-3) − 1)

/// The softmax of one side (widths or heights) for a group of samples, not yet normalised.
template <class S, int K> struct Side {
  Lanes<S> e[K > 0 ? K : RqSpline<S>::kMostBins];  // exp(raw − max)
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

/// The bin that holds a sample: everything about it that value, inverse and gradient need.
template <class S> struct Bin {
  Lanes<S> index;                     // k, as a number
  Lanes<S> x0, w, z0, h;              // left knot and extents
  Lanes<S> p_w, below_w, p_h, below_h;  // softmax of the bin, sum of those before it
  Lanes<S> raw0, raw1;                // shifted raw slopes at its ends; meaningless at the ends of the interval
  Lanes<S> d0, d1;
};

template <class S, int K> class Spline {
 public:
  Spline(Index bins, S bound, const In<S>& phi, Index first, int count)
      : bins_(K > 0 ? K : static_cast<int>(bins)), count_(count), stride_(phi.outerStride()), bound_(bound),
        raw_(phi.data() + first) {
    widths_.load(raw_, stride_, bins_, count);
    heights_.load(raw_ + bins_ * stride_, stride_, bins_, count);
  }

  /// The bin whose left edge, in x (or in z if by_height), is the last one not above `at`, which lies in [−B, B].
  template <bool by_height> void find(const Lanes<S>& at, Bin<S>& bin) const {
    const S share = 2 * bound_ * (1 - static_cast<S>(bins_) * kFloor<S>), floor = 2 * bound_ * kFloor<S>;
    Lanes<S> x_edge, z_edge, below_w, below_h;
    for (int i = 0; i < kLanes; ++i) {
      x_edge[i] = z_edge[i] = -bound_;
      below_w[i] = below_h[i] = 0;
      bin.raw0[i] = bin.raw1[i] = 0;
    }
    Lanes<S> slope_before = bin.raw0;
    for (int k = 0; k < bins_; ++k) {
      Lanes<S> slope_after = bin.raw0;
      if (k + 1 < bins_) slope_after = Lanes<S>::load(raw_ + (2 * bins_ + k) * stride_, count_);
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
    const S last = static_cast<S>(bins_ - 1);
    for (int i = 0; i < kLanes; ++i) {
      bin.raw0[i] += kSlopeShift<S>;
      bin.raw1[i] += kSlopeShift<S>;
      bin.d0[i] = bin.index[i] == 0 ? S(1) : kFloor<S> + softplus(bin.raw0[i]);
      bin.d1[i] = bin.index[i] == last ? S(1) : kFloor<S> + softplus(bin.raw1[i]);
    }
  }

  /// Spreads the gradients of the bin to the raw numbers (16), (17). `is_inside` is 1 or 0.
  void spread(const Bin<S>& bin, const Lanes<S>& is_inside, const Lanes<S>& g_x0, const Lanes<S>& g_w, const Lanes<S>& g_z0,
              const Lanes<S>& g_h, const Lanes<S>& g_d0, const Lanes<S>& g_d1, S* dphi, Index dstride) const {
    const S share = 2 * bound_ * (1 - static_cast<S>(bins_) * kFloor<S>);
    Lanes<S> mean_w, mean_h, slope0, slope1;
    for (int i = 0; i < kLanes; ++i) {
      mean_w[i] = g_x0[i] * bin.below_w[i] + g_w[i] * bin.p_w[i];
      mean_h[i] = g_z0[i] * bin.below_h[i] + g_h[i] * bin.p_h[i];
      slope0[i] = g_d0[i] * sigmoid(bin.raw0[i]) * is_inside[i];
      slope1[i] = g_d1[i] * sigmoid(bin.raw1[i]) * is_inside[i];
    }
    for (int k = 0; k < bins_; ++k) {
      Lanes<S> dw, dh, dslope;
      for (int i = 0; i < kLanes; ++i) {
        const S at = bin.index[i], number = static_cast<S>(k);
        const S of_w = number < at ? g_x0[i] : (number == at ? g_w[i] : S(0));
        const S of_h = number < at ? g_z0[i] : (number == at ? g_h[i] : S(0));
        const S factor = share * is_inside[i];
        dw[i] = factor * widths_.e[k][i] * widths_.inverse_sum[i] * (of_w - mean_w[i]);
        dh[i] = factor * heights_.e[k][i] * heights_.inverse_sum[i] * (of_h - mean_h[i]);
        dslope[i] = (number == at ? slope1[i] : S(0)) + (number + 1 == at ? slope0[i] : S(0));
      }
      dw.store(dphi + k * dstride, count_);
      dh.store(dphi + (bins_ + k) * dstride, count_);
      if (k + 1 < bins_) dslope.store(dphi + (2 * bins_ + k) * dstride, count_);
    }
  }

 private:
  int bins_, count_;
  Index stride_;
  S bound_;
  const S* raw_;
  Side<S, K> widths_, heights_;
};

template <class S> S clamp(S value, S low, S high) {  // NaN stays NaN
  value = value < low ? low : value;
  return value > high ? high : value;
}

template <class S, int K>
void spline_forward(Index bins, S bound, const In<S>& phi, const VectorIn<S>& x, VectorOut<S>& z, VectorOut<S>& logdet) {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const Spline<S, K> spline(bins, bound, phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    Lanes<S> at, to, ld;
    Bin<S> bin;
    for (int i = 0; i < kLanes; ++i) at[i] = clamp(from[i], -bound, bound);
    spline.template find<false>(at, bin);
    for (int i = 0; i < kLanes; ++i) {
      const S d0 = bin.d0[i], d1 = bin.d1[i], inverse_w = 1 / bin.w[i];
      const S s = bin.h[i] * inverse_w, xi = clamp((at[i] - bin.x0[i]) * inverse_w, S(0), S(1));
      const S t = xi * (1 - xi), c = d0 + d1 - 2 * s;                                         // (1)
      const S m = s * xi * xi + d0 * t, d = s + c * t;                                        // (2)
      const S a = d1 * xi * xi + 2 * s * t + d0 * (1 - xi) * (1 - xi);
      const S inverse_d = 1 / d, ratio = s * inverse_d;
      const bool is_inside = from[i] >= -bound && from[i] <= bound;
      to[i] = is_inside ? bin.z0[i] + bin.h[i] * m * inverse_d : from[i];                     // (3)
      ld[i] = is_inside ? log_fast(ratio * ratio * a) : S(0);                                 // (4)
    }
    to.store(z.data() + first, count);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class S, int K>
void spline_inverse(Index bins, S bound, const In<S>& phi, const VectorIn<S>& z, VectorOut<S>& x, VectorOut<S>& logdet) {
  for_each_lane_group(z.size(), [&](Index first, int count) {
    const Spline<S, K> spline(bins, bound, phi, first, count);
    const auto from = Lanes<S>::load(z.data() + first, count);
    Lanes<S> at, to, ld;
    Bin<S> bin;
    for (int i = 0; i < kLanes; ++i) at[i] = clamp(from[i], -bound, bound);
    spline.template find<true>(at, bin);
    for (int i = 0; i < kLanes; ++i) {
      const S d0 = bin.d0[i], d1 = bin.d1[i], h = bin.h[i], y = at[i] - bin.z0[i];
      const S s = h / bin.w[i], c = d0 + d1 - 2 * s;
      const S qa = h * (s - d0) + y * c, qb = h * d0 - y * c, qe = -s * y;                    // (5)
      const S discriminant = qb * qb - 4 * qa * qe;
      const S root = std::sqrt(discriminant < 0 ? S(0) : discriminant);
      const S xi = clamp(2 * qe / (-qb - root), S(0), S(1));                                  // (6)
      const S t = xi * (1 - xi), d = s + c * t;
      const S a = d1 * xi * xi + 2 * s * t + d0 * (1 - xi) * (1 - xi), ratio = s / d;
      const bool is_inside = from[i] >= -bound && from[i] <= bound;
      to[i] = is_inside ? bin.x0[i] + xi * bin.w[i] : from[i];
      ld[i] = is_inside ? -log_fast(ratio * ratio * a) : S(0);
    }
    to.store(x.data() + first, count);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class S, int K>
void spline_backward(Index bins, S bound, const In<S>& phi, const VectorIn<S>& x, const VectorIn<S>& dz,
                     const VectorIn<S>& dlogdet, VectorOut<S>& dx, Out<S>& dphi) {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const Spline<S, K> spline(bins, bound, phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    const auto az = Lanes<S>::load(dz.data() + first, count), al = Lanes<S>::load(dlogdet.data() + first, count);
    Lanes<S> at, dfrom, is_inside, g_x0, g_w, g_h, g_d0, g_d1;
    Bin<S> bin;
    for (int i = 0; i < kLanes; ++i) at[i] = clamp(from[i], -bound, bound);
    spline.template find<false>(at, bin);
    for (int i = 0; i < kLanes; ++i) {
      const S d0 = bin.d0[i], d1 = bin.d1[i], h = bin.h[i], inverse_w = 1 / bin.w[i];
      const S s = h * inverse_w, xi = clamp((at[i] - bin.x0[i]) * inverse_w, S(0), S(1));
      const S t = xi * (1 - xi), c = d0 + d1 - 2 * s, u = 1 - 2 * t, v = 1 - 2 * xi;          // (1)
      const S m = s * xi * xi + d0 * t, d = s + c * t;                                        // (2)
      const S a = d1 * xi * xi + 2 * s * t + d0 * (1 - xi) * (1 - xi);
      const S inverse_d = 1 / d, inverse_a = 1 / a;
      const S gz = az[i] * h * inverse_d * inverse_d, gl = al[i];
      const S g_xi = gz * s * a + gl * 2 * ((d1 * xi + s * v - d0 * (1 - xi)) * inverse_a - c * v * inverse_d);  // (7), (11)
      const S g_s = gz * (xi * xi * d - m * u) + gl * 2 * (1 / s + t * inverse_a - u * inverse_d);               // (9), (12)
      g_d0[i] = gz * t * (d - m) + gl * ((1 - xi) * (1 - xi) * inverse_a - 2 * t * inverse_d);                   // (10), (13)
      g_d1[i] = -gz * t * m + gl * (xi * xi * inverse_a - 2 * t * inverse_d);
      const bool inside = from[i] >= -bound && from[i] <= bound;
      is_inside[i] = inside ? S(1) : S(0);
      dfrom[i] = inside ? g_xi * inverse_w : az[i];                                           // (14)
      g_x0[i] = -g_xi * inverse_w;
      g_w[i] = -(g_xi * xi + g_s * s) * inverse_w;                                            // (15)
      g_h[i] = az[i] * m * inverse_d + g_s * inverse_w;                                       // (8), (15)
    }
    dfrom.store(dx.data() + first, count);
    spline.spread(bin, is_inside, g_x0, g_w, az, g_h, g_d0, g_d1, dphi.data() + first, dphi.outerStride());
  });
}

constexpr Index kUnrolledBins = 8;  // the usual number; its loops over bins have a constant length

}  // namespace

template <class S> RqSpline<S>::RqSpline(Index bins, double bound) : bins_(bins), bound_(static_cast<S>(bound)) {
  BIJECT_EXPECT(bins >= 2 && bins <= kMostBins && bound > 0);
}

template <class S>
void RqSpline<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  const auto run = bins_ == kUnrolledBins ? spline_forward<S, kUnrolledBins> : spline_forward<S, 0>;
  run(bins_, bound_, phi, x, z, logdet);
}

template <class S>
void RqSpline<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  const auto run = bins_ == kUnrolledBins ? spline_inverse<S, kUnrolledBins> : spline_inverse<S, 0>;
  run(bins_, bound_, phi, z, x, logdet);
}

template <class S>
void RqSpline<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                           Out<S> dphi) const {
  const auto run = bins_ == kUnrolledBins ? spline_backward<S, kUnrolledBins> : spline_backward<S, 0>;
  run(bins_, bound_, phi, x, dz, dlogdet, dx, dphi);
}

template class RqSpline<float>;
template class RqSpline<double>;

}  // namespace biject
