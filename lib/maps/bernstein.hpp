#pragma once

#include <array>

#include "maps/map.hpp"

namespace biject {

/// Bernstein polynomial of degree M with increasing coefficients on [−B, B], a straight line outside with the slopes at its ends:
///   z = Σₖ cₖ C(M, k) uᵏ (1 − u)ᴹ⁻ᵏ,   u = (x + B)/2B,   dz/dx = M/2B Σⱼ δⱼ C(M−1, j) uʲ (1 − u)ᴹ⁻¹⁻ʲ,   δⱼ = cⱼ₊₁ − cⱼ.
///
/// φ = (t, M raw increments): P = M + 1. δⱼ = 2B/M·(ε + softplus(raw + const)) with ε = 1e-3 and the constant that makes a raw 0
/// an increment of 2B/M; t is the middle of the coefficients' range, (c₀ + c_M)/2. φ = 0 is the identity. The slope is a mean of the
/// scaled increments, never below ε. The basis is a product of positive numbers and its sum is 1, so nothing cancels at any degree.
///
/// Backward, with bⱼ the basis of degree M − 1, Tⱼ = u·bⱼ + Σₖ﹥ⱼ bₖ and the gradients of linear_tails.hpp:
///   ∂z/∂t = 1      ∂z/∂δⱼ = Tⱼ − ½      ∂s/∂δⱼ = M/2B·bⱼ      ds/dx = M(M−1)/4B² Σⱼ (δⱼ₊₁ − δⱼ) C(M−2, j) uʲ (1 − u)ᴹ⁻²⁻ʲ
///
/// Ramasinghe, Fernando, Khan, Barnes (2021), Robust normalizing flows using Bernstein-type polynomials, section 3;
/// Sick, Hothorn, Dürr (2021), Deep transformation models, section 3.
template <class S> class Bernstein final : public Map<S> {
 public:
  /// bins, the degree, in [kFewestBins, kMostBins]; bound > 0.
  Bernstein(Index bins, double bound);
  static constexpr Index kFewestBins = 1, kMostBins = 64;
  using Binomials = std::array<S, static_cast<std::size_t>(kMostBins)>;

  Index params() const override { return bins_ + 1; }
  void init(VectorOut<S> phi) const override { phi.setZero(); }
  void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const override;
  void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const override;
  void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                Out<S> dphi) const override;

 private:
  Index bins_;
  S bound_;
  Binomials of_slope_, of_curvature_;  // C(M − 1, ·) and C(M − 2, ·)
};

}  // namespace biject
