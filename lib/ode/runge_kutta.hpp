#pragma once

#include <vector>

#include "ode/tableau.hpp"
#include "ode/vector_field.hpp"

namespace biject {

/// From where to where a solution is followed; end < begin is backwards in time.
struct Interval {
  double begin = 0, end = 1;
};

/// A fixed number of equal steps with a fixed tableau: a map from x(begin) to x(end) whose gradient is exact, whatever the error of the
/// map as a solution.
///
/// Backward, per step of signed length h, from X = ∂L/∂x after the step and ℓ = ∂L/∂logdet, with yᵢ the arguments of the stages:
///   ∂L/∂kᵢ = h·bᵢ·X + h·Σ_{j>i} aⱼᵢYⱼ      Yᵢ = (∂v/∂x)ᵀ·∂L/∂kᵢ + h·bᵢ·ℓ·∇(div v), both at yᵢ      ∂L/∂x = X + Σ Yᵢ
/// The yᵢ of all steps are kept; what the field computes at them is computed again.
template <class S> class FixedSteps {
 public:
  FixedSteps(Plan& plan, Index features, Index steps, const Tableau& tableau = kRungeKutta4);

  /// z = x(end) of x = x(begin); adds the integral of the divergence to logdet.
  void forward(const Frame<S>& f, const VectorField<S>& field, const Interval& time, In<S> x, Out<S> z, VectorOut<S> logdet) const;
  /// After forward on the same frame; overwrites dx.
  void backward(const Frame<S>& f, const VectorField<S>& field, const Interval& time, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const;

 private:
  Index steps_;
  Tableau tableau_;
  std::vector<ScratchSlot> y_;   // n × D: per step and stage, where the field was asked
  std::vector<ScratchSlot> k_;   // n × D: per stage, velocity; in backward ∂L/∂y
  ScratchSlot dk_;               // n × D
  ScratchSlot t_, divergence_;   // n × 1
};

/// Steps of Dormand and Prince's method whose length adapts to the error, for each row on its own: a row has its own time and length
/// of step, waits once it has arrived, and its result does not depend on its neighbours. log|det| counts as one more component of the
/// solution: every step keeps max over components of |error| / (tolerance·(1 + |component|)) at or below 1.
///
/// A row that has not arrived after kMostSteps steps, or whose steps would have to be shorter than rounding allows, is NaN.
/// Hairer, Nørsett, Wanner (1993), Solving ordinary differential equations I, section II.4.
template <class S> class AdaptiveSteps {
 public:
  AdaptiveSteps(Plan& plan, Index features, double tolerance);
  static constexpr Index kMostSteps = 1000;  // rejected ones included

  /// z = x(end) of x = x(begin); adds the integral of the divergence to logdet.
  void forward(const Frame<S>& f, const VectorField<S>& field, const Interval& time, In<S> x, Out<S> z, VectorOut<S> logdet) const;

 private:
  void choose_first_step(const Frame<S>& f, In<S> z) const;
  void estimate_error(const Frame<S>& f, S direction, In<S> z) const;
  Index finish_step(const Frame<S>& f, Out<S> z) const;

  S tolerance_;
  std::vector<ScratchSlot> k_;                       // n × D: per stage, velocity
  ScratchSlot divergence_;                           // n × stages
  ScratchSlot y_;                                    // n × D
  ScratchSlot left_, h_, t_, error_, ld_, ld_after_;  // n × 1: time left, step ≥ 0, time of a stage; log-determinants
};

}  // namespace biject
