#pragma once

#include "bases/base.hpp"

namespace biject {

/// D independent logistic densities of scale 1, whose variance is π²/3: log p = −Σ (|z| + 2·log(1 + e^−|z|)),
/// ∂log p/∂z = −tanh(z/2). Tails between those of a normal and of a Student t. No parameters.
///
/// Draws: the inverse of the distribution function, log u − log(1 − u) of a uniform u in (0, 1).
/// Dinh, Krueger, Bengio (2015), NICE: non-linear independent components estimation, section 3.4.
template <class S> class Logistic final : public Base<S> {
 public:
  void init(Arena<S>& theta, const Rng& rng) const override;
  void log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const override;
  void backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return true; }
  void sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature,
              Out<S> z) const override;
};

}  // namespace biject
