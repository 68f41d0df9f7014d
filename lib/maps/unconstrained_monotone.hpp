#pragma once

#include <array>

#include "maps/map.hpp"

namespace biject {

/// The integral of a positive network of one real on [−B, B], a straight line outside with the slopes at its ends:
///   z = t + ∫₀ˣ g(y/B) dy,   g(u) = exp(c + w(u)),   w(u) = Σₖ vₖ tanh(aₖ u + bₖ),   log dz/dx = c + w(x/B).
///
/// φ = (t, raw c, K raw v, K raw a, K b): P = 3K + 2, K hidden units. |c| < 3, |aₖ| < 6 and Σₖ |vₖ| < 3 by smooth bounds: a factor of
/// 400 between the slopes of a layer, and bends that the quadrature of 48 steps resolves to 1e-9 whatever φ is. v = 0 is the identity.
/// Training starts there, with steps of medium width spread over (−1, 1): every v has a gradient at once, and a and b as soon as it moves.
/// Quadrature, bounds and gradients: unconstrained_monotone.md.
///
/// Wehenkel, Louppe (2019), Unconstrained monotonic neural networks, section 2.
template <class S> class UnconstrainedMonotone final : public Map<S> {
 public:
  /// bins, the number of hidden units, in [kFewestBins, kMostBins]; bound > 0.
  UnconstrainedMonotone(Index bins, double bound);
  static constexpr Index kFewestBins = 1, kMostBins = 64;

  /// The Clenshaw–Curtis rule on [0, 1].
  struct Quadrature {
    static constexpr int kNodes = 49;
    std::array<S, kNodes> node, weight;
    Quadrature();
  };

  Index params() const override { return 3 * bins_ + 2; }
  void init(VectorOut<S> phi) const override;
  void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const override;
  void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const override;
  void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                Out<S> dphi) const override;

 private:
  Index bins_;
  S bound_;
  Quadrature quadrature_;
};

}  // namespace biject
