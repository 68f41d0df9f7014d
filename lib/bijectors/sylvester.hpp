#pragma once

#include "bijectors/bijector.hpp"
#include "bijectors/reflections.hpp"
#include "bijectors/strict_upper.hpp"
#include "nets/conditioner.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// M bends at once, in a subspace: z = x + Q·R₁·tanh(R₂·Qᵀ·x + b) with x, z as columns. Q (D × M) has orthonormal columns, R₁ and
/// R₂ are upper triangular, log|det| = Σ_i log(1 + r₁ᵢᵢ·r₂ᵢᵢ·tanh'(…)_i).
///
/// Q, the first M columns of the product H_M⋯H₁ of reflections (bijectors/reflections.hpp), and what is above the diagonals are parameters.
/// φ = (b, p, q), P = 3M, one per row, comes from a network of the context; free without context. The diagonals are r₂ = q and
/// r₁ = p·m(pq)/(pq), so that r₁·r₂ = m(pq) > −1 for every p and q (core/above_minus_one.hpp). p = 0 with R₁ zero
/// above its diagonal is the identity, with which it starts: Q and b random, q = 1, R₂ zero above its diagonal.
///
/// The inverse is M increasing equations in one unknown each, from the last coordinate of the subspace to the first. Derivation:
/// sylvester.md.
///
/// Van den Berg, Hasenclever, Tomczak, Welling (2018), Sylvester normalizing flows for variational inference, section 3.
template <class S> class Sylvester final : public Bijector<S> {
 public:
  /// M = min(rank, D).
  Sylvester(Plan& plan, Index features, Index context, const NetStyle& style, Index rank);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;

 private:
  void unpack(const Frame<S>& f) const;  // fills q_, r1_ and r2_ of the scratch

  Index rank_;                   // M
  std::uint64_t place_;          // of this layer among all numbers, for its random start
  Reflections<S> reflections_;
  StrictUpper<S> above1_, above2_;
  ConditionerPtr<S> net_;        // 0 → P
  Slot q_, dq_, taken_back_;     // M × D each, scratch: Qᵀ, its gradient, a copy that is taken apart
  Slot r1_, r2_, dr_;            // M × M each, scratch: what is above the diagonals
  ScratchSlot phi_, dphi_;       // n × P
  ScratchSlot y_, t_, s_;        // n × M: x·Q, tanh(…), what is added in the subspace
  ScratchSlot dy_, dv_, ds_;     // n × M
};

}  // namespace biject
