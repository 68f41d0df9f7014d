#include "bijectors/qr_linear.hpp"

#include <algorithm>

#include "bijectors/whitening.hpp"
#include "nets/dense.hpp"

namespace biject {

namespace {

Index reflections_of(Index features) { return std::max<Index>(2, features - features % 2); }

}  // namespace

template <class S>
QrLinear<S>::QrLinear(Plan& plan, Index features, Start start)
    : start_(start),
      reflections_(plan, features, reflections_of(features)),
      upper_(plan, "r", features),
      log_diagonal_(plan.parameter("log_diagonal", features)),
      bias_(plan.parameter("bias", features)),
      q_(plan.scratch().fixed(features, features)),
      r_(plan.scratch().fixed(features, features)),
      dq_(plan.scratch().fixed(features, features)),
      d_(plan.scratch().fixed(features, features)),
      y_(plan.scratch().keep(features)),
      dy_(plan.scratch().temporary(features)) {}

template <class S> void QrLinear<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S> x, In<S>) const {
  reflections_.init_identity(theta, rng);
  upper_.set(theta, Matrix<S>::Zero(x.cols(), x.cols()));
  theta[log_diagonal_].setZero();
  theta[bias_].setZero();
  if (start_ == Start::identity || x.rows() < 2) return;
  const auto found = whitening<S>(x);
  if (!found) return;  // the identity will do
  upper_.set(theta, found->r.template cast<S>());
  theta[log_diagonal_] = found->r.diagonal().array().log().matrix().template cast<S>();
  theta[bias_] = found->offset.transpose().template cast<S>();
}

template <class S> void QrLinear<S>::unpack(const Frame<S>& f) const {
  auto q = f.scratch[q_];
  auto r = f.scratch[r_];
  q.setIdentity();
  reflections_.apply(f, q);
  upper_.unpack(f.theta, r);
  r.diagonal() = f.theta[log_diagonal_].array().exp();
}

template <class S> void QrLinear<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  unpack(f);
  auto y = f.scratch[y_];
  product<S>(x, f.scratch[q_], y);
  product<S>(y, f.scratch[r_], z);
  z.rowwise() += f.theta[bias_].col(0).transpose();
  logdet.array() += f.theta[log_diagonal_].sum();
}

template <class S> void QrLinear<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  unpack(f);
  auto y = f.scratch[y_];
  y = z;
  y.rowwise() -= f.theta[bias_].col(0).transpose();
  solve_right_upper<S>(f.scratch[r_], y);
  product_transposed<S>(y, f.scratch[q_], x);
  logdet.array() -= f.theta[log_diagonal_].sum();
}

template <class S>
void QrLinear<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                           const Gradient<S>& grad) const {
  const auto y = f.scratch[y_];
  auto dy = f.scratch[dy_];
  auto d = f.scratch[d_], dq = f.scratch[dq_];
  grad.theta[bias_].col(0) += dz.colwise().sum().transpose();
  d.setZero();
  add_outer_product<S>(y, dz, d);
  upper_.backward(d, grad.theta);
  grad.theta[log_diagonal_].array() +=
      d.diagonal().array() * f.theta[log_diagonal_].col(0).array().exp() + dlogdet.sum();
  product_transposed<S>(dz, f.scratch[r_], dy);
  product_transposed<S>(dy, f.scratch[q_], dx);
  dq.setZero();
  add_outer_product<S>(x, dy, dq);
  d = f.scratch[q_];
  reflections_.backward(f, d, dq, grad);
}

template class QrLinear<float>;
template class QrLinear<double>;

}  // namespace biject
