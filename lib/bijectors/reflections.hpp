#pragma once

#include "core/frame.hpp"

namespace biject {

/// An orthogonal matrix in factors, the Householder reflections Q = H₁·H₂⋯H_k with H = 1 − 2·v·vᵀ/|v|². v = 0 stands for H = 1.
///
/// Every rotation of D dimensions is a product of an even number of reflections, at most D.
///
/// Backward, from a = ∂L/∂(y·H) with e = y·v̂, v̂ = √2·v/|v|, H = 1 − v̂·v̂ᵀ, sums over rows:
///   ∂L/∂y = a·H      ∂L/∂v̂ = −Σ (e·a + (a·v̂)·y)      ∂L/∂v = (√2/|v|)·(∂L/∂v̂ − v·(v·∂L/∂v̂)/|v|²)
/// H is its own inverse, so y of every factor comes back from the result on the way.
///
/// Tomczak, Welling (2016), Improving variational auto-encoders using Householder flow.
template <class S> class Reflections {
 public:
  /// size D, count k.
  Reflections(Plan& plan, Index size, Index count);

  /// Random directions.
  void init(Arena<S>& theta, const Rng& rng) const;
  /// Random directions in pairs of equals, so that Q = 1. Pairs part as soon as they move; k is even.
  void init_identity(Arena<S>& theta, const Rng& rng) const;

  /// y ← y·Q, any number of rows × D. Costs 4·k·D a row.
  void apply(const Frame<S>& f, Out<S> y) const;
  /// y ← y·Qᵀ.
  void apply_transposed(const Frame<S>& f, Out<S> y) const;
  /// The way back of apply. y holds the result at first and the argument in the end; dy, first ∂L/∂result, then
  /// ∂L/∂argument. Adds ∂L/∂v to grad.
  void backward(const Frame<S>& f, Out<S> y, Out<S> dy, const Gradient<S>& grad) const;

 private:
  void unpack(const Frame<S>& f) const;  // fills unit_ and length_
  Slot v_;                // D × k
  Slot unit_, length_;    // D × k: v̂; k × 1: |v|; scratch
  Slot dunit_;            // lanes × D: ∂L/∂v̂ of one factor, scratch
};

}  // namespace biject
