#pragma once

#include <cmath>

#include "maps/spline_bins.hpp"
#include "maps/spline_rows.hpp"

namespace biject {

/// The rational-quadratic spline on [−B, B] for a group of samples, whatever its ends: what rq_spline and circular_rq_spline share.
/// Internal to this folder. Numbers in parentheses are the equations of rq_spline.md.
template <class S, int K, SplineEnds ends> class RqSplineBins {
 public:
  RqSplineBins(Index bins, S bound, const PhiGroup<S>& phi) : bins_(bins, bound, phi) {}

  /// From `at` in [−B, B] where is_inside is 1; where it is 0, to = from and ld = 0.
  void forward(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& is_inside, Lanes<S>& to, Lanes<S>& ld) const {
    Bin<S> bin;
    bins_.template find<false>(at, bin);
    const SoftplusSlopes<S> slopes(bin, bins_.bins(), ends);
    for_each_lane([&](int i) {
      const S d0 = slopes.d0[i], d1 = slopes.d1[i], inverse_w = 1 / bin.w[i];
      const S s = bin.h[i] * inverse_w, xi = clamp((at[i] - bin.x0[i]) * inverse_w, S(0), S(1));
      const S t = xi * (1 - xi), c = d0 + d1 - 2 * s;                                         // (1)
      const S m = s * xi * xi + d0 * t, d = s + c * t;                                        // (2)
      const S a = d1 * xi * xi + 2 * s * t + d0 * (1 - xi) * (1 - xi);
      const S inverse_d = 1 / d, ratio = s * inverse_d;
      const bool inside = is_inside[i] != 0;
      to[i] = inside ? bin.z0[i] + bin.h[i] * m * inverse_d : from[i];                        // (3)
      ld[i] = inside ? log_fast(ratio * ratio * a) : S(0);                                    // (4)
    });
  }

  void inverse(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& is_inside, Lanes<S>& to, Lanes<S>& ld) const {
    Bin<S> bin;
    bins_.template find<true>(at, bin);
    const SoftplusSlopes<S> slopes(bin, bins_.bins(), ends);
    for_each_lane([&](int i) {
      const S d0 = slopes.d0[i], d1 = slopes.d1[i], h = bin.h[i], y = at[i] - bin.z0[i];
      const S s = h / bin.w[i], c = d0 + d1 - 2 * s;
      const S qa = h * (s - d0) + y * c, qb = h * d0 - y * c, qe = -s * y;                    // (5)
      const S discriminant = qb * qb - 4 * qa * qe;
      const S root = std::sqrt(discriminant < 0 ? S(0) : discriminant);
      const S xi = clamp(2 * qe / (-qb - root), S(0), S(1));                                  // (6)
      const S t = xi * (1 - xi), d = s + c * t;
      const S a = d1 * xi * xi + 2 * s * t + d0 * (1 - xi) * (1 - xi), ratio = s / d;
      const bool inside = is_inside[i] != 0;
      to[i] = inside ? bin.x0[i] + xi * bin.w[i] : from[i];
      ld[i] = inside ? -log_fast(ratio * ratio * a) : S(0);
    });
  }

  /// From az = ∂L/∂z and al = ∂L/∂ld: dfrom and dphi.
  void backward(const Lanes<S>& at, const Lanes<S>& is_inside, const Lanes<S>& az, const Lanes<S>& al, Lanes<S>& dfrom,
                const PhiGradientGroup<S>& dphi) const {
    Bin<S> bin;
    BinGradient<S> g;
    bins_.template find<false>(at, bin);
    const SoftplusSlopes<S> slopes(bin, bins_.bins(), ends);
    for_each_lane([&](int i) {
      const S d0 = slopes.d0[i], d1 = slopes.d1[i], h = bin.h[i], inverse_w = 1 / bin.w[i];
      const S s = h * inverse_w, xi = clamp((at[i] - bin.x0[i]) * inverse_w, S(0), S(1));
      const S t = xi * (1 - xi), c = d0 + d1 - 2 * s, u = 1 - 2 * t, v = 1 - 2 * xi;          // (1)
      const S m = s * xi * xi + d0 * t, d = s + c * t;                                        // (2)
      const S a = d1 * xi * xi + 2 * s * t + d0 * (1 - xi) * (1 - xi);
      const S inverse_d = 1 / d, inverse_a = 1 / a;
      const S gz = az[i] * h * inverse_d * inverse_d, gl = al[i];
      const S g_xi = gz * s * a + gl * 2 * ((d1 * xi + s * v - d0 * (1 - xi)) * inverse_a - c * v * inverse_d);  // (7), (11)
      const S g_s = gz * (xi * xi * d - m * u) + gl * 2 * (1 / s + t * inverse_a - u * inverse_d);               // (9), (12)
      const S g_d0 = gz * t * (d - m) + gl * ((1 - xi) * (1 - xi) * inverse_a - 2 * t * inverse_d);              // (10), (13)
      const S g_d1 = -gz * t * m + gl * (xi * xi * inverse_a - 2 * t * inverse_d);
      dfrom[i] = is_inside[i] != 0 ? g_xi * inverse_w : az[i];                                // (14)
      g.x0[i] = -g_xi * inverse_w;
      g.w[i] = -(g_xi * xi + g_s * s) * inverse_w;                                            // (15)
      g.z0[i] = az[i];
      g.h[i] = az[i] * m * inverse_d + g_s * inverse_w;                                       // (8), (15)
      g.raw0[i] = slopes.raw0_gradient(g_d0, i);
      g.raw1[i] = slopes.raw1_gradient(g_d1, i);
    });
    bins_.spread(bin, is_inside, g, dphi);
  }

 private:
  SplineBins<S, K, ends> bins_;
};

}  // namespace biject
