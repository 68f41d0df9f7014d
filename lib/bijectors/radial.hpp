#pragma once

#include "bijectors/bijector.hpp"
#include "nets/conditioner.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// A swelling or a shrinking around a point: z = x + γ·p·(x − x₀) with p = α/(α + r), r = |x − x₀|, γ > −1, α > 0.
/// With β = αγ it is z = x + β·h·(x − x₀), h = 1/(α + r). log|det| = (D − 1)·log(1 + γp) + log(1 + γp²).
///
/// φ = (x₀, raw α, raw γ), P = D + 2, one per row, from a network of the context; free without context. α = e^soft_clamp(raw α, 10)
/// is the radius within which it acts, γ = m(raw γ) (core/above_minus_one.hpp) the strength at x₀. A raw γ of 0 is the identity,
/// with which it starts, around a random point.
///
/// The inverse is in closed form. Derivation of determinant, inverse and gradients: radial.md.
///
/// Rezende, Mohamed (2015), Variational inference with normalizing flows, section 4.1 and appendix A.2.
template <class S> class Radial final : public Bijector<S> {
 public:
  Radial(Plan& plan, Index features, Index context, const NetStyle& style);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;

 private:
  std::uint64_t place_;      // of this layer among all numbers, for its random start
  ConditionerPtr<S> net_;    // 0 → P
  ScratchSlot phi_, dphi_;   // n × P
};

}  // namespace biject
