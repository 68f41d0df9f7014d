#include "bases/logistic.hpp"

#include <cmath>

#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"

namespace biject {

template <class S> void Logistic<S>::init(Arena<S>&, const Rng&) const {}

template <class S> void Logistic<S>::log_prob(const Frame<S>&, In<S> z, VectorOut<S> logp) const {
  for_each_lane_group(z.rows(), [&](Index first, int count) {
    Lanes<S> value{};
    for (Index j = 0; j < z.cols(); ++j) {
      const auto at = Lanes<S>::load(z.col(j).data() + first, count);
      for_each_lane([&](int i) { value[i] -= std::abs(at[i]) + 2 * log_fast(1 + exp_of_minus_size(at[i])); });
    }
    value.add_to(logp.data() + first, count);
  });
}

template <class S>
void Logistic<S>::backward(const Frame<S>&, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>&) const {
  for_each_lane_group(z.rows(), [&](Index first, int count) {
    const auto weight = Lanes<S>::load(dlogp.data() + first, count);
    for (Index j = 0; j < z.cols(); ++j) {
      const auto at = Lanes<S>::load(z.col(j).data() + first, count);
      Lanes<S> d;
      for_each_lane([&](int i) { d[i] = -weight[i] * tanh_fast(at[i] / 2); });
      d.store(dz.col(j).data() + first, count);
    }
  });
}

template <class S>
void Logistic<S>::sample(const Frame<S>&, const Rng& rng, std::uint64_t first_row, double temperature, Out<S> z) const {
  for (Index i = 0; i < z.rows(); ++i) {
    for (Index j = 0; j < z.cols(); ++j) {
      const double u = rng.uniform(first_row + static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(j));
      z(i, j) = static_cast<S>(temperature * (std::log(u) - std::log1p(-u)));
    }
  }
}

template class Logistic<float>;
template class Logistic<double>;

}  // namespace biject
