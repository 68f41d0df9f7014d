#include "bases/standard_normal.hpp"

#include <cmath>
#include <numbers>

namespace biject {

template <class S> void StandardNormal<S>::init(Arena<S>&, const Rng&) const {}

template <class S> void StandardNormal<S>::log_prob(const Frame<S>&, In<S> z, VectorOut<S> logp) const {
  const double constant = 0.5 * std::log(2 * std::numbers::pi) * static_cast<double>(z.cols());
  for (Index j = 0; j < z.cols(); ++j) logp.array() -= S(0.5) * z.col(j).array().square();
  logp.array() -= static_cast<S>(constant);
}

template <class S>
void StandardNormal<S>::backward(const Frame<S>&, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>&) const {
  for (Index j = 0; j < z.cols(); ++j) dz.col(j).array() = -z.col(j).array() * dlogp.array();
}

template <class S>
void StandardNormal<S>::sample(const Frame<S>&, const Rng& rng, std::uint64_t first_row, double temperature,
                               Out<S> z) const {
  for (Index i = 0; i < z.rows(); ++i) {
    for (Index j = 0; j < z.cols(); ++j) {
      const double draw = rng.normal(first_row + static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(j));
      z(i, j) = static_cast<S>(temperature * draw);
    }
  }
}

template class StandardNormal<float>;
template class StandardNormal<double>;

}  // namespace biject
