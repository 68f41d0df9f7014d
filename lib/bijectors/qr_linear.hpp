#pragma once

#include "bijectors/bijector.hpp"
#include "bijectors/reflections.hpp"
#include "bijectors/strict_upper.hpp"

namespace biject {

/// An invertible linear map with offset, in factors: z = x·Q·R + b as rows, Q a rotation (bijectors/reflections.hpp), R upper
/// triangular with diagonal e^g > 0; log|det| = Σ g.
///
/// Every matrix of positive determinant is such a product: Q has D reflections, D − 1 for an odd D. It starts as the identity.
///
/// Backward, with y = x·Q, a = ∂L/∂z, c = a·Rᵀ and β = Σ ∂L/∂logdet:
///   ∂L/∂R = yᵀ·a      ∂L/∂Q = xᵀ·c      ∂L/∂x = c·Qᵀ      ∂L/∂g_i = (∂L/∂R)_ii·e^{g_i} + β      ∂L/∂b = Σ a
///
/// Hoogeboom, van den Berg, Welling (2019), Emerging convolutions for generative normalizing flows.
template <class S> class QrLinear final : public Bijector<S> {
 public:
  enum class Start {
    identity,
    whiten,  // z of the data has mean 0 and covariance 1: what a Gaussian base makes of it is the Gaussian fit
  };
  QrLinear(Plan& plan, Index features, Start start = Start::identity);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;

 private:
  void unpack(const Frame<S>& f) const;  // fills q_ and r_ of the scratch

  Start start_;
  Reflections<S> reflections_;
  StrictUpper<S> upper_;
  Slot log_diagonal_, bias_;   // D × 1 each
  Slot q_, r_, dq_, d_;        // D × D each, scratch; d_ also holds the copy of Q that is taken apart
  ScratchSlot y_, dy_;         // n × D
};

}  // namespace biject
