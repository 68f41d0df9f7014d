#pragma once

#include "bases/base.hpp"

namespace biject {

/// D independent standard normals: log p = −Σ z²/2 − D/2·log 2π, ∂log p/∂z = −z. No parameters.
template <class S> class StandardNormal final : public Base<S> {
 public:
  void init(Arena<S>& theta, const Rng& rng) const override;
  void log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const override;
  void backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return true; }
  void sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature,
              Out<S> z) const override;
};

}  // namespace biject
