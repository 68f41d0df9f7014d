#pragma once

#include <memory>

#include "core/frame.hpp"

namespace biject {

/// A smooth bijection of a whole row, D → D. It never changes after construction: its numbers are in the frame.
template <class S> class Bijector {
 public:
  virtual ~Bijector() = default;

  /// Starting parameters. x (any number of rows × D) and context (as many rows × C) are training data as they arrive at
  /// this layer, for starts that depend on them.
  virtual void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const = 0;
  /// x, z n × D. Adds log|det ∂z/∂x| to logdet (n × 1).
  virtual void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const = 0;
  /// Adds log|det ∂x/∂z| to logdet.
  virtual void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const = 0;
  /// After forward on the same frame. From ∂L/∂z (n × D) and ∂L/∂logdet (n × 1): overwrites dx, adds to grad.
  virtual void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                        const Gradient<S>& grad) const = 0;
  /// Whether backward sums by blocks, see Gradient.
  virtual bool sums_by_block() const { return false; }
  /// Of a layer that can be trained without being run (flow matching): value (n × 1) is minus the loss of each row, and the
  /// gradient of Σᵢ weightᵢ · valueᵢ is added to grad. Other layers have no such thing.
  virtual void match(const Frame<S>&, In<S>, VectorIn<S>, VectorOut<S>, const Gradient<S>&) const { BIJECT_EXPECT(false); }
};

template <class S> using BijectorPtr = std::unique_ptr<const Bijector<S>>;

}  // namespace biject
