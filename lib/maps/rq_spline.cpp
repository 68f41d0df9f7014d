#include "maps/rq_spline.hpp"

#include "core/error.hpp"
#include "maps/rq_spline_bins.hpp"
#include "maps/spline_rows.hpp"

namespace biject {

namespace {

template <class S, int K> using Spline = RqSplineBins<S, K, SplineEnds::linear>;

}  // namespace

template <class S> RqSpline<S>::RqSpline(Index bins, double bound) : bins_(bins), bound_(static_cast<S>(bound)) {
  BIJECT_EXPECT(bins >= 2 && bins <= kMostBins && bound > 0);
}

template <class S>
void RqSpline<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  spline_forward<Spline, S>(bins_, bound_, phi, x, z, logdet);
}

template <class S>
void RqSpline<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  spline_inverse<Spline, S>(bins_, bound_, phi, z, x, logdet);
}

template <class S>
void RqSpline<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                           Out<S> dphi) const {
  spline_backward<Spline, S>(bins_, bound_, phi, x, dz, dlogdet, dx, dphi);
}

template class RqSpline<float>;
template class RqSpline<double>;

}  // namespace biject
