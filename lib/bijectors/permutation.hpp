#pragma once

#include <vector>

#include "bijectors/bijector.hpp"

namespace biject {

/// z_j = x_{order[j]}; log|det| = 0. No parameters.
template <class S> class Permutation final : public Bijector<S> {
 public:
  /// order: each of 0 … D−1 once.
  explicit Permutation(std::vector<Index> order);

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;
  bool sums_by_block() const override { return true; }

 private:
  std::vector<Index> order_;
};

/// D−1 … 0.
std::vector<Index> reversed_order(Index features);
/// An order that is a function of D and `number` alone: the indices sorted by Rng(number, Stream::permutation).uniform(index, 0).
std::vector<Index> random_order(Index features, std::uint64_t number);

}  // namespace biject
