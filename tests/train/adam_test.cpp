#include "train/adam.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "train/adam_table.hpp"

using namespace biject;

TEST_CASE("Adam follows the table of an independent script") {
  Layout layout;
  const Slot slot = layout.add("w", 2, 2);  // a matrix, so that it decays
  Adam<double> adam(layout, {.weight_decay = 0.1});
  Arena<double> theta(layout), grad(layout);
  theta[slot].reshaped() << 0.5, -0.25, 1.0, 2.0;
  std::size_t row = 0;
  for (int step = 1; step <= 100; ++step) {
    grad[slot].reshaped() << std::sin(0.3 * step), 0.0, (step % 2 == 0 ? 1e12 : -1e12), 1e-12 * step;
    adam.step(theta, grad, 0.01);
    if (row < std::size(kAdamTable) && kAdamTable[row].step == step) {
      CAPTURE(step);
      for (int i = 0; i < 4; ++i) {
        const double expected = kAdamTable[row].theta[i];
        CHECK(std::abs(theta[slot].reshaped()(i) - expected) <= 1e-14 * (1 + std::abs(expected)));
      }
      ++row;
    }
  }
  CHECK(row == std::size(kAdamTable));
}

TEST_CASE("the first step of Adam has the length of the rate, whatever the gradient") {
  Layout layout;
  const Slot slot = layout.add("b", 3);
  Adam<double> adam(layout, {});
  Arena<double> theta(layout), grad(layout);
  grad[slot].col(0) << 1e-3, -5, 1e6;
  adam.step(theta, grad, 0.1);
  CHECK(theta[slot](0) == doctest::Approx(-0.1).epsilon(1e-4));
  CHECK(theta[slot](1) == doctest::Approx(0.1).epsilon(1e-8));
  CHECK(theta[slot](2) == doctest::Approx(-0.1).epsilon(1e-8));
}

TEST_CASE("vectors do not decay, matrices do") {
  Layout layout;
  const Slot vector = layout.add("b", 4), matrix = layout.add("w", 2, 2);
  Adam<double> adam(layout, {.weight_decay = 0.5});
  Arena<double> theta(layout), grad(layout);
  theta[vector].setOnes();
  theta[matrix].setOnes();
  adam.step(theta, grad, 0.1);
  CHECK(theta[vector](0) == 1);
  CHECK(theta[matrix](0, 0) == doctest::Approx(0.95));
}

TEST_CASE("Adam finds the bottom of a bowl, and reset forgets the way") {
  Layout layout;
  const Slot slot = layout.add("b", 2);
  Adam<double> adam(layout, {});
  Arena<double> theta(layout), grad(layout);
  theta[slot].col(0) << 3, -2;
  for (int step = 0; step < 4000; ++step) {
    grad[slot].col(0) << 2 * (theta[slot](0) - 1), 20 * (theta[slot](1) + 0.5);
    adam.step(theta, grad, 0.01 * (1 - step / 4000.));
  }
  CHECK(theta[slot](0) == doctest::Approx(1).epsilon(1e-4));
  CHECK(theta[slot](1) == doctest::Approx(-0.5).epsilon(1e-4));
  adam.reset();
  grad[slot].setOnes();
  adam.step(theta, grad, 0.1);
  CHECK(theta[slot](0) == doctest::Approx(0.9).epsilon(1e-4));
}
