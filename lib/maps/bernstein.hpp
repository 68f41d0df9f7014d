#pragma once

#include <array>

#include "maps/map.hpp"

namespace biject {

/// Bernstein polynomial of degree M with increasing coefficients from −B to B on [−B, B], the identity outside:
///   z = Σₖ cₖ C(M, k) uᵏ (1 − u)ᴹ⁻ᵏ,   u = (x + B)/2B,   dz/dx = M/2B Σⱼ δⱼ C(M−1, j) uʲ (1 − u)ᴹ⁻¹⁻ʲ,   δⱼ = cⱼ₊₁ − cⱼ.
///
/// φ = (raw δ₁ … δ_{M−2}): P = M − 2. The first and the last increment are w = 2B/M, which makes the slopes at both ends 1; the others
/// share what is left, δⱼ = w·(ε + (1 − ε)(M − 2)·pⱼ) with p = softmax(raw) and ε = 1e-3. φ = 0 is the identity. So no φ carries a row
/// out of the interval or a far one farther, which coefficients without bounds do: one row 200 deviations out then costs more than
/// all others. The slope is a mean of the δⱼ/w, never below ε. The basis is a product of positive numbers and its sum is 1, so
/// nothing cancels at any degree.
///
/// Backward, with bⱼ the basis of degree M − 1, Tⱼ = u·bⱼ + Σₖ﹥ⱼ bₖ and the gradients of linear_tails.hpp:
///   ∂z/∂δⱼ = Tⱼ      ∂s/∂δⱼ = bⱼ/w      ds/dx = M(M−1)/4B² Σⱼ (δⱼ₊₁ − δⱼ) C(M−2, j) uʲ (1 − u)ᴹ⁻²⁻ʲ
///   gⱼ = w·∂L/∂δⱼ      ∂L/∂rawⱼ = (1 − ε)(M − 2)·pⱼ·(gⱼ − Σₖ pₖgₖ)
///
/// Ramasinghe, Fernando, Khan, Barnes (2021), Robust normalizing flows using Bernstein-type polynomials, section 3;
/// Sick, Hothorn, Dürr (2021), Deep transformation models, section 3.
template <class S> class Bernstein final : public Map<S> {
 public:
  /// bins, the degree, in [kFewestBins, kMostBins]; bound > 0.
  Bernstein(Index bins, double bound);
  static constexpr Index kFewestBins = 4, kMostBins = 64;
  using Binomials = std::array<S, static_cast<std::size_t>(kMostBins)>;

  Index params() const override { return bins_ - 2; }
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
