#include "nets/linear.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "nets/dense.hpp"

namespace biject {

namespace {

/// Which of the columns [first, first + cols) are among those of a panel.
std::pair<Index, Index> overlap(Index column, Index panel_cols, Index first, Index cols) {
  return {std::max(first, column), std::min(first + cols, column + panel_cols)};
}

}  // namespace

template <class S>
Linear<S>::Linear(Plan& plan, std::string_view name, Index inputs, std::vector<Index> prefix)
    : tensor_(plan.masked_parameter(name, inputs, std::move(prefix))) {}

template <class S> Index Linear<S>::common_prefix([[maybe_unused]] Index begin, Index end) const {
  const Index seen = tensor_.prefix[static_cast<std::size_t>(end - 1)];
  BIJECT_EXPECT(seen == tensor_.prefix[static_cast<std::size_t>(begin)]);
  return seen;
}

template <class S> void Linear<S>::init(Arena<S>& theta, const Rng& rng, double gain) const {
  for (const Panel& panel : tensor_.panels) {
    auto w = theta[panel.slot];
    w.setZero();
    for (Index c = 0; c < w.cols(); ++c) {
      const Index seen = tensor_.prefix[static_cast<std::size_t>(panel.column + c)];
      const double bound = gain / std::sqrt(static_cast<double>(std::max<Index>(seen, 1)));
      for (Index r = 0; r < seen; ++r) {
        const auto place = static_cast<std::uint64_t>(panel.slot.offset + c * panel.slot.rows + r);
        w(r, c) = static_cast<S>(bound * (2 * rng.uniform(place, 0) - 1));
      }
    }
  }
}

template <class S>
void Linear<S>::forward(const Arena<S>& theta, In<S> x, Slot bias, Activation activation, Out<S> y) const {
  for (const auto& [column, slot] : tensor_.panels) {
    product<S>(x.leftCols(slot.rows), theta[slot], theta[bias].col(0).segment(column, slot.cols), activation,
               y.middleCols(column, slot.cols));
  }
}

template <class S> void Linear<S>::add_forward(const Arena<S>& theta, In<S> x, Slot bias, Out<S> y) const {
  for (const auto& [column, slot] : tensor_.panels) {
    add_product<S>(x.leftCols(slot.rows), theta[slot], theta[bias].col(0).segment(column, slot.cols), y.middleCols(column, slot.cols));
  }
}

template <class S>
void Linear<S>::forward_columns(const Arena<S>& theta, In<S> x, Slot bias, Index first, Activation activation, Out<S> y) const {
  for (const auto& [column, slot] : tensor_.panels) {
    const auto [begin, end] = overlap(column, slot.cols, first, y.cols());
    if (begin >= end) continue;
    BIJECT_EXPECT(x.cols() <= tensor_.prefix[static_cast<std::size_t>(begin)]);
    product<S>(x, theta[slot].block(0, begin - column, x.cols(), end - begin), theta[bias].col(0).segment(begin, end - begin),
               activation, y.middleCols(begin - first, end - begin));
  }
}

template <class S>
void Linear<S>::add_columns(const Arena<S>& theta, In<S> x, Index above, Index first, Activation activation, Out<S> y) const {
  for (const auto& [column, slot] : tensor_.panels) {
    const auto [begin, end] = overlap(column, slot.cols, first, y.cols());
    if (begin >= end) continue;
    const Index seen = common_prefix(begin, end);
    auto to = y.middleCols(begin - first, end - begin);
    if (above < seen) {
      add_product<S>(x.middleCols(above, seen - above), theta[slot].block(above, begin - column, seen - above, end - begin), activation, to);
    } else if (activation != Activation::none) {
      activate<S>(activation, to, to);
    }
  }
}

template <class S> void Linear<S>::backward(const Arena<S>& theta, In<S> dy, Out<S> dx) const {
  product_transposed<S>(dy, tensor_.panels, theta, dx);
}

template <class S> void Linear<S>::add_backward(const Arena<S>& theta, In<S> dy, Out<S> dx) const {
  add_product_transposed<S>(dy, tensor_.panels, theta, dx);
}

template <class S> void Linear<S>::add_columns_backward(const Arena<S>& theta, In<S> dy, Index first, Out<S> dx) const {
  for (const auto& [column, slot] : tensor_.panels) {
    const auto [begin, end] = overlap(column, slot.cols, first, dy.cols());
    if (begin >= end) continue;
    const Index seen = common_prefix(begin, end);
    add_product_transposed<S>(dy.middleCols(begin - first, end - begin), theta[slot].block(0, begin - column, seen, end - begin),
                              dx.leftCols(seen));
  }
}

template <class S> void Linear<S>::backward_weights(In<S> x, In<S> dy, const Gradient<S>& grad) const {
  add_outer_products<S>(x, dy, tensor_.panels, grad);
  for (const auto& [column, slot] : tensor_.panels) {
    auto dw = grad.theta[slot];
    for (Index c = 0; c < slot.cols; ++c) {
      const Index seen = tensor_.prefix[static_cast<std::size_t>(column + c)];
      dw.col(c).tail(slot.rows - seen).setZero();
    }
  }
}

template class Linear<float>;
template class Linear<double>;

}  // namespace biject
