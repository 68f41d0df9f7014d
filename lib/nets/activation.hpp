#pragma once

#include <string_view>

#include "core/frame.hpp"

namespace biject {

/// Activation functions whose derivative is a function of their value, so that the value is all that has to be kept. Products apply them
/// to what they compute, before it goes to memory (nets/dense.hpp).
enum class Activation { none, relu, tanh };

/// Empty names and unknown ones are mistakes of the programmer: specs are checked before.
Activation activation_of(std::string_view name);

/// What follows a product in a hidden layer: activation and in training the random silencing of units (inverted dropout;
/// Srivastava et al. 2014).
struct HiddenUnits {
  Activation activation = Activation::relu;
  double dropout = 0;  // probability, applied in steps of 1/256
};

/// y (n × H), in place: some of the units to zero, the others larger in turn. With f.noise null nothing is silenced. `key` tells the
/// layers of a network apart (any number that differs).
template <class S> void silence(const HiddenUnits& units, const Frame<S>& f, Index key, Out<S> y);
/// y = act(x), of what no product has just computed. y may be x.
template <class S> void activate(Activation activation, In<S> x, Out<S> y);
/// dy, in place, from ∂L/∂y to ∂L/∂(argument of act), given y after activation and silence on the same frame.
template <class S> void activate_backward(const HiddenUnits& units, const Frame<S>& f, In<S> y, Out<S> dy);
/// … after activation alone.
template <class S> void activate_backward(Activation activation, In<S> y, Out<S> dy);
/// bias (columns of dy × 1) += Σ over rows of dy, by blocks.
template <class S> void backward_bias(In<S> dy, Slot bias, const Gradient<S>& grad);

}  // namespace biject
