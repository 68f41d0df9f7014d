#pragma once

#include "maps/map.hpp"
#include "maps/spline_limits.hpp"

namespace biject {

/// Monotone linear spline of K bins of equal width on [−B, B], the identity outside: the density is a histogram.
///
/// φ = (K raw heights): P = K. With w = 2B/K, heights h = 2B·(ε + (1 − Kε)·softmax(φ)), ε = 1e-3, and a sample in bin k at ξ of its width,
///   z = z0 + h·ξ,   log dz/dx = log(h/w);   φ = 0 is the identity.
/// The slope jumps at the knots and at ±B: a histogram cannot do otherwise.
///
/// Backward, with a = ∂L/∂z and b = ∂L/∂logdet:
///   ∂L/∂x = a·h/w      ∂L/∂h_k = a·ξ + b/h      ∂L/∂h_j = a for j < k      and softmax as in rq_spline.md (16)
///
/// Müller, McWilliams, Rousselle, Gross, Novák (2019), Neural importance sampling, section 4.2.
template <class S> class LinearSpline final : public Map<S> {
 public:
  /// bins in [2, kMostBins]; bound > 0.
  LinearSpline(Index bins, double bound);
  static constexpr Index kMostBins = kMostSplineBins;

  Index params() const override { return bins_; }
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
