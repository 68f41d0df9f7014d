#pragma once

#include "bases/base.hpp"

namespace biject {

/// D independent Laplace densities of scale 1, whose variance is 2: log p = −Σ|z| − D·log 2, ∂log p/∂z = −sign z, 0 at the kink
/// z = 0. No parameters.
///
/// Draws: the inverse of the distribution function, −sign(v)·log(1 − |v|) of a uniform v in (−1, 1).
template <class S> class Laplace final : public Base<S> {
 public:
  void init(Arena<S>& theta, const Rng& rng) const override;
  void log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const override;
  void backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return true; }
  void sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature,
              Out<S> z) const override;
};

}  // namespace biject
