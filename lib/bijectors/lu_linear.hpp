#pragma once

#include "bijectors/bijector.hpp"

namespace biject {

/// An invertible linear map with offset, in factors: z = x·U·L + b as rows, U upper triangular with diagonal e^g > 0, L lower
/// triangular with ones on the diagonal; log|det| = Σ g.
///
/// The parameter `lu` (D × D) holds the strict upper part of U above its diagonal and the strict lower part of L below; the
/// diagonal of `lu` is unused and stays zero. All zeros is the identity.
///
/// Backward, with y = x·U, a = ∂L/∂z, c = a·Lᵀ and β = Σ ∂L/∂logdet:
///   ∂L/∂L = yᵀ·a      ∂L/∂U = xᵀ·c      ∂L/∂x = c·Uᵀ      ∂L/∂g_i = (∂L/∂U)_ii·e^{g_i} + β      ∂L/∂b = Σ a
///
/// Oliva et al. (2018), Transformation autoregressive networks, section 3; Kingma, Dhariwal (2018), section 3.2.
template <class S> class LuLinear final : public Bijector<S> {
 public:
  enum class Start {
    identity,
    whiten,  // z of the data has mean 0 and covariance 1: what a Gaussian base makes of it is the Gaussian fit
  };
  LuLinear(Plan& plan, Index features, Start start = Start::identity);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return true; }

 private:
  void unpack(const Frame<S>& f) const;  // fills u_ and l_ of the scratch

  Start start_;
  Slot lu_, log_diagonal_, bias_;  // D × D, D × 1, D × 1
  Slot u_, l_, d_;                 // D × D each, scratch
  ScratchSlot y_, dy_;             // n × D
};

}  // namespace biject
