#include "bijectors/actnorm.hpp"

#include <cmath>

#include "core/sum_of.hpp"

namespace biject {

template <class S>
ActNorm<S>::ActNorm(Plan& plan, Index features)
    : log_scale_(plan.parameter("log_scale", features)), shift_(plan.parameter("shift", features)) {}

template <class S> void ActNorm<S>::init(Arena<S>& theta, Workspace<S>&, const Rng&, In<S> x, In<S>) const {
  for (Index j = 0; j < x.cols(); ++j) {
    const Vector<double> column = x.col(j).template cast<double>();
    const double mean = column.mean(), variance = (column.array() - mean).square().mean();
    theta[shift_](j) = static_cast<S>(-mean);
    // A feature that does not vary in the sample keeps its scale.
    theta[log_scale_](j) = variance > 1e-12 ? static_cast<S>(-0.5 * std::log(variance)) : S(0);
  }
}

template <class S> void ActNorm<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  const auto log_scale = f.theta[log_scale_], shift = f.theta[shift_];
  for (Index j = 0; j < x.cols(); ++j) z.col(j).array() = (x.col(j).array() + shift(j)) * std::exp(log_scale(j));
  logdet.array() += log_scale.sum();
}

template <class S> void ActNorm<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  const auto log_scale = f.theta[log_scale_], shift = f.theta[shift_];
  for (Index j = 0; j < z.cols(); ++j) x.col(j).array() = z.col(j).array() * std::exp(-log_scale(j)) - shift(j);
  logdet.array() -= log_scale.sum();
}

template <class S>
void ActNorm<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                          const Gradient<S>& grad) const {
  const auto log_scale = f.theta[log_scale_], shift = f.theta[shift_];
  auto dlog_scale = grad.theta[log_scale_], dshift = grad.theta[shift_];
  for (Index j = 0; j < x.cols(); ++j) {
    dx.col(j) = dz.col(j) * std::exp(log_scale(j));
    for_each_block(grad, x.rows(), [&](Index first, Index count) {
      const auto dx_here = dx.col(j).segment(first, count);
      dshift(j) += sum_of<S>(dx_here);
      dlog_scale(j) += (dx_here.array() * (x.col(j).segment(first, count).array() + shift(j))).sum() + sum_of<S>(dlogdet.segment(first, count));
    });
  }
}

template class ActNorm<float>;
template class ActNorm<double>;

}  // namespace biject
