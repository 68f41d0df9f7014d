#pragma once

#include <optional>

#include "nets/conditioner.hpp"
#include "nets/linear.hpp"
#include "nets/masks.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// A residual network with activation before each product (He et al. 2016, Identity mappings in deep residual networks; in
/// flows: Durkan et al. 2019, appendix B): h = x·W₀ + c·V + b₀; per block h ← h + act(act(h)·W₁ + b₁)·W₂ + b₂; y = h·W + b.
/// Dropout acts on the inner hidden units. With masks both ends of a skip have the same degree.
template <class S> class ResidualNet final : public Conditioner<S> {
 public:
  /// style.hidden holds one width.
  ResidualNet(Plan& plan, const NetShape& shape, const NetStyle& style);

  void init(Arena<S>& theta, const Rng& rng, VectorIn<S> bias) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> y) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dy, Out<S> dx, const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return true; }
  void reveal(const Frame<S>& f, In<S> x, Index first, Out<S> y) const override;
  void conceal(const Frame<S>& f, Index first, In<S> dy, Out<S> dx) const override;
  void collect(const Frame<S>& f, In<S> x, In<S> dy, const Gradient<S>& grad) const override;

 private:
  struct Affine {
    Linear<S> weights;
    Slot bias;  // outputs × 1
  };
  struct Block {
    Affine inner, outer;
    ScratchSlot a, u;    // n × H: act(h), act(a·W₁ + b₁)
    // n × H, of masked passes alone: ∂L/∂(h before the block), ∂L/∂(a·W₁ + b₁); of u·W₂ + b₂, what is known so far.
    ScratchSlot dh, du, begun;
  };
  static Affine make(Plan& plan, const std::string& number, Index inputs, std::vector<Index> prefix);

  Degrees outputs_, hidden_;
  HiddenUnits units_;
  std::vector<Affine> ends_;  // first and last
  std::vector<Block> blocks_;
  std::optional<Linear<S>> from_context_;
  ScratchSlot h_;        // n × H, the running sum; after forward what the last layer saw
  ScratchSlot dh_, du_;  // n × H; ∂L/∂h, at first of what the last layer saw
};

}  // namespace biject
