#pragma once

#include "bijectors/bijector.hpp"
#include "maps/map.hpp"
#include "nets/conditioner.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// One part of the row passes unchanged and shapes the maps of the other: z_A = x_A, z_B = map(x_B; net(x_A, c)).
/// A is the first ⌊D/2⌋ features, or the last if flipped; with D = 1 it is empty.
///
/// Dinh, Krueger, Bengio (2014), NICE, section 3.1.
template <class S> class Coupling final : public Bijector<S> {
 public:
  Coupling(Plan& plan, Index features, Index context, MapPtr<S> map, const NetStyle& style, bool is_flipped = false);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return net_->sums_by_block(); }

 private:
  Index kept_, first_kept_;         // A: how many features, which is the first
  Index changed_, first_changed_;   // B
  MapPtr<S> map_;
  ConditionerPtr<S> net_;           // |A| → |B|·P
  ScratchSlot phi_, dphi_;          // n × |B|·P
  ScratchSlot dkept_;               // n × |A|
};

}  // namespace biject
