#include "bases/standard_normal.hpp"

#include <algorithm>
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
  constexpr auto kRows = static_cast<Index>(Rng::kRowGroup);
  Rng::RowGroupNormals draws;
  for (Index j = 0; j < z.cols(); j += 2) {
    for (Index i = 0; i < z.rows(); i += kRows) {
      rng.normals_of_rows(first_row + static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(j / 2), draws);
      for (Index of_pair = 0; of_pair < std::min<Index>(2, z.cols() - j); ++of_pair) {
        for (Index r = 0; r < std::min(kRows, z.rows() - i); ++r) {
          z(i + r, j + of_pair) = static_cast<S>(temperature * draws[static_cast<std::size_t>(of_pair)][static_cast<std::size_t>(r)]);
        }
      }
    }
  }
}

template class StandardNormal<float>;
template class StandardNormal<double>;

}  // namespace biject
