#include "bases/student_t.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

using namespace biject;

namespace {

struct Fixture {
  explicit Fixture(double freedom, Index rows) : base(plan, 1), theta(plan.params()), scratch(plan.scratch(), rows) {
    theta.flat()[0] = std::log(freedom - 1);
  }
  Frame<double> frame() { return {theta, nothing, scratch}; }
  Plan plan;
  StudentT<double> base;
  Arena<double> theta;
  Workspace<double> scratch;
  Matrix<double> nothing = Matrix<double>(0, 0);
};

double log_prob(double freedom, double z) {
  Fixture f(freedom, 16);
  Matrix<double> at(1, 1);
  at(0, 0) = z;
  Vector<double> logp = Vector<double>::Zero(1);
  f.base.log_prob(f.frame(), at, logp);
  return logp(0);
}

}  // namespace

TEST_CASE("the Student density is the one in the books") {
  // Closed forms: two degrees of freedom 1 / (2+z²)^1.5; and a Cauchy in the limit of one.
  for (const double z : {0., 0.3, -2., 17.}) {
    CHECK(log_prob(2, z) == doctest::Approx(-1.5 * std::log(2 + z * z)).epsilon(1e-12));
    CHECK(log_prob(1 + 1e-9, z) == doctest::Approx(-std::log(std::numbers::pi * (1 + z * z))).epsilon(1e-7));
    const double nu = 7.5;
    const double expected = std::lgamma((nu + 1) / 2) - std::lgamma(nu / 2) - 0.5 * std::log(nu * std::numbers::pi) -
                            (nu + 1) / 2 * std::log1p(z * z / nu);
    CHECK(log_prob(nu, z) == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("the derivative by the degrees of freedom is right from heavy to light tails") {
  for (const double freedom : {1.2, 3., 30., 500.}) {
    for (const double z : {0.1, 2., 9.}) {
      Fixture f(freedom, 16);
      Matrix<double> at(1, 1), dz(1, 1), dcontext(1, 0);
      at(0, 0) = z;
      Arena<double> grad(f.plan.params());
      f.base.backward(f.frame(), at, Vector<double>::Ones(1), dz, {grad, dcontext});
      const double h = 1e-5;
      const double r = std::log(freedom - 1);
      const double numeric = (log_prob(1 + std::exp(r + h), z) - log_prob(1 + std::exp(r - h), z)) / (2 * h);
      CHECK(grad.flat()[0] == doctest::Approx(numeric).epsilon(1e-5));
      const double slope = (log_prob(freedom, z + h) - log_prob(freedom, z - h)) / (2 * h);
      CHECK(dz(0, 0) == doctest::Approx(slope).epsilon(1e-6));
    }
  }
}

TEST_CASE("Student draws follow the distribution function") {
  const Index n = 50'000;
  Fixture f(2, n);
  Matrix<double> z(n, 1);
  f.base.sample(f.frame(), Rng(1, Stream::sample), 0, 1, z);
  std::vector<double> u;
  for (Index i = 0; i < n; ++i) u.push_back(0.5 + z(i) / (2 * std::sqrt(2 + z(i) * z(i))));  // two degrees of freedom
  std::ranges::sort(u);
  double distance = 0;
  for (Index i = 0; i < n; ++i) {
    distance = std::max(distance, std::abs(u[static_cast<std::size_t>(i)] - (static_cast<double>(i) + 0.5) / static_cast<double>(n)));
  }
  CHECK(distance < std::sqrt(std::log(2 / 1e-9) / (2. * static_cast<double>(n))));
}
