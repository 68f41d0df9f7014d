#include "bijectors/strict_upper.hpp"

#include <numeric>
#include <string>

namespace biject {

namespace {

std::vector<Index> rows_above_diagonal(Index size) {
  std::vector<Index> prefix(static_cast<std::size_t>(size));
  std::iota(prefix.begin(), prefix.end(), Index{0});
  return prefix;
}

}  // namespace

template <class S>
StrictUpper<S>::StrictUpper(Plan& plan, std::string_view name, Index size)
    : tensor_(plan.masked_parameter(name, size, rows_above_diagonal(size))) {}

template <class S> void StrictUpper<S>::set(Arena<S>& theta, In<S> values) const {
  for (const auto& [column, slot] : tensor_.panels) {
    for (Index c = 0; c < slot.cols; ++c) {
      auto stored = theta[slot].col(c);
      stored.setZero();
      stored.head(column + c) = values.col(column + c).head(column + c);
    }
  }
}

template <class S> void StrictUpper<S>::unpack(const Arena<S>& theta, Out<S> values) const {
  values.setZero();
  for (const auto& [column, slot] : tensor_.panels) {
    for (Index c = 0; c < slot.cols; ++c) values.col(column + c).head(column + c) = theta[slot].col(c).head(column + c);
  }
}

template <class S> void StrictUpper<S>::backward(In<S> dvalues, Arena<S>& grad) const {
  for (const auto& [column, slot] : tensor_.panels) {
    for (Index c = 0; c < slot.cols; ++c) grad[slot].col(c).head(column + c) += dvalues.col(column + c).head(column + c);
  }
}

template class StrictUpper<float>;
template class StrictUpper<double>;

}  // namespace biject
