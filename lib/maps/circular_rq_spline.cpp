#include "maps/circular_rq_spline.hpp"

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "maps/rq_spline_bins.hpp"

namespace biject {

namespace {

/// The point of the circle at y, which lies in [−2B, 2B]. The sums are exact, so the result never leaves [−B, B).
template <class S> S wrap(S y, S bound) {
  const S down = y >= bound ? y - 2 * bound : y;
  return y < -bound ? y + 2 * bound : down;
}

template <class S, int K> class Circle {
 public:
  Circle(Index bins, S bound, const PhiGroup<S>& phi)
      : spline_(bins, bound, phi), bound_(bound), below_bound_(bound * (1 - std::numeric_limits<S>::epsilon() / 2)),
        shift_column_(3 * bins) {
    const Lanes<S> raw = phi[shift_column_];
    for_each_lane([&](int i) {
      const S turns = std::floor(raw[i] / (2 * bound) + S(0.5));
      shift_[i] = clamp(raw[i] - turns * (2 * bound), -bound, bound);  // clamped: of a huge shift only the rounding is left
    });
  }

  void forward(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& in_closed, Lanes<S>& to, Lanes<S>& ld) const {
    const Lanes<S> is_inside = without_end(at, in_closed);
    spline_.forward(at, from, is_inside, to, ld);
    for_each_lane([&](int i) {
      const S y = clamp(to[i], -bound_, below_bound_);
      to[i] = is_inside[i] != 0 ? wrap(y + shift_[i], bound_) : to[i];
    });
  }

  void inverse(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& in_closed, Lanes<S>& to, Lanes<S>& ld) const {
    const Lanes<S> is_inside = without_end(at, in_closed);
    Lanes<S> y;
    for_each_lane([&](int i) { y[i] = wrap(at[i] - shift_[i], bound_); });
    spline_.inverse(y, from, is_inside, to, ld);
    for_each_lane([&](int i) { to[i] = is_inside[i] != 0 ? clamp(to[i], -bound_, below_bound_) : to[i]; });
  }

  void backward(const Lanes<S>& at, const Lanes<S>& in_closed, const Lanes<S>& az, const Lanes<S>& al, Lanes<S>& dfrom,
                const PhiGradientGroup<S>& dphi) const {
    const Lanes<S> is_inside = without_end(at, in_closed);
    spline_.backward(at, is_inside, az, al, dfrom, dphi);
    Lanes<S> dshift;
    for_each_lane([&](int i) { dshift[i] = is_inside[i] * az[i]; });
    dphi.set(shift_column_, dshift);
  }

 private:
  /// B itself is outside: on the circle it would be −B over again.
  Lanes<S> without_end(const Lanes<S>& at, const Lanes<S>& in_closed) const {
    Lanes<S> result;
    for_each_lane([&](int i) { result[i] = at[i] < bound_ ? in_closed[i] : S(0); });
    return result;
  }

  RqSplineBins<S, K, SplineEnds::periodic> spline_;
  S bound_, below_bound_;  // B and the number before it
  Index shift_column_;
  Lanes<S> shift_;  // in [−B, B]
};

}  // namespace

template <class S>
CircularRqSpline<S>::CircularRqSpline(Index bins, double bound) : bins_(bins), bound_(static_cast<S>(bound)) {
  BIJECT_EXPECT(bins >= 2 && bins <= kMostBins && bound > 0);
}

template <class S>
void CircularRqSpline<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  spline_forward<Circle, S>(bins_, bound_, phi, x, z, logdet);
}

template <class S>
void CircularRqSpline<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  spline_inverse<Circle, S>(bins_, bound_, phi, z, x, logdet);
}

template <class S>
void CircularRqSpline<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                                   Out<S> dphi) const {
  spline_backward<Circle, S>(bins_, bound_, phi, x, dz, dlogdet, dx, dphi);
}

template class CircularRqSpline<float>;
template class CircularRqSpline<double>;

}  // namespace biject
