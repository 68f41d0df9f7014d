#pragma once

#include "maps/map.hpp"

namespace biject {

/// The sinh-arcsinh transform, for skewness and the weight of both tails: z = sinh(δ·asinh(u) − ε), u = x·eˢ + t.
///
/// φ = (raw s, t, raw ε, raw log δ), soft-clamped: s to ±3, ε and log δ to ±2. φ = 0 is the identity. The inverse, sinh((asinh(z) + ε)/δ),
/// has the same form. ε > 0 draws the density of x out to the right; δ < 1 makes its tails heavier than normal ones, δ > 1 lighter.
///
/// The bounds are as wide as the shapes of data. δ = e⁻² makes 3 deviations of z 3·10⁵ of u, where a Cauchy distribution has 236, and δ = e²
/// packs them into ¼. With ε = 2 and δ = ½ the upper 3 deviations of z lie 37 times farther from the median of u than the lower ones, as in a
/// lognormal distribution with σ = 1.2.
///
/// Beyond |z| = 8 both sides go on as straight lines with the slopes there: with powers of |u| or |z| up to e² in every layer, data far out
/// would leave the range of float within three of them. 8 deviations of z hold every datum that a fit should care about. They lie at
/// |u| ≤ sinh(e²·(asinh 8 + 2)) = 1.1·10¹⁵, so that u² has room in float, and |z| = 10⁶ becomes |u| < 10²¹.
///
/// With y = δ·asinh(u) − ε held to ±asinh 8, v = (y + ε)/δ, and ū = sinh v, z̄ = sinh y, cosh v = √(1 + ū²), cosh y = √(1 + z̄²):
///   m = dz̄/dū = δ·cosh y / cosh v,   z = z̄ + (u − ū)·m,   log dz/dx = s + log m.
///
/// Backward, with a = ∂L/∂z, b = ∂L/∂logdet, ℓ = a·(u − ū)·m + b, and k = tanh y inside, k = tanh(v)/δ on the lines (where y stays and
/// v = (y + ε)/δ moves):
///   ∂L/∂u = a·m + b·(δ·k − tanh v)/cosh v       ∂L/∂ε = −a·cosh y − ℓ·k       ∂L/∂log δ = a·δ·v·cosh y + ℓ·(1 + δ·v·k)
///
/// Jones, Pewsey (2009), Sinh-arcsinh distributions, Biometrika 96, section 2.
template <class S> class SinhArcsinh final : public Map<S> {
 public:
  Index params() const override { return 4; }
  void init(VectorOut<S> phi) const override { phi.setZero(); }
  void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const override;
  void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const override;
  void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                Out<S> dphi) const override;
};

}  // namespace biject
