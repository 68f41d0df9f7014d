#include "maps/linear_spline.hpp"

#include "core/error.hpp"
#include "maps/softmax_side.hpp"
#include "maps/spline_rows.hpp"

namespace biject {

namespace {

/// The bin that holds a sample.
template <class S> struct Step {
  Lanes<S> index;           // k, as a number
  Lanes<S> x0, z0, h;       // left knot and height
  Lanes<S> p_h, below_h;    // softmax of the bin, sum of those before it
};

template <class S, int K> class Histogram {
 public:
  Histogram(Index bins, S bound, const PhiGroup<S>& phi)
      : bins_(K > 0 ? K : static_cast<int>(bins)), bound_(bound), w_(2 * bound / static_cast<S>(bins)) {
    heights_.load(bins_, [&](int k) { return phi[k]; });
  }

  void forward(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& is_inside, Lanes<S>& to, Lanes<S>& ld) const {
    Step<S> bin;
    find<false>(at, bin);
    for_each_lane([&](int i) {
      const S s = bin.h[i] / w_, value = bin.z0[i] + s * (at[i] - bin.x0[i]);
      const bool inside = is_inside[i] != 0;
      to[i] = inside ? clamp(value, -bound_, bound_) : from[i];  // rounding must not lead out of [−B, B], where the slope is another
      ld[i] = inside ? log_fast(s) : S(0);
    });
  }

  void inverse(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& is_inside, Lanes<S>& to, Lanes<S>& ld) const {
    Step<S> bin;
    find<true>(at, bin);
    for_each_lane([&](int i) {
      const S s = bin.h[i] / w_, value = bin.x0[i] + (at[i] - bin.z0[i]) / s;
      const bool inside = is_inside[i] != 0;
      to[i] = inside ? clamp(value, -bound_, bound_) : from[i];
      ld[i] = inside ? -log_fast(s) : S(0);
    });
  }

  void backward(const Lanes<S>& at, const Lanes<S>& is_inside, const Lanes<S>& az, const Lanes<S>& al, Lanes<S>& dfrom,
                const PhiGradientGroup<S>& dphi) const {
    Step<S> bin;
    Lanes<S> g_h, mean_h;
    find<false>(at, bin);
    for_each_lane([&](int i) {
      dfrom[i] = is_inside[i] != 0 ? az[i] * (bin.h[i] / w_) : az[i];
      g_h[i] = az[i] * (at[i] - bin.x0[i]) / w_ + al[i] / bin.h[i];
      mean_h[i] = az[i] * bin.below_h[i] + g_h[i] * bin.p_h[i];
    });
    const S share = extent_share(bins_, bound_);
    for_each_bin<K>(bins_, [&](auto k) {
      Lanes<S> dh;
      for_each_lane([&](int i) {
        const S number = static_cast<S>(k), of_h = number < bin.index[i] ? az[i] : (number == bin.index[i] ? g_h[i] : S(0));
        dh[i] = share * is_inside[i] * heights_.e[k][i] * heights_.inverse_sum[i] * (of_h - mean_h[i]);
      });
      dphi.set(k, dh);
    });
  }

 private:
  /// The bin whose left edge, in x (or in z if by_height), is the last one not above `at`, which lies in [−B, B].
  template <bool by_height> void find(const Lanes<S>& at, Step<S>& bin) const {
    const S floor = extent_floor(bound_), share = extent_share(bins_, bound_);
    Lanes<S> z_edge, below_h;
    for_each_lane([&](int i) {
      z_edge[i] = -bound_;
      below_h[i] = 0;
    });
    for_each_bin<K>(bins_, [&](auto k) {
      const S x_edge = -bound_ + static_cast<S>(k) * w_;
      for_each_lane([&](int i) {
        const S p_h = heights_.e[k][i] * heights_.inverse_sum[i], h = floor + share * p_h;
        const bool here = k == 0 || at[i] >= (by_height ? z_edge[i] : x_edge);
        bin.index[i] = here ? static_cast<S>(k) : bin.index[i];
        bin.x0[i] = here ? x_edge : bin.x0[i];
        bin.z0[i] = here ? z_edge[i] : bin.z0[i];
        bin.h[i] = here ? h : bin.h[i];
        bin.p_h[i] = here ? p_h : bin.p_h[i];
        bin.below_h[i] = here ? below_h[i] : bin.below_h[i];
        z_edge[i] += h;
        below_h[i] += p_h;
      });
    });
  }

  int bins_;
  S bound_, w_;
  SoftmaxSide<S, K> heights_;
};

}  // namespace

template <class S> LinearSpline<S>::LinearSpline(Index bins, double bound) : bins_(bins), bound_(static_cast<S>(bound)) {
  BIJECT_EXPECT(bins >= 2 && bins <= kMostBins && bound > 0);
}

template <class S>
void LinearSpline<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  spline_forward<Histogram, S>(bins_, bound_, phi, x, z, logdet);
}

template <class S>
void LinearSpline<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  spline_inverse<Histogram, S>(bins_, bound_, phi, z, x, logdet);
}

template <class S>
void LinearSpline<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                               Out<S> dphi) const {
  spline_backward<Histogram, S>(bins_, bound_, phi, x, dz, dlogdet, dx, dphi);
}

template class LinearSpline<float>;
template class LinearSpline<double>;

}  // namespace biject
