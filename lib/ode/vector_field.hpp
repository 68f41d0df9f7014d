#pragma once

#include "core/frame.hpp"

namespace biject {

/// The right-hand side of dx/dt = v(t, x, c), with its divergence Σ ∂v_d/∂x_d, which is the rate of change of log|det ∂x(t)/∂x(0)|.
///
/// Each row has its own time. On a frame with noise the divergence may be an unbiased estimate; it is then a function of the noise that
/// does not change while a solution is followed.
template <class S> class VectorField {
 public:
  virtual ~VectorField() = default;

  virtual void init(Arena<S>& theta, const Rng& rng) const = 0;
  /// t n × 1, x n × D: overwrites v (n × D) and divergence (n × 1).
  virtual void forward(const Frame<S>& f, VectorIn<S> t, In<S> x, Out<S> v, VectorOut<S> divergence) const = 0;
  /// After forward at the same place, on a frame with noise. From ∂L/∂v and ∂L/∂divergence: overwrites dx, adds to grad.
  virtual void backward(const Frame<S>& f, VectorIn<S> t, In<S> x, In<S> dv, VectorIn<S> ddivergence, Out<S> dx,
                        const Gradient<S>& grad) const = 0;
};

}  // namespace biject
