#pragma once

#include "maps/map.hpp"

namespace biject {

/// The integral of a sum of two squared polynomials of degree r on [−B, B], a straight line outside with the slopes at its ends:
///   z = c + B ∫₀ᵘ g(v) dv,   g(u) = ε + p₁(u)² + p₂(u)²,   pₖ(u) = Σₗ aₖₗ Tₗ(u),   u = x/B,   dz/dx = g(u).
///
/// Two squares give every positive polynomial; ε = 1e-3 keeps the slope positive where both have a zero. The Chebyshev polynomials
/// Tₗ span what powers span, but are of size 1 all over the interval, so that no coefficient must be huge to matter; the straight
/// lines keep x to the power 2r + 1 within the numbers of a computer.
///
/// φ = (c, raw a₁₀ … a₁ᵣ, a₂₀ … a₂ᵣ) with a₁₀ = √(1 − ε) + raw: P = 2r + 3, and φ = 0 is the identity. There p₂ = 0 would have no
/// gradient and stay 0, so training starts at a₂₁ = 0.1, where the slope is within 1 % of 1.
///
/// Products and integrals are exact:   Tᵢ Tⱼ = ½ (Tᵢ₊ⱼ + T|ᵢ₋ⱼ|),   Jₘ(u) = ∫₀ᵘ Tₘ = ½ [Tₘ₊₁/(m+1) − Tₘ₋₁/(m−1)]₀ᵘ for m > 1.
///
/// Backward, with the gradients of linear_tails.hpp:
///   ∂z/∂aₖₗ = B Σᵢ aₖᵢ (Jᵢ₊ₗ + J|ᵢ₋ₗ|)      ∂g/∂aₖₗ = 2 pₖ Tₗ      dg/dx = 2/B Σₖ pₖ pₖ′      Tₗ′ = l·Uₗ₋₁
///
/// Jaini, Selby, Yu (2019), Sum-of-squares polynomial flow, section 3.
template <class S> class SumOfSquares final : public Map<S> {
 public:
  /// bins, the degree of the squared polynomials, in [kFewestBins, kMostBins]; bound > 0.
  SumOfSquares(Index bins, double bound);
  static constexpr Index kFewestBins = 1, kMostBins = 16;

  Index params() const override { return 2 * bins_ + 3; }
  void init(VectorOut<S> phi) const override;
  void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const override;
  void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const override;
  void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                Out<S> dphi) const override;

 private:
  Index bins_;
  S bound_;
};

}  // namespace biject
