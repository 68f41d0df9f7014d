#include "bijectors/continuous.hpp"

#include "core/error.hpp"

// Numbers in parentheses are the equations of continuous.md.
namespace biject {

namespace {

// What a log-density may be off by, and what a round trip keeps.
template <class S> constexpr double kTolerance = std::is_same_v<S, float> ? 1e-5 : 1e-10;

constexpr Interval kToNoise{0, 1}, kToData{1, 0};

}  // namespace

template <class S>
Continuous<S>::Continuous(Plan& plan, Index features, Index context, const std::vector<Index>& hidden, Index steps)
    : field_(plan, features, context, hidden),
      in_training_(plan, features, steps),
      in_use_(plan, features, kTolerance<S>),
      y_(plan.scratch().temporary(features)),
      target_(plan.scratch().temporary(features)),
      velocity_(plan.scratch().temporary(features)),
      t_(plan.scratch().temporary(1)) {}

template <class S> void Continuous<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S>, In<S>) const {
  field_.init(theta, rng);
}

template <class S> void Continuous<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  if (f.noise != nullptr) {
    in_training_.forward(f, field_, kToNoise, x, z, logdet);
  } else {
    in_use_.forward(f, field_, kToNoise, x, z, logdet);
  }
}

template <class S> void Continuous<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  if (f.noise != nullptr) {
    in_training_.forward(f, field_, kToData, z, x, logdet);
  } else {
    in_use_.forward(f, field_, kToData, z, x, logdet);
  }
}

template <class S>
void Continuous<S>::backward(const Frame<S>& f, In<S>, In<S> dz, VectorIn<S> dlogdet, Out<S> dx, const Gradient<S>& grad) const {
  BIJECT_EXPECT(f.noise != nullptr);
  in_training_.backward(f, field_, kToNoise, dz, dlogdet, dx, grad);
}

template <class S>
void Continuous<S>::match(const Frame<S>& f, In<S> x, VectorIn<S> weight, VectorOut<S> value, const Gradient<S>& grad) const {
  BIJECT_EXPECT(f.noise != nullptr);
  const Rng rng = f.noise->of(Stream::matching);
  auto y = f.scratch[y_], target = f.scratch[target_], velocity = f.scratch[velocity_];
  auto t = f.scratch[t_].col(0);
  const auto row = [&](Index i) { return f.noise->first_row + static_cast<std::uint64_t>(i); };
  const auto noise = [&](Index i, Index d) { return static_cast<S>(rng.normal(row(i), static_cast<std::uint32_t>(2 + d))); };
  for (Index i = 0; i < x.rows(); ++i) t(i) = static_cast<S>(rng.uniform(row(i), 0));
  for (Index d = 0; d < x.cols(); ++d) {
    for (Index i = 0; i < x.rows(); ++i) {
      const S e = noise(i, d);
      y(i, d) = x(i, d) + t(i) * (e - x(i, d));
      target(i, d) = e - x(i, d);
    }
  }
  field_.velocity(f, t, y, velocity);
  value.setZero();
  for (Index d = 0; d < x.cols(); ++d) {
    for (Index i = 0; i < x.rows(); ++i) {
      const S miss = velocity(i, d) - target(i, d);
      value(i) -= miss * miss / 2;
      velocity(i, d) = -weight(i) * miss;
    }
  }
  field_.velocity_backward(f, velocity, y, grad);
}

template class Continuous<float>;
template class Continuous<double>;

}  // namespace biject
