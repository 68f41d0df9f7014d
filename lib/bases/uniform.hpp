#pragma once

#include "bases/base.hpp"

namespace biject {

/// The uniform density on the box [−B, B]^D, borders included: log p = −D·log 2B, −∞ outside and where z is not a number. Its
/// gradient is 0 everywhere, so that only a flow which keeps its data inside can be trained with it. No parameters.
///
/// A temperature below 1 shrinks the box from which draws come; one above 1 leaves it as it is.
template <class S> class Uniform final : public Base<S> {
 public:
  /// bound B > 0.
  explicit Uniform(double bound) : bound_(bound) {}

  void init(Arena<S>& theta, const Rng& rng) const override;
  void log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const override;
  void backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return true; }
  void sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature,
              Out<S> z) const override;

 private:
  double bound_;
};

}  // namespace biject
