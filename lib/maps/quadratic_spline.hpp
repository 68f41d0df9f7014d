#pragma once

#include "maps/map.hpp"
#include "maps/spline_limits.hpp"

namespace biject {

/// Monotone quadratic spline of K bins on [−B, B], the identity outside: the slope dz/dx is piecewise linear and continuous everywhere.
///
/// φ = (K raw widths, K − 1 raw slopes at the inner knots): P = 2K − 1. Widths are 2B·(ε + (1 − Kε)·softmax(raw)), slopes 1 at ±B and
/// ε + C·exp(raw) inside, with ε = 1e-3 and C such that [−B, B] is mapped onto itself: φ = 0 is the identity.
/// Why the ends can be held at 1, and values, inverse and gradients: quadratic_spline.md.
///
/// Müller, McWilliams, Rousselle, Gross, Novák (2019), Neural importance sampling, section 4.3 (there with free slopes at the ends).
template <class S> class QuadraticSpline final : public Map<S> {
 public:
  /// bins in [kFewestBins, kMostBins]; bound > 0.
  QuadraticSpline(Index bins, double bound);
  static constexpr Index kFewestBins = 3;  // two bins leave only the identity
  static constexpr Index kMostBins = kMostSplineBins;

  Index params() const override { return 2 * bins_ - 1; }
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
