#include "bases/student_t.hpp"

#include <cmath>
#include <numbers>

#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"

namespace biject {

namespace {

constexpr double kStart = 10;  // degrees of freedom: near a normal, with tails to learn from

// log Γ and its derivative ψ for x > 0 by Stirling's series after shifting the argument above 10, where seven terms leave less
// than 1e-15. (std::lgamma writes a global variable, which threads may not share.)
struct LogGamma {
  double value, derivative;
};

LogGamma log_gamma(double x) {
  double shift = 0, dshift = 0;
  for (; x < 10; x += 1) {
    shift -= std::log(x);
    dshift -= 1 / x;
  }
  const double i = 1 / x, ii = i * i;
  const double series =
      i * (1. / 12 - ii * (1. / 360 - ii * (1. / 1260 - ii * (1. / 1680 - ii * (1. / 1188 - ii * (691. / 360360 - ii / 156))))));
  const double dseries =
      ii * (1. / 12 - ii * (1. / 120 - ii * (1. / 252 - ii * (1. / 240 - ii * (1. / 132 - ii * (691. / 32760 - ii / 12))))));
  return {shift + (x - 0.5) * std::log(x) - x + 0.5 * std::log(2 * std::numbers::pi) + series,
          dshift + std::log(x) - 0.5 * i - dseries};
}

}  // namespace

template <class S> StudentT<S>::StudentT(Plan& plan, Index features) : log_excess_(plan.parameter("log_excess", features)) {}

template <class S> void StudentT<S>::init(Arena<S>& theta, const Rng&) const {
  theta[log_excess_].setConstant(static_cast<S>(std::log(kStart - 1)));
}

template <class S> double StudentT<S>::freedom(const Arena<S>& theta, Index feature) const {
  return 1 + std::exp(static_cast<double>(theta[log_excess_](feature)));
}

template <class S> void StudentT<S>::log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const {
  for (Index j = 0; j < z.cols(); ++j) {
    const double nu = freedom(f.theta, j);
    const double constant = log_gamma((nu + 1) / 2).value - log_gamma(nu / 2).value - 0.5 * std::log(nu * std::numbers::pi);
    const S power = static_cast<S>((nu + 1) / 2), inverse = static_cast<S>(1 / nu), offset = static_cast<S>(constant);
    for_each_lane_group(z.rows(), [&](Index first, int count) {
      const auto at = Lanes<S>::load(z.col(j).data() + first, count);
      Lanes<S> value;
      for_each_lane([&](int i) { value[i] = offset - power * log_fast(1 + at[i] * at[i] * inverse); });
      value.add_to(logp.data() + first, count);
    });
  }
}

template <class S>
void StudentT<S>::backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const {
  auto dlog_excess = grad.theta[log_excess_];
  for (Index j = 0; j < z.cols(); ++j) {
    const double nu = freedom(f.theta, j);
    const double constant =
        0.5 * log_gamma((nu + 1) / 2).derivative - 0.5 * log_gamma(nu / 2).derivative - 0.5 / nu;
    for_each_block(grad, z.rows(), [&](Index first, Index count) {
      double sum = 0;
      for (Index i = first; i < first + count; ++i) {
        const double at = static_cast<double>(z(i, j)), weight = static_cast<double>(dlogp(i)), square = at * at;
        dz(i, j) = static_cast<S>(-weight * (nu + 1) * at / (nu + square));
        sum += (nu - 1) * weight * (constant - 0.5 * std::log1p(square / nu) + (nu + 1) * square / (2 * nu * (nu + square)));
      }
      dlog_excess(j) += static_cast<S>(sum);
    });
  }
}

template <class S>
void StudentT<S>::sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature,
                         Out<S> z) const {
  for (Index j = 0; j < z.cols(); ++j) {
    const double nu = freedom(f.theta, j);
    for (Index i = 0; i < z.rows(); ++i) {
      const auto row = first_row + static_cast<std::uint64_t>(i);
      const auto index = static_cast<std::uint32_t>(2 * j);
      const double u = rng.uniform(row, index), v = rng.uniform(row, index + 1);
      const double radius = std::sqrt(nu * std::expm1(-2 / nu * std::log(u)));
      z(i, j) = static_cast<S>(temperature * radius * std::cos(2 * std::numbers::pi * v));
    }
  }
}

template class StudentT<float>;
template class StudentT<double>;

}  // namespace biject
