#include "maps/quadratic_spline.hpp"

#include <cmath>

#include "core/error.hpp"
#include "maps/softmax_side.hpp"
#include "maps/spline_rows.hpp"

// Numbers in parentheses are the equations of quadratic_spline.md.
namespace biject {

namespace {

/// The bin that holds a sample.
template <class S> struct Trapezoid {
  Lanes<S> index;           // k, as a number
  Lanes<S> x0, w, z0;       // left knot and width
  Lanes<S> v0, v1;          // slopes at its ends
  Lanes<S> w_before;        // width of the bin to its left, 0 if there is none
};

template <class S, int K> class Trapezoids {
 public:
  Trapezoids(Index bins, S bound, const PhiGroup<S>& phi)
      : bins_(K > 0 ? K : static_cast<int>(bins)), bound_(bound) {
    widths_.load(bins_, [&](int k) { return phi[k]; });
    knots_.load(bins_ - 1, [&](int k) { return phi[bins_ + k]; });
    const S floor = extent_floor(bound), share = extent_share(bins_, bound);
    for_each_bin<K>(bins_, [&](auto k) {
      for_each_lane([&](int i) { w_[k][i] = floor + share * (widths_.e[k][i] * widths_.inverse_sum[i]); });
    });
    for_each_lane([&](int i) { area_[i] = 0; });
    for (int k = 1; k < bins_; ++k) {
      for_each_lane([&](int i) { area_[i] += (w_[k - 1][i] + w_[k][i]) / 2 * knots_.e[k - 1][i]; });
    }
    for_each_lane([&](int i) {
      inner_[i] = 2 * bound - (w_[0][i] + w_[bins_ - 1][i]) / 2;                              // (3)
      scale_[i] = (1 - kSplineFloor<S>) * inner_[i] / area_[i];                               // (4)
      v_[0][i] = v_[bins_][i] = 1;
    });
    for (int k = 1; k < bins_; ++k) {
      for_each_lane([&](int i) { v_[k][i] = kSplineFloor<S> + scale_[i] * knots_.e[k - 1][i]; });
    }
  }

  void forward(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& is_inside, Lanes<S>& to, Lanes<S>& ld) const {
    Trapezoid<S> bin;
    find<false>(at, bin);
    for_each_lane([&](int i) {
      const S u = at[i] - bin.x0[i], xi = clamp(u / bin.w[i], S(0), S(1));                    // (1)
      const S rise = (bin.v1[i] - bin.v0[i]) * xi, v = bin.v0[i] + rise;
      const bool inside = is_inside[i] != 0;
      to[i] = inside ? bin.z0[i] + u * (bin.v0[i] + rise / 2) : from[i];                      // (2)
      ld[i] = inside ? log_fast(v) : S(0);
    });
  }

  void inverse(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& is_inside, Lanes<S>& to, Lanes<S>& ld) const {
    Trapezoid<S> bin;
    find<true>(at, bin);
    for_each_lane([&](int i) {
      const S v0 = bin.v0[i], rise = bin.v1[i] - v0, y = (at[i] - bin.z0[i]) / bin.w[i];
      const S square = v0 * v0 + 2 * rise * y;
      const S root = std::sqrt(square < 0 ? S(0) : square);
      const S xi = clamp(2 * y / (v0 + root), S(0), S(1));                                    // (5)
      const bool inside = is_inside[i] != 0;
      to[i] = inside ? bin.x0[i] + xi * bin.w[i] : from[i];
      ld[i] = inside ? -log_fast(v0 + rise * xi) : S(0);
    });
  }

  void backward(const Lanes<S>& at, const Lanes<S>& is_inside, const Lanes<S>& az, const Lanes<S>& al, Lanes<S>& dfrom,
                const PhiGradientGroup<S>& dphi) const {
    Trapezoid<S> bin;
    Lanes<S> g_x0, g_w, g_v0, g_v1;
    find<false>(at, bin);
    for_each_lane([&](int i) {
      const S u = at[i] - bin.x0[i], xi = clamp(u / bin.w[i], S(0), S(1)), rise = bin.v1[i] - bin.v0[i];
      const S inverse_v = 1 / (bin.v0[i] + rise * xi);
      const S g_u = az[i] * (bin.v0[i] + rise * xi) + al[i] * rise * inverse_v / bin.w[i];    // (6)
      dfrom[i] = is_inside[i] != 0 ? g_u : az[i];
      g_x0[i] = -g_u;
      g_v0[i] = az[i] * u * (1 - xi / 2) + al[i] * (1 - xi) * inverse_v;                      // (7)
      g_v1[i] = az[i] * u * xi / 2 + al[i] * xi * inverse_v;                                  // (8)
      g_w[i] = -rise * xi * (az[i] * xi / 2 + al[i] * inverse_v / bin.w[i]);                  // (9)
    });

    // Slopes of the inner knots.
    Lanes<S> of_v[kMost], of_w[kMost], g_scale, g_area, g_inner, mean;
    for_each_lane([&](int i) { g_scale[i] = 0; });
    for (int k = 1; k < bins_; ++k) {
      for_each_lane([&](int i) {
        const S number = static_cast<S>(k), to_bin = number - bin.index[i];
        const S before = az[i] * (w_[k - 1][i] + w_[k][i]) / 2, here = az[i] * bin.w_before[i] / 2 + g_v0[i];
        of_v[k][i] = to_bin < 0 ? before : (to_bin == 0 ? here : (to_bin == 1 ? g_v1[i] : S(0)));  // (11)
        g_scale[i] += of_v[k][i] * knots_.e[k - 1][i];
      });
    }
    for_each_lane([&](int i) {
      g_area[i] = -g_scale[i] * scale_[i] / area_[i];
      g_inner[i] = g_scale[i] * scale_[i] / inner_[i];
      mean[i] = 0;
    });
    for (int k = 1; k < bins_; ++k) {
      Lanes<S> dslope;
      for_each_lane([&](int i) {
        const S middle = (w_[k - 1][i] + w_[k][i]) / 2;
        dslope[i] = is_inside[i] * knots_.e[k - 1][i] * (scale_[i] * of_v[k][i] + g_area[i] * middle);  // (12)
      });
      dphi.set(bins_ + k - 1, dslope);
    }

    // Widths.
    for_each_bin<K>(bins_, [&](auto k) {
      const S is_end = k == 0 || k == bins_ - 1 ? S(1) : S(0);
      for_each_lane([&](int i) {
        const S number = static_cast<S>(k), e0 = k > 0 ? knots_.e[k - 1][i] : S(0), e1 = k + 1 < bins_ ? knots_.e[k][i] : S(0);
        const S before = g_x0[i] + az[i] * (v_[k][i] + v_[k + 1][i]) / 2;
        const S direct = number < bin.index[i] ? before : (number == bin.index[i] ? g_w[i] : S(0));  // (10)
        of_w[k][i] = direct + g_area[i] * (e0 + e1) / 2 - is_end * g_inner[i] / 2;                 // (13)
        mean[i] += of_w[k][i] * widths_.e[k][i] * widths_.inverse_sum[i];
      });
    });
    const S share = extent_share(bins_, bound_);
    for_each_bin<K>(bins_, [&](auto k) {
      Lanes<S> dw;
      for_each_lane([&](int i) {
        dw[i] = share * is_inside[i] * widths_.e[k][i] * widths_.inverse_sum[i] * (of_w[k][i] - mean[i]);  // (14)
      });
      dphi.set(k, dw);
    });
  }

 private:
  static constexpr int kMost = K > 0 ? K : static_cast<int>(kMostSplineBins);

  /// The bin whose left edge, in x (or in z if by_height), is the last one not above `at`, which lies in [−B, B].
  template <bool by_height> void find(const Lanes<S>& at, Trapezoid<S>& bin) const {
    Lanes<S> x_edge, z_edge, w_before;
    for_each_lane([&](int i) {
      x_edge[i] = z_edge[i] = -bound_;
      w_before[i] = 0;
    });
    for_each_bin<K>(bins_, [&](auto k) {
      for_each_lane([&](int i) {
        const S w = w_[k][i], v0 = v_[k][i], v1 = v_[k + 1][i];
        const bool here = k == 0 || at[i] >= (by_height ? z_edge[i] : x_edge[i]);
        bin.index[i] = here ? static_cast<S>(k) : bin.index[i];
        bin.x0[i] = here ? x_edge[i] : bin.x0[i];
        bin.z0[i] = here ? z_edge[i] : bin.z0[i];
        bin.w[i] = here ? w : bin.w[i];
        bin.v0[i] = here ? v0 : bin.v0[i];
        bin.v1[i] = here ? v1 : bin.v1[i];
        bin.w_before[i] = here ? w_before[i] : bin.w_before[i];
        x_edge[i] += w;
        z_edge[i] += w * (v0 + v1) / 2;
        w_before[i] = w;
      });
    });
  }

  int bins_;
  S bound_;
  SoftmaxSide<S, K> widths_;
  SoftmaxSide<S, (K > 0 ? K - 1 : 0)> knots_;  // of the inner knots only e: knot k has e[k − 1]
  Lanes<S> inner_, area_, scale_;     // T, A, C
  Lanes<S> w_[kMost], v_[kMost + 1];
};

}  // namespace

template <class S> QuadraticSpline<S>::QuadraticSpline(Index bins, double bound) : bins_(bins), bound_(static_cast<S>(bound)) {
  BIJECT_EXPECT(bins >= kFewestBins && bins <= kMostBins && bound > 0);
}

template <class S>
void QuadraticSpline<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  spline_forward<Trapezoids, S>(bins_, bound_, phi, x, z, logdet);
}

template <class S>
void QuadraticSpline<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  spline_inverse<Trapezoids, S>(bins_, bound_, phi, z, x, logdet);
}

template <class S>
void QuadraticSpline<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                                  Out<S> dphi) const {
  spline_backward<Trapezoids, S>(bins_, bound_, phi, x, dz, dlogdet, dx, dphi);
}

template class QuadraticSpline<float>;
template class QuadraticSpline<double>;

}  // namespace biject
