#pragma once

#include "bases/base.hpp"

namespace biject {

/// D independent Student-t densities, each with its own learned degrees of freedom ν = 1 + eʳ: for heavy tails, which a flow that
/// is linear far out hands on from its base.
///
///   log p = log Γ((ν+1)/2) − log Γ(ν/2) − ½ log νπ − (ν+1)/2 · log(1 + z²/ν)
///   ∂/∂z = −(ν+1)·z / (ν + z²)
///   ∂/∂ν = ½ψ((ν+1)/2) − ½ψ(ν/2) − 1/(2ν) − ½ log(1 + z²/ν) + (ν+1)·z² / (2ν(ν + z²))
///
/// Draws: Bailey (1994), Polar generation of random variates with the t-distribution: √(ν(u^(−2/ν) − 1))·cos 2πv.
/// Jaini, Kobyzev, Yu, Brubaker (2020), Tails of Lipschitz triangular flows, section 4.
template <class S> class StudentT final : public Base<S> {
 public:
  StudentT(Plan& plan, Index features);

  void init(Arena<S>& theta, const Rng& rng) const override;
  void log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const override;
  void backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return true; }
  void sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature,
              Out<S> z) const override;

 private:
  double freedom(const Arena<S>& theta, Index feature) const;  // ν
  Slot log_excess_;                                            // D × 1: r
};

}  // namespace biject
