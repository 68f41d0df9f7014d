#include "maps/cubic_spline.hpp"

#include <cmath>

#include "core/error.hpp"
#include "core/monotone_root.hpp"
#include "maps/spline_bins.hpp"
#include "maps/spline_rows.hpp"

// Numbers in parentheses are the equations of cubic_spline.md.
namespace biject {

namespace {

template <class S> constexpr S kLeastPart = S(0.02);
template <class S> constexpr S kMostPart = S(0.98);
template <class S> constexpr S kPartRange = S(0.96);
template <class S> constexpr S kPartShift = S(-0.11928908487436861);  // logit of ((√2 / 3 − 0.02) / 0.96)

/// The slope at a knot between bins of secants `left` and `right`.
template <class S> struct KnotSlope {
  S part, limit, sigma, d;  // f, m, sigmoid, d

  KnotSlope(S left, S right, S raw) {
    limit = left * right / std::sqrt(left * left + right * right);
    sigma = sigmoid(raw + kPartShift<S>);
    part = kLeastPart<S> + kPartRange<S> * sigma;
    d = 3 * part * limit;                                                                     // (4)
  }
  S raw_gradient(S g_d) const { return g_d * 3 * limit * kPartRange<S> * sigma * (1 - sigma); }  // (9)
  S secant_gradient(S g_d, S secant) const {
    const S ratio = limit / secant;
    return g_d * 3 * part * ratio * ratio * ratio;
  }
};

/// The slope at ±B, beside a bin of that secant.
template <class S> S end_slope(S secant) {
  const S most = 3 * kMostPart<S> * secant;
  return most < 1 ? most : S(1);
}

/// r of (2) and p of (3).
template <class S> S cubic(S alpha, S beta, S xi) {
  const S rest = 1 - xi;
  return xi * (alpha * rest * rest + (3 - beta) * xi * rest + xi * xi);
}
template <class S> S cubic_slope(S alpha, S beta, S xi) {
  const S rest = 1 - xi;
  return alpha * rest * rest + 2 * (3 - alpha - beta) * xi * rest + beta * xi * xi;
}

template <class S, int K> class Cubics {
 public:
  Cubics(Index bins, S bound, const PhiGroup<S>& phi) : bins_(bins, bound, phi), bound_(bound) {}

  void forward(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& is_inside, Lanes<S>& to, Lanes<S>& ld) const {
    Bin<S> bin;
    Neighbours<S> beside;
    Lanes<S> s, alpha, beta;
    bins_.template find<false>(at, bin);
    shape(bin, beside, s, alpha, beta);
    for_each_lane([&](int i) {
      const S xi = clamp((at[i] - bin.x0[i]) / bin.w[i], S(0), S(1));
      const S value = bin.z0[i] + bin.h[i] * cubic(alpha[i], beta[i], xi);
      const bool inside = is_inside[i] != 0;
      to[i] = inside ? clamp(value, -bound_, bound_) : from[i];  // rounding must not lead out of [−B, B], where the slope may be another
      ld[i] = inside ? log_fast(s[i] * cubic_slope(alpha[i], beta[i], xi)) : S(0);
    });
  }

  void inverse(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& is_inside, Lanes<S>& to, Lanes<S>& ld) const {
    Bin<S> bin;
    Neighbours<S> beside;
    Lanes<S> s, alpha, beta, r, low, high;
    bins_.template find<true>(at, bin);
    shape(bin, beside, s, alpha, beta);
    for_each_lane([&](int i) {
      r[i] = clamp((at[i] - bin.z0[i]) / bin.h[i], S(0), S(1));
      low[i] = 0;
      high[i] = 1;
    });
    const Lanes<S> xi = monotone_root(r, low, high, [&](const Lanes<S>& guess, Lanes<S>& value, Lanes<S>& slope) {
      for_each_lane([&](int i) {
        value[i] = cubic(alpha[i], beta[i], guess[i]);
        slope[i] = cubic_slope(alpha[i], beta[i], guess[i]);
      });
    });
    for_each_lane([&](int i) {
      const bool inside = is_inside[i] != 0;
      to[i] = inside ? clamp(bin.x0[i] + xi[i] * bin.w[i], -bound_, bound_) : from[i];
      ld[i] = inside ? -log_fast(s[i] * cubic_slope(alpha[i], beta[i], xi[i])) : S(0);
    });
  }

  void backward(const Lanes<S>& at, const Lanes<S>& is_inside, const Lanes<S>& az, const Lanes<S>& al, Lanes<S>& dfrom,
                const PhiGradientGroup<S>& dphi) const {
    Bin<S> bin;
    Neighbours<S> beside;
    BinGradient<S> g;
    NeighbourGradient<S> g_beside;
    Lanes<S> s, alpha, beta;
    bins_.template find<false>(at, bin);
    shape(bin, beside, s, alpha, beta);
    const S last = static_cast<S>(bins_.bins() - 1);
    for_each_lane([&](int i) {
      const S inverse_w = 1 / bin.w[i], inverse_s = 1 / s[i], xi = clamp((at[i] - bin.x0[i]) * inverse_w, S(0), S(1)), rest = 1 - xi;
      const S t = xi * rest, gz = az[i] * bin.h[i], p = cubic_slope(alpha[i], beta[i], xi), gl = al[i] / p;
      const S g_xi = gz * p + gl * 2 * ((3 - alpha[i] - beta[i]) * (1 - 2 * xi) - alpha[i] * rest + beta[i] * xi);  // (5)
      const S g_alpha = gz * t * rest + gl * (rest * rest - 2 * t);                           // (6)
      const S g_beta = -gz * t * xi + gl * (xi * xi - 2 * t);                                 // (7)
      const S g_d0 = g_alpha * inverse_s, g_d1 = g_beta * inverse_s;
      S g_s = (al[i] - alpha[i] * g_alpha - beta[i] * g_beta) * inverse_s;                    // (8)

      const S s_before = beside.before.h[i] / beside.before.w[i], s_after = beside.after.h[i] / beside.after.w[i];
      const KnotSlope<S> knot0(s_before, s[i], bin.raw0[i]), knot1(s[i], s_after, bin.raw1[i]);
      const bool is_first = bin.index[i] == 0, is_last = bin.index[i] == last;
      const S at_end = 3 * kMostPart<S> * s[i] < 1 ? 3 * kMostPart<S> : S(0);                 // (10)
      g_s += g_d0 * (is_first ? at_end : knot0.secant_gradient(1, s[i])) + g_d1 * (is_last ? at_end : knot1.secant_gradient(1, s[i]));
      const S g_before = is_first ? S(0) : knot0.secant_gradient(g_d0, s_before);             // (9)
      const S g_after = is_last ? S(0) : knot1.secant_gradient(g_d1, s_after);
      g.raw0[i] = knot0.raw_gradient(g_d0);  // of an end: nobody's
      g.raw1[i] = knot1.raw_gradient(g_d1);

      dfrom[i] = is_inside[i] != 0 ? g_xi * inverse_w : az[i];                                // (11)
      g.x0[i] = -g_xi * inverse_w;
      g.w[i] = -(g_xi * xi + g_s * s[i]) * inverse_w;
      g.z0[i] = az[i];                                                                        // (12)
      g.h[i] = az[i] * cubic(alpha[i], beta[i], xi) + g_s * inverse_w;
      g_beside.h_before[i] = g_before / beside.before.w[i];                                   // (13)
      g_beside.w_before[i] = -g_beside.h_before[i] * s_before;
      g_beside.h_after[i] = g_after / beside.after.w[i];
      g_beside.w_after[i] = -g_beside.h_after[i] * s_after;
    });
    bins_.spread(bin, beside, is_inside, g, g_beside, dphi);
  }

 private:
  /// (1) and (4).
  void shape(const Bin<S>& bin, Neighbours<S>& beside, Lanes<S>& s, Lanes<S>& alpha, Lanes<S>& beta) const {
    const S last = static_cast<S>(bins_.bins() - 1);
    bins_.find_neighbours(bin, beside);
    for_each_lane([&](int i) {
      s[i] = bin.h[i] / bin.w[i];
      const S s_before = beside.before.h[i] / beside.before.w[i], s_after = beside.after.h[i] / beside.after.w[i];
      const S inside0 = KnotSlope<S>(s_before, s[i], bin.raw0[i]).d, inside1 = KnotSlope<S>(s[i], s_after, bin.raw1[i]).d;
      const S at_end = end_slope(s[i]), inverse_s = 1 / s[i];
      alpha[i] = (bin.index[i] == 0 ? at_end : inside0) * inverse_s;
      beta[i] = (bin.index[i] == last ? at_end : inside1) * inverse_s;
    });
  }

  SplineBins<S, K> bins_;
  S bound_;
};

}  // namespace

template <class S> CubicSpline<S>::CubicSpline(Index bins, double bound) : bins_(bins), bound_(static_cast<S>(bound)) {
  BIJECT_EXPECT(bins >= 2 && bins <= kMostBins && bound > 0);
}

template <class S>
void CubicSpline<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  spline_forward<Cubics, S>(bins_, bound_, phi, x, z, logdet);
}

template <class S>
void CubicSpline<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  spline_inverse<Cubics, S>(bins_, bound_, phi, z, x, logdet);
}

template <class S>
void CubicSpline<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                              Out<S> dphi) const {
  spline_backward<Cubics, S>(bins_, bound_, phi, x, dz, dlogdet, dx, dphi);
}

template class CubicSpline<float>;
template class CubicSpline<double>;

}  // namespace biject
