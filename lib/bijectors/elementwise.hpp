#pragma once

#include "bijectors/bijector.hpp"
#include "maps/map.hpp"
#include "nets/conditioner.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// The same map on every feature, each with its own φ, which is a network of the context alone; by default φ = c·V + b. Without
/// context φ is free.
template <class S> class Elementwise final : public Bijector<S> {
 public:
  Elementwise(Plan& plan, Index features, Index context, MapPtr<S> map, const NetStyle& style = {});

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return net_->sums_by_block(); }

 private:
  MapPtr<S> map_;
  ConditionerPtr<S> net_;    // 0 → D·P
  ScratchSlot phi_, dphi_;   // n × D·P
};

}  // namespace biject
