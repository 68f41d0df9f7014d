#pragma once

#include "bases/base.hpp"
#include "nets/conditioner.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// An autoregressive density, each conditional a mixture of K normals shaped by the features before it: one pass of a masked
/// network gives p(z | c) = Π_d p(z_d | z_0 … z_{d−1}, c); draws are a masked pass, one feature at a time.
///
/// φ_d = (K logits a, K means m, K raw scales r). With s = soft_clamp(r, 5), t_k = (z_d − m_k)·e^−s_k and w = softmax(a),
///
///   log p(z_d | …) = log Σ_k e^{q_k} − log Σ_k e^{a_k}      q_k = a_k − s_k − t_k²/2 − ½·log 2π
///
/// Backward, with ρ = softmax(q) and g = ∂L/∂logp; the network hands ∂L/∂φ on to the features before:
///   ∂L/∂z_d = −g·Σ_k ρ_k·t_k·e^−s_k      ∂L/∂m_k = g·ρ_k·t_k·e^−s_k
///   ∂L/∂r_k = g·ρ_k·(t_k² − 1)·ds/dr      ∂L/∂a_k = g·(ρ_k − w_k)
///
/// Starts near a standard normal, all means apart. The temperature multiplies the deviation of each feature from the mean of the
/// component that was drawn; the network sees features drawn at that temperature.
///
/// Germain, Gregor, Murray, Larochelle (2015), MADE: masked autoencoder for distribution estimation, section 4;
/// Papamakarios, Pavlakou, Murray (2017), Masked autoregressive flow for density estimation, section 4 (MADE MoG).
template <class S> class MadeMog final : public Base<S> {
 public:
  /// components in [1, kMostComponents].
  MadeMog(Plan& plan, Index features, Index context, Index components, const NetStyle& style);
  static constexpr Index kMostComponents = 64;

  void init(Arena<S>& theta, const Rng& rng) const override;
  void log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const override;
  void backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return net_->sums_by_block(); }
  void sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature,
              Out<S> z) const override;

 private:
  Index features_, components_;
  ConditionerPtr<S> net_;   // D → D·3K, outputs of feature d see d inputs
  ScratchSlot phi_, dphi_;  // n × D·3K
  ScratchSlot dz_net_;      // n × D
};

}  // namespace biject
