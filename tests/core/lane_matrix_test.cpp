#include "core/lane_matrix.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <cmath>
#include <vector>

#include "core/types.hpp"

using namespace biject;

namespace {

/// I + G with ‖G‖ < 0.97, another one in each lane.
std::vector<Matrix<double>> matrices(Index size) {
  std::vector<Matrix<double>> result;
  for (int lane = 0; lane < kLanes; ++lane) {
    Matrix<double> g(size, size);
    for (Index i = 0; i < g.size(); ++i) g.data()[i] = std::sin(static_cast<double>(1 + i * 17 + lane * 5));
    result.push_back(Matrix<double>::Identity(size, size) + g * (0.97 / g.norm()));
  }
  return result;
}

template <class S> std::vector<Lanes<S>> in_lanes(const std::vector<Matrix<double>>& m) {
  const Index rows = m[0].rows(), cols = m[0].cols();
  std::vector<Lanes<S>> result(static_cast<std::size_t>(rows * cols));
  for (Index i = 0; i < rows * cols; ++i) {
    for (int lane = 0; lane < kLanes; ++lane) {
      result[static_cast<std::size_t>(i)][lane] = static_cast<S>(m[static_cast<std::size_t>(lane)](i / cols, i % cols));
    }
  }
  return result;
}

template <class S> void agrees(double tolerance) {
  for (const Index size : {1, 2, 3, 8, 13}) {
    const auto a = matrices(size);
    auto factors = in_lanes<S>(a), inverse = factors;
    Lanes<S> logdet{}, logdet_of_inverse{};
    factorise(factors[0].value, size, logdet);
    invert(inverse[0].value, size, logdet_of_inverse);
    std::vector<Lanes<S>> b(static_cast<std::size_t>(size));
    for (Index i = 0; i < size; ++i) {
      for (int lane = 0; lane < kLanes; ++lane) b[static_cast<std::size_t>(i)][lane] = static_cast<S>(1 + i);
    }
    solve(factors[0].value, size, b[0].value);
    for (int lane = 0; lane < kLanes; ++lane) {
      const Matrix<double>& m = a[static_cast<std::size_t>(lane)];
      CHECK(static_cast<double>(logdet[lane]) == doctest::Approx(std::log(m.determinant())).epsilon(tolerance));
      CHECK(logdet[lane] == doctest::Approx(logdet_of_inverse[lane]).epsilon(tolerance));
      const Vector<double> x = m.inverse() * Vector<double>::LinSpaced(size, 1, static_cast<double>(size));
      for (Index i = 0; i < size; ++i) {
        CHECK(static_cast<double>(b[static_cast<std::size_t>(i)][lane]) == doctest::Approx(x(i)).epsilon(tolerance));
        for (Index j = 0; j < size; ++j) {
          const double entry = static_cast<double>(inverse[static_cast<std::size_t>(i * size + j)][lane]);
          CHECK(entry == doctest::Approx(m.inverse()(i, j)).epsilon(tolerance));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("elimination in lanes agrees with that of the matrix library") {
  agrees<double>(1e-12);
  agrees<float>(1e-4);
}
