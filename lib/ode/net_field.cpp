#include "ode/net_field.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/rademacher.hpp"

namespace biject {

template <class S>
NetField<S>::NetField(Plan& plan, Index features, Index context, const std::vector<Index>& hidden)
    : features_(features),
      chunk_(std::min(features, kMostExact)),
      net_(plan, {features + 1, context, hidden, features, chunk_}, TangentNet<S>::Weights::own, TangentNet<S>::Memory::temporary),
      input_(plan.scratch().temporary(features + 1)),
      dinput_(plan.scratch().temporary(features + 1)),
      tangents_(plan.scratch().temporary(chunk_ * (features + 1))),
      pushed_(plan.scratch().temporary(chunk_ * features)) {}

template <class S> void NetField<S>::init(Arena<S>& theta, const Rng& rng) const { net_.init(theta, rng); }

template <class S>
void NetField<S>::forward(const Frame<S>& f, VectorIn<S> t, In<S> x, Out<S> v, VectorOut<S> divergence) const {
  velocity(f, t, x, v);
  const Index n = x.rows();
  divergence.setZero();
  if (is_estimated(f)) {
    auto tangent = stacked(f.scratch, tangents_, 1, features_ + 1), pushed = stacked(f.scratch, pushed_, 1, features_);
    draw_signs<S>(*f.noise, net_.key(), tangent.leftCols(features_));
    tangent.col(features_).setZero();
    net_.push(f, tangent, pushed);
    for (Index d = 0; d < features_; ++d) divergence += pushed.col(d).cwiseProduct(tangent.col(d));
    return;
  }
  for (Index first = 0; first < features_; first += chunk_) {
    const Index count = std::min(chunk_, features_ - first);
    auto tangents = stacked(f.scratch, tangents_, count, features_ + 1), pushed = stacked(f.scratch, pushed_, count, features_);
    tangents.setZero();
    for (Index m = 0; m < count; ++m) tangents.col(first + m).segment(m * n, n).setOnes();
    net_.push(f, tangents, pushed);
    for (Index m = 0; m < count; ++m) divergence += pushed.col(first + m).segment(m * n, n);
  }
}

template <class S>
void NetField<S>::backward(const Frame<S>& f, VectorIn<S>, In<S> x, In<S> dv, VectorIn<S> ddivergence, Out<S> dx,
                           const Gradient<S>& grad) const {
  BIJECT_EXPECT(f.noise != nullptr);
  const Index n = x.rows(), blocks = is_estimated(f) ? 1 : features_;
  const auto tangents = stacked(f.scratch, tangents_, blocks, features_ + 1);
  auto dpushed = stacked(f.scratch, pushed_, blocks, features_);
  if (is_estimated(f)) {
    for (Index d = 0; d < features_; ++d) dpushed.col(d) = ddivergence.cwiseProduct(tangents.col(d));
  } else {
    dpushed.setZero();
    for (Index m = 0; m < blocks; ++m) dpushed.col(m).segment(m * n, n) = ddivergence;
  }
  auto dinput = f.scratch[dinput_];
  net_.begin_backward(f);
  net_.pull(f, tangents, dpushed, dinput.leftCols(0), grad);
  net_.backward(f, f.scratch[input_], dv, dinput, grad);
  dx = dinput.leftCols(features_);
}

template <class S> void NetField<S>::velocity(const Frame<S>& f, VectorIn<S> t, In<S> x, Out<S> v) const {
  auto input = f.scratch[input_];
  input.leftCols(features_) = x;
  input.col(features_) = t;
  net_.forward(f, input, v);
}

template <class S>
void NetField<S>::velocity_backward(const Frame<S>& f, In<S> dv, Out<S> dx, const Gradient<S>& grad) const {
  auto dinput = f.scratch[dinput_];
  net_.begin_backward(f);
  net_.backward(f, f.scratch[input_], dv, dinput, grad);
  dx = dinput.leftCols(features_);
}

template class NetField<float>;
template class NetField<double>;

}  // namespace biject
