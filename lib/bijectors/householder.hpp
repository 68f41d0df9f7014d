#pragma once

#include "bijectors/bijector.hpp"
#include "bijectors/reflections.hpp"

namespace biject {

/// A rotation z = x·H₁·H₂⋯H_k, a product of Householder reflections (bijectors/reflections.hpp); log|det| = 0.
///
/// `reflections` is even; D of them (D − 1 for an odd D) reach every rotation. Starts at the identity, each two neighbours
/// being equal, which already at the first step turn by different amounts.
///
/// Tomczak, Welling (2016), Improving variational auto-encoders using Householder flow.
template <class S> class Householder final : public Bijector<S> {
 public:
  Householder(Plan& plan, Index features, Index reflections);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;

 private:
  Reflections<S> q_;
  ScratchSlot z_, y_;  // n × D: the result; a copy that is taken back
};

}  // namespace biject
