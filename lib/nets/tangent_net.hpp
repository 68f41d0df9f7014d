#pragma once

#include <vector>

#include "core/frame.hpp"

namespace biject {

/// `blocks` blocks of n rows and `cols` columns, one below the other: (blocks·n) × cols numbers of a slot that was reserved with
/// blocks·cols columns or more. Row m·n + i belongs to sample i.
template <class S>
Eigen::Map<Matrix<S>> stacked(Workspace<S>& scratch, const ScratchSlot& slot, Index blocks, Index cols) {
  return {scratch[slot].data(), blocks * scratch.rows(), cols};
}

/// A smooth plain network that also differentiates itself: h₁ = tanh(x·W₀ + c·V + b₀), hₖ₊₁ = tanh(hₖ·Wₖ + bₖ), y = h·W + b, and the
/// products J·t of its Jacobian ∂y/∂x with tangents t. M tangents per sample stand one below the other: (M·n) × I.
///
/// The order of calls on one frame: forward, push (any number of times); then begin_backward, pull (each after a push of the same
/// tangents, any number of times), backward. Gradients of first and second order: tangent_net.md.
template <class S> class TangentNet {
 public:
  struct Shape {
    Index inputs = 0, context = 0;
    std::vector<Index> hidden;  // widths
    Index outputs = 0;
    Index tangents = 1;         // most that are pushed at once
  };
  enum class Weights {
    own,    // parameters
    given,  // the owner of the network fills weights(i) of the scratch before forward and reads dweights(i) after backward
  };
  enum class Memory {
    kept,       // lives from forward to backward, as the scratch of a layer
    temporary,  // forward and backward happen within one call of the owner
  };
  TangentNet(Plan& plan, const Shape& shape, Weights weights, Memory memory);

  /// Weights uniform in ±gain/√inputs, biases uniform in ±spread, zeros in the last layer: y = 0.
  void init(Arena<S>& theta, const Rng& rng, double gain = 1, double spread = 0) const;

  /// x n × I, y n × O.
  void forward(const Frame<S>& f, In<S> x, Out<S> y) const;
  /// jt = J·t; t (M·n) × I, jt (M·n) × O.
  void push(const Frame<S>& f, In<S> t, Out<S> jt) const;
  void begin_backward(const Frame<S>& f) const;
  /// From ∂L/∂(J·t): overwrites dt = ∂L/∂t (a dt without columns is not wanted), adds to the gradient of the weights and keeps for
  /// backward what L owes to x, biases and context through J.
  void pull(const Frame<S>& f, In<S> t, In<S> djt, Out<S> dt, const Gradient<S>& grad) const;
  /// From ∂L/∂y: overwrites dx, adds the rest of the gradients, those through J included.
  void backward(const Frame<S>& f, In<S> x, In<S> dy, Out<S> dx, const Gradient<S>& grad) const;

  /// Products of weights that x passes on its way to y.
  Index depth() const { return std::ssize(layers_); }
  const Slot& parameter(Index layer) const { return at(layer).w; }          // inputs × outputs, of θ
  const Slot& weights(Index layer) const { return at(layer).given; }        // if given: as large, of the scratch
  const Slot& dweights(Index layer) const { return at(layer).dgiven; }      // if given: as large, of the scratch
  /// A number that differs between the networks of a flow, for independent draws.
  std::uint32_t key() const { return static_cast<std::uint32_t>(layers_.front().w.offset); }

 private:
  struct Layer {
    Slot w, b;             // inputs × outputs, outputs × 1
    Slot given, dgiven;    // scratch, as w
    ScratchSlot h, t, q;   // n × outputs, M·n × outputs, n × outputs: value, tangents, curvature (7); unused in the last
  };
  const Layer& at(Index layer) const { return layers_[static_cast<std::size_t>(layer)]; }
  In<S> w(const Frame<S>& f, const Layer& layer) const;
  Out<S> dw(const Frame<S>& f, const Layer& layer, const Gradient<S>& grad) const;

  Weights source_;
  Index context_;
  std::vector<Layer> layers_;  // the hidden ones and the last
  Slot v_;                     // C × outputs of the first layer, if C > 0
  ScratchSlot d_[2];           // n × widest, gradients of two neighbours
};

}  // namespace biject
