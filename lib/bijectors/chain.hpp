#pragma once

#include <string_view>
#include <vector>

#include "bijectors/bijector.hpp"

namespace biject {

/// Bijectors one after the other; what a recipe of the catalogue fills. An empty chain is the identity.
template <class S> class Chain final : public Bijector<S> {
 public:
  Chain(Plan& plan, Index features, Index context);

  /// Appends Layer(plan, args...); its parameters are named NUMBER.name.… .
  template <class Layer, class... Args> void add(std::string_view name, Args&&... args) {
    const Plan::Scope scope(plan_, std::to_string(layers_.size()) + '.' + std::string(name));
    const LayerScope layer(plan_.scratch());
    append(std::make_unique<Layer>(plan_, std::forward<Args>(args)...));
  }
  void append(BijectorPtr<S> layer);

  Index features() const { return features_; }
  Index context() const { return context_; }
  Index size() const { return std::ssize(layers_); }

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;
  bool sums_by_block() const override;
  /// The last layer is trained on what the layers before it make of x; those stay as they started.
  void match(const Frame<S>& f, In<S> x, VectorIn<S> weight, VectorOut<S> value, const Gradient<S>& grad) const override;

 private:
  Plan& plan_;  // used while the chain is filled, not after
  Index features_, context_;
  std::vector<BijectorPtr<S>> layers_;
  std::vector<ScratchSlot> between_;  // n × D: what layer i + 1 reads
  ScratchSlot d_[2];                  // n × D: ∂L/∂ of two neighbours
};

}  // namespace biject
