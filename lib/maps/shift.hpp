#pragma once

#include "maps/map.hpp"

namespace biject {

/// z = x + t, log dz/dx = 0; φ = (t).   ∂L/∂x = a, ∂L/∂t = a with a = ∂L/∂z.
///
/// Dinh, Krueger, Bengio (2014), NICE: non-linear independent components estimation, equation 3.
template <class S> class Shift final : public Map<S> {
 public:
  Index params() const override { return 1; }
  void init(VectorOut<S> phi) const override { phi.setZero(); }
  void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const override;
  void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const override;
  void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                Out<S> dphi) const override;
};

}  // namespace biject
