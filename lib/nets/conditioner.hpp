#pragma once

#include <functional>
#include <memory>

#include "core/frame.hpp"

namespace biject {

/// A network from the features that may be seen (n × I) and the context of the frame (n × C) to parameters (n × O).
/// Context enters the first layer.
///
/// A conditioner knows which inputs each output may depend on: output o sees the first visible(o) inputs. A network
/// without masks is the case in which every output sees all inputs.
template <class S> class Conditioner {
 public:
  virtual ~Conditioner() = default;

  /// Random weights, and zero weights with this bias (O × 1) in the last layer: the output starts constant.
  virtual void init(Arena<S>& theta, const Rng& rng, VectorIn<S> bias) const = 0;
  virtual void forward(const Frame<S>& f, In<S> x, Out<S> y) const = 0;
  /// After forward on the same frame; overwrites dx (n × I).
  virtual void backward(const Frame<S>& f, In<S> x, In<S> dy, Out<S> dx, const Gradient<S>& grad) const = 0;
  /// Whether backward and collect sum by blocks, see Gradient.
  virtual bool sums_by_block() const { return false; }
  /// The masked pass: into y (n × O) come the outputs from `first` on that see as many inputs as it does, once those inputs stand in x.
  /// Called for outputs from left to right, in one call of the layer that owns the network: hidden units that one call completes are
  /// kept for the next, and columns of y further right hold sums that are begun, so that a whole pass reads every weight that is not
  /// masked exactly once. Leaves what forward leaves for backward; dropout silences as many units, but others.
  virtual void reveal(const Frame<S>& f, In<S> x, Index first, Out<S> y) const = 0;
  /// The masked pass of gradients, the mirror of reveal: from ∂L/∂ of outputs [first, first + dy.cols()), all of which see the
  /// same inputs, adds to dx (n × I) what has become known. Called for outputs from right to left, after forward or a masked
  /// pass on the same frame: once all outputs that see input i were given, dx.col(i) is complete. Hidden units whose gradient
  /// is complete are pushed on at once, so that a whole pass reads every weight that is not masked exactly once.
  virtual void conceal(const Frame<S>& f, Index first, In<S> dy, Out<S> dx) const = 0;
  /// Ends the masked pass of gradients: from x and ∂L/∂y of all outputs, adds to the gradient of parameters and context. What
  /// the calls hand on lies in temporary scratch, so that all of them belong into one call of the layer that owns the network.
  virtual void collect(const Frame<S>& f, In<S> x, In<S> dy, const Gradient<S>& grad) const = 0;
};

template <class S> using ConditionerPtr = std::unique_ptr<const Conditioner<S>>;

}  // namespace biject
