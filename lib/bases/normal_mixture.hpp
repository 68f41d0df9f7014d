#pragma once

#include "bases/base.hpp"

namespace biject {

/// A mixture of K normals of D features with diagonal covariances, all learned: for data in clumps, which a flow can only tear
/// apart with steep slopes. With s = soft_clamp(r, 5), t_kd = (z_d − m_kd)·e^−s_kd and w = softmax(a),
///
///   log p = log Σ_k w_k·p_k      log p_k = −Σ_d (t_kd²/2 + s_kd + ½·log 2π)
///
/// Backward, with the probability ρ_k = w_k·p_k/p of component k given z and g = ∂L/∂logp:
///   ∂L/∂z_d = −g·Σ_k ρ_k·t_kd·e^−s_kd      ∂L/∂m_kd = g·ρ_k·t_kd·e^−s_kd
///   ∂L/∂r_kd = g·ρ_k·(t_kd² − 1)·ds/dr      ∂L/∂a_k = g·(ρ_k − w_k)
///
/// Starts near a standard normal, with means so far apart that the components can part. The temperature multiplies the
/// deviation from the mean of the component that was drawn.
///
/// Izmailov, Kirichenko, Finzi, Wilson (2020), Semi-supervised learning with normalizing flows, section 3 (the base alone).
template <class S> class NormalMixture final : public Base<S> {
 public:
  /// components in [1, kMostComponents].
  NormalMixture(Plan& plan, Index features, Index components);
  static constexpr Index kMostComponents = 64;

  void init(Arena<S>& theta, const Rng& rng) const override;
  void log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const override;
  void backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const override;
  void sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature,
              Out<S> z) const override;

 private:
  Slot logits_;             // K × 1: a
  Slot means_, raw_scales_;  // D × K: m, r
  ScratchSlot posterior_;   // n × K: ρ
};

}  // namespace biject
