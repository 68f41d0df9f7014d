#include "ode/runge_kutta.hpp"

#include <algorithm>
#include <limits>

#include "core/numerics.hpp"

namespace biject {

namespace {

constexpr Tableau kMethod = kDormandPrince;  // of adaptive steps

template <class S> constexpr S kNotANumber = std::numeric_limits<S>::quiet_NaN();

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// The larger one; NaN if either is.
template <class S> S larger(S a, S b) { return b > a || b != b ? b : a; }

/// sum += weight·k.
template <class In, class Out> void add(double weight, const In& k, Out&& sum) {
  if (weight != 0) sum += static_cast<typename In::Scalar>(weight) * k;
}

}  // namespace

template <class S>
FixedSteps<S>::FixedSteps(Plan& plan, Index features, Index steps, const Tableau& tableau) : steps_(steps), tableau_(tableau) {
  for (Index i = 0; i < steps * tableau.stages; ++i) y_.push_back(plan.scratch().keep(features));
  for (int i = 0; i < tableau.stages; ++i) k_.push_back(plan.scratch().temporary(features));
  dk_ = plan.scratch().temporary(features);
  t_ = plan.scratch().temporary(1);
  divergence_ = plan.scratch().temporary(1);
}

template <class S>
void FixedSteps<S>::forward(const Frame<S>& f, const VectorField<S>& field, const Interval& time, In<S> x, Out<S> z,
                            VectorOut<S> logdet) const {
  const double h = (time.end - time.begin) / static_cast<double>(steps_);
  auto t = f.scratch[t_].col(0), divergence = f.scratch[divergence_].col(0);
  z = x;
  for (Index step = 0; step < steps_; ++step) {
    for (Index i = 0; i < tableau_.stages; ++i) {
      auto y = f.scratch[y_[at(step * tableau_.stages + i)]];
      y = z;
      for (Index j = 0; j < i; ++j) add(h * tableau_.a[at(i)][at(j)], f.scratch[k_[at(j)]], y);
      t.setConstant(static_cast<S>(time.begin + h * (static_cast<double>(step) + tableau_.c[at(i)])));
      field.forward(f, t, y, f.scratch[k_[at(i)]], divergence);
      logdet += static_cast<S>(h * tableau_.b[at(i)]) * divergence;
    }
    for (Index i = 0; i < tableau_.stages; ++i) add(h * tableau_.b[at(i)], f.scratch[k_[at(i)]], z);
  }
}

template <class S>
void FixedSteps<S>::backward(const Frame<S>& f, const VectorField<S>& field, const Interval& time, In<S> dz, VectorIn<S> dlogdet,
                             Out<S> dx, const Gradient<S>& grad) const {
  const double h = (time.end - time.begin) / static_cast<double>(steps_);
  auto t = f.scratch[t_].col(0), divergence = f.scratch[divergence_].col(0);
  auto dk = f.scratch[dk_];
  dx = dz;
  for (Index step = steps_; step-- > 0;) {
    for (Index i = tableau_.stages; i-- > 0;) {
      const auto y = f.scratch[y_[at(step * tableau_.stages + i)]];
      const S weight = static_cast<S>(h * tableau_.b[at(i)]);
      t.setConstant(static_cast<S>(time.begin + h * (static_cast<double>(step) + tableau_.c[at(i)])));
      field.forward(f, t, y, dk, divergence);  // for what it leaves in scratch
      dk = weight * dx;
      for (Index j = i + 1; j < tableau_.stages; ++j) add(h * tableau_.a[at(j)][at(i)], f.scratch[k_[at(j)]], dk);
      divergence = weight * dlogdet;
      field.backward(f, t, y, dk, divergence, f.scratch[k_[at(i)]], grad);
    }
    for (Index i = 0; i < tableau_.stages; ++i) dx += f.scratch[k_[at(i)]];
  }
}

template <class S>
AdaptiveSteps<S>::AdaptiveSteps(Plan& plan, Index features, double tolerance) : tolerance_(static_cast<S>(tolerance)) {
  for (int i = 0; i < kMethod.stages; ++i) k_.push_back(plan.scratch().temporary(features));
  divergence_ = plan.scratch().temporary(kMethod.stages);
  y_ = plan.scratch().temporary(features);
  for (ScratchSlot* slot : {&left_, &h_, &t_, &error_, &ld_, &ld_after_}) *slot = plan.scratch().temporary(1);
}

template <class S>
void AdaptiveSteps<S>::forward(const Frame<S>& f, const VectorField<S>& field, const Interval& time, In<S> x, Out<S> z,
                               VectorOut<S> logdet) const {
  const S direction = time.end < time.begin ? S(-1) : S(1), end = static_cast<S>(time.end);
  auto left = f.scratch[left_].col(0), h = f.scratch[h_].col(0), t = f.scratch[t_].col(0);
  auto y = f.scratch[y_];
  auto divergence = f.scratch[divergence_];
  z = x;
  f.scratch[ld_].setZero();
  left.setConstant(static_cast<S>(std::abs(time.end - time.begin)));
  t.setConstant(static_cast<S>(time.begin));
  field.forward(f, t, z, f.scratch[k_[0]], divergence.col(0));
  choose_first_step(f, z);
  Index running = x.rows();
  for (Index step = 0; step < kMostSteps && running > 0; ++step) {
    for (Index i = 1; i < kMethod.stages; ++i) {
      const S c = static_cast<S>(kMethod.c[at(i)]);
      y.setZero();
      for (Index j = 0; j < i; ++j) add(kMethod.a[at(i)][at(j)], f.scratch[k_[at(j)]], y);
      for (Index d = 0; d < y.cols(); ++d) {
        for (Index r = 0; r < y.rows(); ++r) y(r, d) = z(r, d) + direction * h(r) * y(r, d);
      }
      for (Index r = 0; r < y.rows(); ++r) t(r) = end - direction * (left(r) - c * h(r));
      field.forward(f, t, y, f.scratch[k_[at(i)]], divergence.col(i));
    }
    estimate_error(f, direction, z);
    running = finish_step(f, z);
  }
  for (Index r = 0; r < x.rows(); ++r) {
    const bool has_arrived = left(r) == 0;
    logdet(r) += has_arrived ? f.scratch[ld_](r, 0) : kNotANumber<S>;
    if (!has_arrived) z.row(r).setConstant(kNotANumber<S>);
  }
}

/// In the first step the solution moves by so little that even an error of the size of its fifth power, all constants 1, is a hundredth
/// of what is allowed. From there on the length grows as fast as the errors permit.
template <class S> void AdaptiveSteps<S>::choose_first_step(const Frame<S>& f, In<S> z) const {
  const auto k = f.scratch[k_[0]], divergence = f.scratch[divergence_], left = f.scratch[left_];
  auto h = f.scratch[h_];
  for (Index r = 0; r < z.rows(); ++r) {
    S speed = std::abs(divergence(r, 0)) / tolerance_;
    for (Index d = 0; d < z.cols(); ++d) speed = larger(speed, std::abs(k(r, d)) / (tolerance_ * (1 + std::abs(z(r, d)))));
    h(r, 0) = std::min(left(r, 0), exp_fast(log_fast(S(0.01) / (speed + S(0.01))) / 5));
  }
}

/// After all stages, the last of which stands at the result: log-determinants there and the errors, in units of what is allowed.
template <class S> void AdaptiveSteps<S>::estimate_error(const Frame<S>& f, S direction, In<S> z) const {
  const auto h = f.scratch[h_].col(0), ld = f.scratch[ld_].col(0), divergence = f.scratch[divergence_];
  auto ld_after = f.scratch[ld_after_].col(0), error = f.scratch[error_].col(0), sum = f.scratch[t_].col(0);
  const auto after = f.scratch[y_];
  const auto compare = [&](const S* before, const S* now) {
    for (Index r = 0; r < z.rows(); ++r) {
      const S allowed = tolerance_ * (1 + std::max(std::abs(before[r]), std::abs(now[r])));
      error(r) = larger(error(r), std::abs(h(r) * sum(r)) / allowed);
    }
  };
  error.setZero();
  sum.setZero();
  for (Index j = 0; j < kMethod.stages; ++j) add(kMethod.b[at(j)], divergence.col(j), sum);
  for (Index r = 0; r < z.rows(); ++r) ld_after(r) = ld(r) + direction * h(r) * sum(r);
  sum.setZero();
  for (Index j = 0; j < kMethod.stages; ++j) add(kMethod.error[at(j)], divergence.col(j), sum);
  compare(ld.data(), ld_after.data());
  for (Index d = 0; d < z.cols(); ++d) {
    sum.setZero();
    for (Index j = 0; j < kMethod.stages; ++j) add(kMethod.error[at(j)], f.scratch[k_[at(j)]].col(d), sum);
    compare(z.col(d).data(), after.col(d).data());
  }
}

/// Takes the step in the rows whose error is allowed, chooses the next length of all. Returns how many rows are still on their way.
template <class S> Index AdaptiveSteps<S>::finish_step(const Frame<S>& f, Out<S> z) const {
  constexpr S kShortest = 8 * std::numeric_limits<S>::epsilon();
  constexpr S kSafety = S(0.9), kLeastFactor = S(0.2), kMostFactor = 10;
  constexpr Index kLast = kMethod.stages - 1;
  auto left = f.scratch[left_].col(0), h = f.scratch[h_].col(0), ld = f.scratch[ld_].col(0);
  const auto error = f.scratch[error_].col(0), ld_after = f.scratch[ld_after_].col(0);
  const auto after = f.scratch[y_];
  auto divergence = f.scratch[divergence_];
  const auto take = [&](const S* from, S* to) {  // a row that has arrived stands still: its step is zero, and its error too
    for (Index r = 0; r < z.rows(); ++r) to[r] = error(r) <= 1 ? from[r] : to[r];
  };
  take(ld_after.data(), ld.data());
  take(divergence.col(kLast).data(), divergence.col(0).data());
  for (Index d = 0; d < z.cols(); ++d) {
    take(after.col(d).data(), z.col(d).data());
    take(f.scratch[k_[kLast]].col(d).data(), f.scratch[k_[0]].col(d).data());
  }
  Index running = 0;
  for (Index r = 0; r < z.rows(); ++r) {
    if (!(h(r) > 0)) continue;
    if (error(r) <= 1) left(r) = h(r) < left(r) ? left(r) - h(r) : S(0);
    const bool is_number = error(r) <= std::numeric_limits<S>::max();
    const S ideal = kSafety * exp_fast(-log_fast(error(r) + std::numeric_limits<S>::min()) / kMethod.order);
    const S next = h(r) * (is_number ? std::clamp(ideal, kLeastFactor, kMostFactor) : kLeastFactor);
    h(r) = next >= kShortest ? std::min(next, left(r)) : S(0);
    running += h(r) > 0;
  }
  return running;
}

template class FixedSteps<float>;
template class FixedSteps<double>;
template class AdaptiveSteps<float>;
template class AdaptiveSteps<double>;

}  // namespace biject
