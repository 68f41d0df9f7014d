#pragma once

#include "bijectors/bijector.hpp"
#include "nets/conditioner.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// A bend along one hyperplane: z = x + û·tanh(w·x + b), log|det| = log(1 + w·û·tanh'(w·x + b)).
///
/// φ = (w, u, b), P = 2D + 1, one per row, from a network of the context; free without context. û is u, moved along w until
/// w·û = m(w·u) > −1 (core/above_minus_one.hpp), which every direction of u and w allows; w·u = 0 leaves u as it is. u = 0 is
/// the identity, with which it starts: w and b random, so that no two layers bend along the same plane.
///
/// The inverse is one increasing equation in one unknown per row. Derivation of û, inverse and gradients: planar.md.
///
/// Rezende, Mohamed (2015), Variational inference with normalizing flows, section 4.1 and appendix A.1.
template <class S> class Planar final : public Bijector<S> {
 public:
  Planar(Plan& plan, Index features, Index context, const NetStyle& style);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;

 private:
  std::uint64_t place_;      // of this layer among all numbers, for its random start
  ConditionerPtr<S> net_;    // 0 → P
  ScratchSlot phi_, dphi_;   // n × P
};

}  // namespace biject
