#pragma once

#include <optional>

#include "nets/conditioner.hpp"
#include "nets/linear.hpp"
#include "nets/masks.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// A plain network: h₁ = act(x·W₀ + c·V + b₀), hₖ₊₁ = act(hₖ·Wₖ + bₖ), y = h·W + b. Without hidden layers y = x·W₀ + c·V + b₀.
/// With masks it is MADE (Germain et al. 2015).
template <class S> class Mlp final : public Conditioner<S> {
 public:
  Mlp(Plan& plan, const NetShape& shape, const NetStyle& style);

  void init(Arena<S>& theta, const Rng& rng, VectorIn<S> bias) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> y) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dy, Out<S> dx, const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return true; }
  void reveal(const Frame<S>& f, In<S> x, Index first, Out<S> y) const override;
  void conceal(const Frame<S>& f, Index first, In<S> dy, Out<S> dx) const override;
  void collect(const Frame<S>& f, In<S> x, In<S> dy, const Gradient<S>& grad) const override;

 private:
  struct Layer {
    Linear<S> weights;
    Slot bias;      // outputs × 1
    ScratchSlot h;  // n × outputs; of the last layer, unused
  };
  std::vector<Degrees> degrees_;           // of the inputs, of the outputs of each layer
  HiddenUnits units_;
  std::vector<Layer> layers_;              // the hidden ones and the last
  std::optional<Linear<S>> from_context_;  // C × outputs of the first layer, if C > 0
  std::vector<ScratchSlot> d_;             // n × widest, ∂L/∂h: of two neighbours in backward, of each layer in conceal
};

}  // namespace biject
