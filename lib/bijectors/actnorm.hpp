#pragma once

#include "bijectors/bijector.hpp"

namespace biject {

/// One scale and one shift per feature: z = (x + t)·eˢ, log|det| = Σ s. Starts so that z of the data it is given has mean 0
/// and variance 1; from then on s and t are ordinary parameters, in the model file like all others.
///
/// Backward, with a = ∂L/∂z and b = ∂L/∂logdet, sums over the rows:
///   ∂L/∂x = a·eˢ      ∂L/∂t = Σ a·eˢ      ∂L/∂s = Σ (a·z + b)
///
/// Kingma, Dhariwal (2018), Glow: generative flow with invertible 1×1 convolutions, section 3.1.
template <class S> class ActNorm final : public Bijector<S> {
 public:
  ActNorm(Plan& plan, Index features);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return true; }

 private:
  Slot log_scale_, shift_;  // D × 1
};

}  // namespace biject
