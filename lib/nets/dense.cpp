#include "nets/dense.hpp"

#include <array>

#include "core/error.hpp"
#include "nets/tiled_product.hpp"

namespace biject {

namespace {

// The order of summation in a product depends on the cache sizes that the matrix library reads from the processor. Constants make the
// bits a function of the instruction set alone.
const bool kCacheSizesAreFixed = [] {
  Eigen::setCpuCacheSizes(32 << 10, 1 << 20, 16 << 20);
  return true;
}();

/// The panels of a tensor where they lie.
template <class S> class StoredPanels {
 public:
  StoredPanels(std::span<const Panel> panels, const Arena<S>& w) : count_(panels.size()) {
    BIJECT_EXPECT(std::ssize(panels) <= kMostPanels);
    for (std::size_t i = 0; i < count_; ++i) {
      const Slot& slot = panels[i].slot;
      panels_[i] = {w[slot].data(), slot.rows, slot.cols, slot.rows};
    }
  }
  operator std::span<const StoredPanel<S>>() const { return std::span(panels_).first(count_); }

 private:
  std::array<StoredPanel<S>, kMostPanels> panels_;
  std::size_t count_;
};

}  // namespace

template <class S> void product(In<S> x, In<S> w, Out<S> y) { tiled_product<S, false>(x, w, y); }

template <class S> void product(In<S> x, In<S> w, VectorIn<S> bias, Activation activation, Out<S> y) {
  tiled_product<S, false>(x, w, y, bias.data(), activation);
}

template <class S> void add_product(In<S> x, In<S> w, Out<S> y) { tiled_product<S, true>(x, w, y); }

template <class S> void add_product(In<S> x, In<S> w, Activation activation, Out<S> y) {
  tiled_product<S, true>(x, w, y, nullptr, activation);
}

template <class S> void add_product(In<S> x, In<S> w, VectorIn<S> bias, Out<S> y) { tiled_product<S, true>(x, w, y, bias.data()); }

template <class S> void product_transposed(In<S> dy, In<S> w, Out<S> dx) {
  const StoredPanel<S> whole{w.data(), w.rows(), w.cols(), w.outerStride()};
  tiled_product_transposed<S, false>(dy, {&whole, 1}, dx);
}

template <class S> void add_product_transposed(In<S> dy, In<S> w, Out<S> dx) {
  const StoredPanel<S> whole{w.data(), w.rows(), w.cols(), w.outerStride()};
  tiled_product_transposed<S, true>(dy, {&whole, 1}, dx);
}

template <class S> void product_transposed(In<S> dy, std::span<const Panel> panels, const Arena<S>& w, Out<S> dx) {
  tiled_product_transposed<S, false>(dy, StoredPanels<S>(panels, w), dx);
}

template <class S> void add_product_transposed(In<S> dy, std::span<const Panel> panels, const Arena<S>& w, Out<S> dx) {
  tiled_product_transposed<S, true>(dy, StoredPanels<S>(panels, w), dx);
}

template <class S> void add_outer_product(In<S> x, In<S> dy, Out<S> dw) {
  const OuterProduct<S> product{dy.data(), dy.outerStride(), dw.data(), dw.rows(), dw.cols(), dw.outerStride()};
  tiled_outer_products<S>(x, {&product, 1}, kMostBlockRows);
}

template <class S> void add_outer_products(In<S> x, In<S> dy, std::span<const Panel> panels, const Gradient<S>& grad) {
  std::array<OuterProduct<S>, kMostPanels> products;
  BIJECT_EXPECT(std::ssize(panels) <= kMostPanels);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const auto& [column, slot] = panels[i];
    products[i] = {dy.col(column).data(), dy.outerStride(), grad.theta[slot].data(), slot.rows, slot.cols, slot.rows};
  }
  tiled_outer_products<S>(x, std::span(products).first(panels.size()), grad.block);
}

template <class S> void solve_right_upper(In<S> u, Out<S> y) {
  for (Index j = 0; j < u.cols(); ++j) {
    for (Index i = 0; i < j; ++i) y.col(j) -= u(i, j) * y.col(i);
    y.col(j) /= u(j, j);
  }
}

template <class S> void solve_right_lower(In<S> l, Out<S> y) {
  for (Index j = l.cols() - 1; j >= 0; --j) {
    for (Index i = j + 1; i < l.rows(); ++i) y.col(j) -= l(i, j) * y.col(i);
    y.col(j) /= l(j, j);
  }
}

template void product<float>(In<float>, In<float>, Out<float>);
template void product<double>(In<double>, In<double>, Out<double>);
template void product<float>(In<float>, In<float>, VectorIn<float>, Activation, Out<float>);
template void add_product<float>(In<float>, In<float>, Activation, Out<float>);
template void add_product<float>(In<float>, In<float>, VectorIn<float>, Out<float>);
template void add_product<float>(In<float>, In<float>, Out<float>);
template void product<double>(In<double>, In<double>, VectorIn<double>, Activation, Out<double>);
template void add_product<double>(In<double>, In<double>, Activation, Out<double>);
template void add_product<double>(In<double>, In<double>, VectorIn<double>, Out<double>);
template void add_product<double>(In<double>, In<double>, Out<double>);
template void product_transposed<float>(In<float>, In<float>, Out<float>);
template void product_transposed<double>(In<double>, In<double>, Out<double>);
template void add_product_transposed<float>(In<float>, In<float>, Out<float>);
template void add_product_transposed<double>(In<double>, In<double>, Out<double>);
template void product_transposed<float>(In<float>, std::span<const Panel>, const Arena<float>&, Out<float>);
template void add_product_transposed<float>(In<float>, std::span<const Panel>, const Arena<float>&, Out<float>);
template void add_outer_product<float>(In<float>, In<float>, Out<float>);
template void product_transposed<double>(In<double>, std::span<const Panel>, const Arena<double>&, Out<double>);
template void add_product_transposed<double>(In<double>, std::span<const Panel>, const Arena<double>&, Out<double>);
template void add_outer_product<double>(In<double>, In<double>, Out<double>);
template void add_outer_products<float>(In<float>, In<float>, std::span<const Panel>, const Gradient<float>&);
template void add_outer_products<double>(In<double>, In<double>, std::span<const Panel>, const Gradient<double>&);
template void solve_right_upper<float>(In<float>, Out<float>);
template void solve_right_upper<double>(In<double>, Out<double>);
template void solve_right_lower<float>(In<float>, Out<float>);
template void solve_right_lower<double>(In<double>, Out<double>);

}  // namespace biject
