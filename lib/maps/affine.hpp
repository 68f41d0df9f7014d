#pragma once

#include "maps/map.hpp"

namespace biject {

/// z = x·eˢ + t, log dz/dx = s, with s = soft_clamp(r, 3); φ = (r, t). The template for new maps: copy this pair of files.
///
/// The clamp keeps the scale within e^±3 per layer, so that a deep flow cannot overflow on the way to a good fit.
///
/// Backward, with a = ∂L/∂z and b = ∂L/∂logdet:
///   ∂L/∂x = a·eˢ      ∂L/∂r = (a·x·eˢ + b)·ds/dr      ∂L/∂t = a
///
/// Dinh, Sohl-Dickstein, Bengio (2017), Density estimation using Real NVP, section 3.
template <class S> class Affine final : public Map<S> {
 public:
  Index params() const override { return 2; }
  void init(VectorOut<S> phi) const override { phi.setZero(); }
  void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const override;
  void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const override;
  void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                Out<S> dphi) const override;
};

}  // namespace biject
