#include "nets/dense.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "laws/subject.hpp"

using namespace biject;

namespace {

template <class S> Matrix<S> random(Index rows, Index cols, std::uint64_t seed) { return Subject<S>::random(rows, cols, seed, 1); }

template <class S> double distance(const Matrix<S>& a, const Matrix<double>& b) {
  return a.size() == 0 ? 0 : (a.template cast<double>() - b).cwiseAbs().maxCoeff();
}

constexpr std::array kActivations{Activation::none, Activation::relu, Activation::tanh};

double activated(Activation activation, double x) {
  if (activation == Activation::none) return x;
  return activation == Activation::relu ? std::max(x, 0.) : std::tanh(x);
}

/// All products of an n × k and a k × m matrix against sums in plain loops, in double.
template <class S> void check_products(Index n, Index k, Index m) {
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(m);
  const Matrix<S> x = random<S>(n, k, 1), w = random<S>(k, m, 2), dy = random<S>(n, m, 3);
  const auto plain = [](const auto& a, const auto& b) {
    Matrix<double> result = Matrix<double>::Zero(a.rows(), b.cols());
    for (Index i = 0; i < a.rows(); ++i) {
      for (Index j = 0; j < b.cols(); ++j) {
        for (Index l = 0; l < a.cols(); ++l) result(i, j) += static_cast<double>(a(i, l)) * static_cast<double>(b(l, j));
      }
    }
    return result;
  };
  const double allowed = (std::is_same_v<S, float> ? 1e-6 : 1e-15) * static_cast<double>(std::max({n, k, m, Index{4}}));
  Matrix<S> y = Matrix<S>::Constant(n, m, std::nan("")), dx = Matrix<S>::Constant(n, k, std::nan("")), dw = random<S>(k, m, 4);
  const Matrix<double> dw_before = dw.template cast<double>();
  product<S>(x, w, y);
  CHECK(distance<S>(y, plain(x, w)) < allowed);
  add_product<S>(x, w, y);
  CHECK(distance<S>(y, 2 * plain(x, w)) < 3 * allowed);
  const Vector<S> bias = random<S>(m, 1, 5);
  const Matrix<double> biases = bias.transpose().template cast<double>().replicate(n, 1);
  for (const Activation activation : kActivations) {
    const auto act = [&](const Matrix<double>& a) { return Matrix<double>(a.unaryExpr([&](double v) { return activated(activation, v); })); };
    product<S>(x, w, bias, activation, y);
    CHECK(distance<S>(y, act(plain(x, w) + biases)) < 2 * allowed);
    const Matrix<double> before = y.template cast<double>();
    add_product<S>(x, w, activation, y);
    CHECK(distance<S>(y, act(before + plain(x, w))) < 2 * allowed);
  }
  product<S>(x, w, bias, Activation::none, y);
  add_product<S>(x, w, bias, y);
  CHECK(distance<S>(y, 2 * (plain(x, w) + biases)) < 4 * allowed);
  product_transposed<S>(dy, w, dx);
  CHECK(distance<S>(dx, plain(dy, w.transpose())) < allowed);
  add_product_transposed<S>(dy, w, dx);
  CHECK(distance<S>(dx, 2 * plain(dy, w.transpose())) < 3 * allowed);
  add_outer_product<S>(x, dy, dw);
  CHECK(distance<S>(dw, dw_before + plain(x.transpose(), dy)) < allowed);
}

/// Gradients of the inputs of a masked weight, whose panels store rows of their own number, against those of the whole matrix.
template <class S> void check_panels(Index n, Index inputs, const std::vector<Index>& prefix) {
  Layout layout;
  const Tensor& tensor = layout.add_masked("w", inputs, prefix);
  Arena<S> theta(layout);
  std::ranges::fill(theta.flat(), std::numeric_limits<S>::quiet_NaN());  // reading what is not stored would show
  Matrix<S> w = Matrix<S>::Zero(inputs, tensor.cols);
  for (const auto& [column, slot] : tensor.panels) {
    theta[slot] = random<S>(slot.rows, slot.cols, static_cast<std::uint64_t>(column));
    w.block(0, column, slot.rows, slot.cols) = theta[slot];
  }
  const Matrix<S> dy = random<S>(n, tensor.cols, 3);
  const Matrix<double> expected = dy.template cast<double>() * w.transpose().template cast<double>();
  const double allowed = (std::is_same_v<S, float> ? 1e-6 : 1e-15) * static_cast<double>(tensor.cols);
  Matrix<S> dx = Matrix<S>::Constant(n, inputs, std::numeric_limits<S>::quiet_NaN());
  product_transposed<S>(dy, tensor.panels, theta, dx);
  CHECK(distance<S>(dx, expected) < allowed);
  add_product_transposed<S>(dy, tensor.panels, theta, dx);
  CHECK(distance<S>(dx, 2 * expected) < 3 * allowed);
}

}  // namespace

TEST_CASE("gradients of inputs are right whatever the panels of a weight store") {
  std::vector<Index> triangle, few, none(70, 0);
  for (Index c = 0; c < 300; ++c) triangle.push_back(c / 5);
  for (Index c = 0; c < 100; ++c) few.push_back(std::min<Index>(c, 21));
  for (const Index n : {1, 50, 64, 192}) {
    CAPTURE(n);
    check_panels<float>(n, 60, triangle);  // panels end within registers of rows
    check_panels<double>(n, 60, triangle);
    check_panels<float>(n, 40, few);       // the last inputs are in no panel
    check_panels<double>(n, 40, few);
    check_panels<float>(n, 7, none);
    check_panels<float>(n, 33, std::vector<Index>(200, 33));
    check_panels<double>(n, 33, std::vector<Index>(200, 33));
  }
}

TEST_CASE("products are right for every number of rows, thin and empty ones too") {
  for (Index n = 1; n <= 100; ++n) {
    check_products<float>(n, 5, 13);
    check_products<double>(n, 5, 13);
  }
  for (const Index m : {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 33}) {
    check_products<float>(50, 3, m);
    check_products<double>(50, m, 6);
  }
  check_products<float>(192, 0, 7);
  check_products<double>(7, 3, 0);
  check_products<float>(192, 300, 64);
}

TEST_CASE("the bits of a row of a product do not depend on its place, its neighbours or the stride") {
  const Index k = 37, m = 21;
  const Matrix<float> w = random<float>(k, m, 2), x = random<float>(200, k, 1);
  const Vector<float> bias = Vector<float>::Zero(m);
  for (const Activation activation : kActivations) {
    Matrix<float> all(200, m);
    product<float>(x, w, bias, activation, all);
    for (const Index n : {1, 3, 16, 17, 31, 33, 47, 48, 49, 63, 65, 100}) {
      CAPTURE(n);
      Matrix<float> some(n, m), added = Matrix<float>::Zero(n, m);
      product<float>(x.middleRows(11, n), w, bias, activation, some);
      add_product<float>(x.middleRows(11, n), w, activation, added);
      const Matrix<float> expected = all.middleRows(11, n);
      CHECK(std::memcmp(some.data(), expected.data(), static_cast<std::size_t>(some.size()) * sizeof(float)) == 0);
      CHECK(added == expected);
    }
  }
}
