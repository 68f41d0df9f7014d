#pragma once

#include "nets/tangent_net.hpp"
#include "ode/vector_field.hpp"

namespace biject {

/// A vector field that is a smooth network of ([x, t], c).
///
/// Its divergence is exact (D unit tangents) when the field is used, and in training if D ≤ kMostExact; else, in training, it is
/// Hutchinson's estimate uᵀ(∂v/∂x)u with one random sign u_d per row and feature, drawn from the noise.
///
/// Grathwohl, Chen, Bettencourt, Sutskever, Duvenaud (2019), FFJORD, section 3.1.
template <class S> class NetField final : public VectorField<S> {
 public:
  NetField(Plan& plan, Index features, Index context, const std::vector<Index>& hidden);
  static constexpr Index kMostExact = 8;

  void init(Arena<S>& theta, const Rng& rng) const override;
  void forward(const Frame<S>& f, VectorIn<S> t, In<S> x, Out<S> v, VectorOut<S> divergence) const override;
  void backward(const Frame<S>& f, VectorIn<S> t, In<S> x, In<S> dv, VectorIn<S> ddivergence, Out<S> dx,
                const Gradient<S>& grad) const override;

  /// v alone, which costs a fraction, and its gradient, which needs no noise.
  void velocity(const Frame<S>& f, VectorIn<S> t, In<S> x, Out<S> v) const;
  void velocity_backward(const Frame<S>& f, In<S> dv, Out<S> dx, const Gradient<S>& grad) const;

 private:
  bool is_estimated(const Frame<S>& f) const { return f.noise != nullptr && features_ > kMostExact; }

  Index features_, chunk_;      // D, unit tangents that are pushed together
  TangentNet<S> net_;           // D + 1 → D
  ScratchSlot input_, dinput_;  // n × D + 1: x and t
  ScratchSlot tangents_;        // (chunk·n) × D + 1
  ScratchSlot pushed_;          // (chunk·n) × D, J·t and its gradient
};

}  // namespace biject
