#pragma once

#include "bijectors/bijector.hpp"
#include "maps/map.hpp"
#include "nets/conditioner.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// Each feature through a map shaped by the features before it: z_d = map(x_d; net_d(x_0 … x_{d−1}, c)). One pass of a masked
/// network gives all φ in the direction of density; the other direction is a masked pass, one feature at a time.
///
/// Papamakarios, Pavlakou, Murray (2017), Masked autoregressive flow for density estimation, section 3.
template <class S> class Autoregressive final : public Bijector<S> {
 public:
  Autoregressive(Plan& plan, Index features, Index context, MapPtr<S> map, const NetStyle& style);

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
  ScratchSlot dx_net_;        // n × D
};

}  // namespace biject
