#include "bijectors/permutation.hpp"

#include <algorithm>
#include <numeric>

namespace biject {

std::vector<Index> reversed_order(Index features) {
  std::vector<Index> order(static_cast<std::size_t>(features));
  std::iota(order.rbegin(), order.rend(), Index{0});
  return order;
}

std::vector<Index> random_order(Index features, std::uint64_t number) {
  std::vector<Index> order(static_cast<std::size_t>(features));
  std::iota(order.begin(), order.end(), Index{0});
  const Rng rng(number, Stream::permutation);
  std::ranges::stable_sort(order, {}, [&](Index i) { return rng.uniform(static_cast<std::uint64_t>(i), 0); });
  return order;
}

template <class S> Permutation<S>::Permutation(std::vector<Index> order) : order_(std::move(order)) {
  BIJECT_EXPECT(std::is_permutation(order_.begin(), order_.end(), reversed_order(std::ssize(order_)).begin()));
}

template <class S> void Permutation<S>::init(Arena<S>&, Workspace<S>&, const Rng&, In<S>, In<S>) const {}

template <class S> void Permutation<S>::forward(const Frame<S>&, In<S> x, Out<S> z, VectorOut<S>) const {
  for (Index j = 0; j < x.cols(); ++j) z.col(j) = x.col(order_[static_cast<std::size_t>(j)]);
}

template <class S> void Permutation<S>::inverse(const Frame<S>&, In<S> z, Out<S> x, VectorOut<S>) const {
  for (Index j = 0; j < z.cols(); ++j) x.col(order_[static_cast<std::size_t>(j)]) = z.col(j);
}

template <class S>
void Permutation<S>::backward(const Frame<S>&, In<S> x, In<S> dz, VectorIn<S>, Out<S> dx, const Gradient<S>&) const {
  for (Index j = 0; j < x.cols(); ++j) dx.col(order_[static_cast<std::size_t>(j)]) = dz.col(j);
}

template class Permutation<float>;
template class Permutation<double>;

}  // namespace biject
