#include "bases/uniform.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/for_each_lane.hpp"

namespace biject {

template <class S> void Uniform<S>::init(Arena<S>&, const Rng&) const {}

template <class S> void Uniform<S>::log_prob(const Frame<S>&, In<S> z, VectorOut<S> logp) const {
  const S bound = static_cast<S>(bound_);
  const S inside = static_cast<S>(-static_cast<double>(z.cols()) * std::log(2 * bound_));
  constexpr S kOutside = -std::numeric_limits<S>::infinity();
  for_each_lane_group(z.rows(), [&](Index first, int count) {
    Lanes<S> value;
    for_each_lane([&](int i) { value[i] = inside; });
    for (Index j = 0; j < z.cols(); ++j) {
      const auto at = Lanes<S>::load(z.col(j).data() + first, count);
      for_each_lane([&](int i) { value[i] = std::abs(at[i]) <= bound ? value[i] : kOutside; });
    }
    value.add_to(logp.data() + first, count);
  });
}

template <class S>
void Uniform<S>::backward(const Frame<S>&, In<S>, VectorIn<S>, Out<S> dz, const Gradient<S>&) const {
  dz.setZero();
}

template <class S>
void Uniform<S>::sample(const Frame<S>&, const Rng& rng, std::uint64_t first_row, double temperature, Out<S> z) const {
  const double bound = bound_ * std::min(temperature, 1.);
  for (Index i = 0; i < z.rows(); ++i) {
    for (Index j = 0; j < z.cols(); ++j) {
      const double u = rng.uniform(first_row + static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(j));
      z(i, j) = static_cast<S>(bound * (2 * u - 1));
    }
  }
}

template class Uniform<float>;
template class Uniform<double>;

}  // namespace biject
