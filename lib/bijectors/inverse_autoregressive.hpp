#pragma once

#include "bijectors/bijector.hpp"
#include "maps/map.hpp"
#include "nets/conditioner.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// Each feature through a map shaped by the outputs before it: z_d = map(x_d; net_d(z_0 … z_{d−1}, c)). The mirror of
/// Autoregressive: from noise to data is one pass of a masked network, from data to noise a masked pass, one feature at a time.
///
/// The gradient is a masked pass too, from the last feature to the first, so that training by maximum likelihood reads every
/// weight as often as that of Autoregressive: inverse_autoregressive.md.
///
/// Kingma, Salimans, Jozefowicz, Chen, Sutskever, Welling (2016), Improved variational inference with inverse autoregressive
/// flow, section 4.
template <class S> class InverseAutoregressive final : public Bijector<S> {
 public:
  InverseAutoregressive(Plan& plan, Index features, Index context, MapPtr<S> map, const NetStyle& style);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return net_->sums_by_block(); }

 private:
  MapPtr<S> map_;
  ConditionerPtr<S> net_;     // D → D·P, outputs of feature d see d inputs
  ScratchSlot phi_, dphi_;    // n × D·P
  ScratchSlot z_, dz_;        // n × D: what the network saw, and ∂L/∂ of it by all paths
};

}  // namespace biject
