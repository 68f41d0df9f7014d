#pragma once

#include "maps/map.hpp"
#include "maps/spline_limits.hpp"

namespace biject {

/// Monotone rational-quadratic spline of K bins on [−B, B], the identity outside (linear tails of slope 1).
///
/// φ = (K raw widths, K raw heights, K − 1 raw slopes at the inner knots): P = 3K − 1. Bins are 2B·(ε + (1 − Kε)·softmax(raw)), slopes
/// ε + softplus(raw + const) with ε = 1e-3 and the constant that makes a raw 0 a slope of 1: φ = 0 is the identity.
/// Derivation of values, inverse and gradients: rq_spline.md.
///
/// Durkan, Bekasov, Murray, Papamakarios (2019), Neural spline flows, section 3.1; Gregory, Delbourgo (1982).
template <class S> class RqSpline final : public Map<S> {
 public:
  /// bins in [2, kMostBins]; bound > 0.
  RqSpline(Index bins, double bound);
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
