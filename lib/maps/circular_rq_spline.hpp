#pragma once

#include "maps/map.hpp"
#include "maps/spline_limits.hpp"

namespace biject {

/// Rational-quadratic spline of K bins on a circle, [−B, B) with its ends joined, turned by a shift; the identity outside.
///
/// φ = (K raw widths, K raw heights, K raw slopes, shift): P = 3K + 1. Widths, heights and slopes as in RqSpline, but knot 0 has a slope too,
/// which is also that of B; and z = wrap(spline(x) + shift), where wrap(y) is the y + 2B·j, j whole, in [−B, B). The shift is any number:
/// shifts that differ by 2B are the same. φ = 0 is the identity.
///
/// So z jumps from B to −B where spline(x) + shift passes B, while its slope, hence a periodic density, is continuous there and at ±B.
/// Wrapping adds a constant: value, inverse and gradients are those of rq_spline.md, and ∂L/∂shift = ∂L/∂z.
///
/// Rezende, Papamakarios, Racanière, Albergo, Kanwar, Shanahan, Cranmer (2020), Normalizing flows on tori and spheres, section 2.1.
template <class S> class CircularRqSpline final : public Map<S> {
 public:
  /// bins in [2, kMostBins]; bound > 0.
  CircularRqSpline(Index bins, double bound);
  static constexpr Index kMostBins = kMostSplineBins;

  Index params() const override { return 3 * bins_ + 1; }
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
