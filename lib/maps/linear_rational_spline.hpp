#pragma once

#include "maps/map.hpp"
#include "maps/spline_limits.hpp"

namespace biject {

/// Monotone linear-rational spline of K bins on [−B, B], the identity outside (linear tails of slope 1): in each bin two pieces, ratios of
/// linear functions, that meet at a part λ of its width, with continuous slope everywhere.
///
/// φ = (K raw widths, K raw heights, K − 1 raw slopes at the inner knots, K raw λ): P = 4K − 1. Widths, heights and slopes as in RqSpline,
/// λ = 1/40 + 19/20·sigmoid(raw): φ = 0 is the identity. Values, inverse and gradients: linear_rational_spline.md.
///
/// Dolatabadi, Erfani, Leckie (2020), Invertible generative modeling using linear rational splines, section 3; Fuhr, Kallay (1992),
/// Monotone linear rational spline interpolation.
template <class S> class LinearRationalSpline final : public Map<S> {
 public:
  /// bins in [2, kMostBins]; bound > 0.
  LinearRationalSpline(Index bins, double bound);
  static constexpr Index kMostBins = kMostSplineBins;

  Index params() const override { return 4 * bins_ - 1; }
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
