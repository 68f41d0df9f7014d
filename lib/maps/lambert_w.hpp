#pragma once

#include "maps/map.hpp"

namespace biject {

/// The heavy-tail Lambert W × Gaussian transform, which makes heavy tails normal: z = sgn(u) √(W(δu²)/δ), u = x·eˢ + t, δ one number for
/// each side of u = 0. Its inverse is u = z·e^(δz²/2); beyond |z| = 8 both go on as straight lines with the slopes there.
///
/// φ = (raw s, t, raw δ₋, raw δ₊), s soft-clamped to ±3, δ = sigmoid(raw + const) in (0, 1): from normal to tails of index 1/δ > 1, which
/// have a mean. φ = 0 is δ = 0.05, where |z − x| is 2.5 % of |x| at 1 and 15 % at 3.
/// 8 deviations of z, e³² deviations of u at most, hold every datum that a fit should care about, and |z| = 10⁶ becomes less than 10²².
///
/// With w = W(δū²) ≥ 0, ū = u clamped to ±8 e^(32δ) and c = ū·e^(−w/2), so that w = δc², nothing is divided by δ or u:
///   z = c + (u − ū)·e^(−w/2)/(1 + w),   log dz/dx = s − w/2 − log(1 + w).
/// Gradients, and the computation of W: lambert_w.md.
///
/// Goerg (2015), The Lambert way to Gaussianize heavy-tailed data with the inverse of Tukey's h transformation as a special case, section 2.
template <class S> class LambertW final : public Map<S> {
 public:
  Index params() const override { return 4; }
  void init(VectorOut<S> phi) const override { phi.setZero(); }
  void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const override;
  void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const override;
  void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                Out<S> dphi) const override;
};

}  // namespace biject
