#include "core/rademacher.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace biject;

TEST_CASE("signs are ±1, without mean and without correlation between columns") {
  Matrix<double> v(20'000, 140);
  draw_signs<double>({3, 0}, 5, v);
  CHECK((v.array().abs() == 1).all());
  const double rows = static_cast<double>(v.rows());
  CHECK((v.colwise().sum() / std::sqrt(rows)).cwiseAbs().maxCoeff() < 5.5);
  const Matrix<double> gram = v.transpose() * v / std::sqrt(rows);
  Matrix<double> off = gram;
  off.diagonal().setZero();
  CHECK(off.cwiseAbs().maxCoeff() < 6);
}

TEST_CASE("signs are a function of seed, key and row") {
  Matrix<float> all(40, 3), later(20, 3), other(40, 3);
  draw_signs<float>({3, 100}, 5, all);
  draw_signs<float>({3, 120}, 5, later);
  CHECK(later == all.bottomRows(20));
  draw_signs<float>({4, 100}, 5, other);
  CHECK(other != all);
  draw_signs<float>({3, 100}, 6, other);
  CHECK(other != all);
}
