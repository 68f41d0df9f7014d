#pragma once

#include "maps/map.hpp"
#include "maps/spline_limits.hpp"

namespace biject {

/// Monotone cubic Hermite spline of K bins on [−B, B], the identity outside (linear tails of slope 1).
///
/// φ = (K raw widths, K raw heights, K − 1 raw slopes at the inner knots): P = 3K − 1. Widths and heights as in RqSpline. The slope at a knot is a
/// part between 0.02 and 0.98, a sigmoid of its raw number, of what keeps both neighbouring cubics increasing, so that dz/dx has a positive
/// lower bound; at ±B it is 1 if the bin allows it, else the most that it allows. φ = 0 is the identity.
/// Monotonicity, inverse and gradients: cubic_spline.md.
///
/// Durkan, Bekasov, Murray, Papamakarios (2019), Cubic-spline flows, section 3; Fritsch, Carlson (1980), Monotone piecewise cubic
/// interpolation; Steffen (1990), A simple method for monotonic interpolation in one dimension.
template <class S> class CubicSpline final : public Map<S> {
 public:
  /// bins in [2, kMostBins]; bound > 0.
  CubicSpline(Index bins, double bound);
  static constexpr Index kMostBins = kMostSplineBins;

  Index params() const override { return 3 * bins_ - 1; }
  void init(VectorOut<S> phi) const override { phi.setZero(); }
  void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const override;
  void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const override;
  void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                Out<S> dphi) const override;

 private:
  Index bins_;
  S bound_;
};

}  // namespace biject
