#include "bases/laplace.hpp"

#include <cmath>
#include <numbers>

#include "core/for_each_lane.hpp"

namespace biject {

template <class S> void Laplace<S>::init(Arena<S>&, const Rng&) const {}

template <class S> void Laplace<S>::log_prob(const Frame<S>&, In<S> z, VectorOut<S> logp) const {
  const S constant = static_cast<S>(std::numbers::ln2 * static_cast<double>(z.cols()));
  for_each_lane_group(z.rows(), [&](Index first, int count) {
    Lanes<S> value;
    for_each_lane([&](int i) { value[i] = -constant; });
    for (Index j = 0; j < z.cols(); ++j) {
      const auto at = Lanes<S>::load(z.col(j).data() + first, count);
      for_each_lane([&](int i) { value[i] -= std::abs(at[i]); });
    }
    value.add_to(logp.data() + first, count);
  });
}

template <class S>
void Laplace<S>::backward(const Frame<S>&, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>&) const {
  for_each_lane_group(z.rows(), [&](Index first, int count) {
    const auto weight = Lanes<S>::load(dlogp.data() + first, count);
    for (Index j = 0; j < z.cols(); ++j) {
      const auto at = Lanes<S>::load(z.col(j).data() + first, count);
      Lanes<S> d;
      for_each_lane([&](int i) { d[i] = weight[i] * (at[i] > 0 ? S(-1) : at[i] < 0 ? S(1) : S(0)); });
      d.store(dz.col(j).data() + first, count);
    }
  });
}

template <class S>
void Laplace<S>::sample(const Frame<S>&, const Rng& rng, std::uint64_t first_row, double temperature, Out<S> z) const {
  for (Index i = 0; i < z.rows(); ++i) {
    for (Index j = 0; j < z.cols(); ++j) {
      const double v = 2 * rng.uniform(first_row + static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(j)) - 1;
      z(i, j) = static_cast<S>(temperature * std::copysign(std::log1p(-std::abs(v)), v));
    }
  }
}

template class Laplace<float>;
template class Laplace<double>;

}  // namespace biject
