#pragma once

#include "bijectors/bijector.hpp"
#include "ode/net_field.hpp"
#include "ode/runge_kutta.hpp"

namespace biject {

/// A continuous flow: z = x(1) of the solution of dx/dt = v(x, t, c) that starts at x(0) = x, log|det ∂z/∂x| = ∫₀¹ div v dt. The field is
/// a smooth network whose last layer starts at zero, where z = x.
///
/// In training (a frame with noise) the solution is taken in a fixed number of Runge–Kutta steps of order 4 with the field's divergence
/// in training, which is an unbiased estimate if D > NetField::kMostExact, and backward is the exact gradient of that map. In use it is
/// followed to a tolerance with the exact divergence; a row that cannot be followed in AdaptiveSteps::kMostSteps steps is NaN.
/// backward is for frames with noise only. Derivations: continuous.md.
///
/// Chen, Rubanova, Bettencourt, Duvenaud (2018), Neural ordinary differential equations, section 4; Grathwohl et al. (2019), FFJORD.
template <class S> class Continuous final : public Bijector<S> {
 public:
  /// hidden: widths of the network. steps: of Runge–Kutta, in training.
  Continuous(Plan& plan, Index features, Index context, const std::vector<Index>& hidden, Index steps);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;

  /// Flow matching: training without solving anything. Per row, with time t uniform in (0, 1) and e standard normal, both a function of
  /// the noise of the frame and the row, y = (1 − t)x + te: value = −½|v(y, t, c) − (e − x)|². Adds the gradient of Σ weight·value.
  /// At the maximum of the expected value v carries the density of x to the standard normal one.
  ///
  /// Lipman et al. (2023), Flow matching for generative modeling, section 4; Liu, Gong, Liu (2023), Flow straight and fast, section 2;
  /// Albergo, Vanden-Eijnden (2023), Building normalizing flows with stochastic interpolants, section 2.
  void match(const Frame<S>& f, In<S> x, VectorIn<S> weight, VectorOut<S> value, const Gradient<S>& grad) const override;

 private:
  NetField<S> field_;
  FixedSteps<S> in_training_;
  AdaptiveSteps<S> in_use_;
  ScratchSlot y_, target_, velocity_;  // n × D, of match
  ScratchSlot t_;                      // n × 1
};

}  // namespace biject
