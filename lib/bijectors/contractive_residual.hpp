#pragma once

#include "bijectors/bijector.hpp"
#include "nets/tangent_net.hpp"

namespace biject {

/// A residual layer that can be undone: z = x + g(x, c), where g is a smooth network whose Lipschitz constant in x is at most 0.97, so
/// that x ↦ z − g(x) is a contraction whose fixed point is the inverse. The last layer of g starts at zero, where z = x.
///
/// The constraint is part of the layer: g multiplies by κ·W / (1 + σ(W)⁶⁴)^(1/64) in place of W, where κ^depth = 0.97 and σ is the Schatten
/// norm of order 64, which is at least the spectral norm and hardly more. Small W are used as they are, large ones are scaled. One
/// hidden layer loses least slope to the norms of its weights. Context enters the first layer unconstrained.
///
/// log|det ∂z/∂x| = log det(I + ∂g/∂x) is exact (D tangents and an elimination per row) in use, and in training if D ≤ kMostExact. Else, in
/// training, it is an unbiased estimate: Σₖ (−1)ᵏ⁺¹/k · uᵀ(∂g/∂x)ᵏu with random signs u, broken off after a random number of terms and
/// weighted for it (Russian roulette). backward is the exact gradient of what was computed. Derivations: contractive_residual.md.
///
/// Behrmann, Grathwohl, Chen, Duvenaud, Jacobsen (2019), Invertible residual networks; Chen, Behrmann, Duvenaud, Jacobsen (2019),
/// Residual flows for invertible generative modeling, section 3.1, equation 6.
template <class S> class ContractiveResidual final : public Bijector<S> {
 public:
  /// hidden: widths of the network.
  ContractiveResidual(Plan& plan, Index features, Index context, const std::vector<Index>& hidden);
  static constexpr double kLipschitz = 0.97;
  static constexpr Index kMostExact = 8;
  /// Terms of the series that are always there; each further one comes with probability one half, up to kMostTerms.
  static constexpr Index kSureTerms = 4, kMostTerms = 32;

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;

 private:
  /// Scratch of the normalisation of one weight matrix W.
  struct Norm {
    Slot unit;                 // as W: W / ‖W‖, Frobenius
    std::vector<Slot> powers;  // the smaller one of unitᵀ·unit and unit·unitᵀ, its square, the square of that, …; each of length 1
    Slot products[2];          // as W: unit times the first ones of them
    Slot scalars;              // 2 × 1: what W is multiplied by; the share of the norm in the gradient
  };
  /// What is known of a point on the way to the inverse.
  struct Point {
    ScratchSlot residual, step;  // n × D: x + g(x) − z; what Newton subtracts from x
    ScratchSlot logdet;          // n × 1
  };
  bool is_estimated(const Frame<S>& f) const { return f.noise != nullptr && features_ > kMostExact; }
  void normalise(const Frame<S>& f) const;
  void normalise_backward(const Frame<S>& f, const Gradient<S>& grad) const;
  void push_units(const Frame<S>& f) const;
  void exact_backward(const Frame<S>& f, VectorIn<S> dlogdet, const Gradient<S>& grad) const;
  void estimate(const Frame<S>& f, VectorOut<S> logdet) const;
  void estimate_backward(const Frame<S>& f, VectorIn<S> dlogdet, const Gradient<S>& grad) const;
  void weigh(const Frame<S>& f, Index term) const;
  void find_newton_steps(const Frame<S>& f) const;
  Index judge_trial(const Frame<S>& f, Out<S> x) const;

  Index features_, chunk_;            // D, unit tangents that are pushed together
  TangentNet<S> net_;                 // g
  std::vector<Norm> norms_;
  Slot matrices_, vectors_;           // kLanes × D², kLanes × D: of one group of rows
  ScratchSlot g_;                     // n × D
  ScratchSlot tangents_, pulled_;     // chunk·n × D
  ScratchSlot jacobian_;              // D·n × D: ∂g_o/∂x_m in row m·n + i, column o; in training then the transposed inverse of I + ∂g/∂x
  std::vector<ScratchSlot> powers_;   // n × D: (∂g/∂x)ᵏ·u, k = 0, 1, …; if D > kMostExact
  ScratchSlot terms_, weight_;        // n × 1: terms of the series, the weight of one of them
  ScratchSlot trial_;                 // n × D, of inverse: the point that is tried
  Point tried_, best_;
  ScratchSlot size_, state_;          // n × 1: length of the best residual, how the row goes on
};

}  // namespace biject
