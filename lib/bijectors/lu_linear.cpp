#include "bijectors/lu_linear.hpp"

#include "bijectors/whitening.hpp"
#include "core/sum_of.hpp"
#include "nets/activation.hpp"
#include "nets/dense.hpp"

namespace biject {

template <class S>
LuLinear<S>::LuLinear(Plan& plan, Index features, Start start)
    : start_(start),
      lu_(plan.parameter("lu", features, features)),
      log_diagonal_(plan.parameter("log_diagonal", features)),
      bias_(plan.parameter("bias", features)),
      u_(plan.scratch().fixed(features, features)),
      l_(plan.scratch().fixed(features, features)),
      d_(plan.scratch().fixed(features, features)),
      y_(plan.scratch().keep(features)),
      dy_(plan.scratch().temporary(features)) {}

template <class S> void LuLinear<S>::init(Arena<S>& theta, Workspace<S>&, const Rng&, In<S> x, In<S>) const {
  theta[lu_].setZero();
  theta[log_diagonal_].setZero();
  theta[bias_].setZero();
  if (start_ == Start::identity || x.rows() < 2) return;
  const auto found = whitening<S>(x);
  if (!found) return;  // the identity will do
  // U = R, L = 1: the diagonal as logarithm, the strict upper part as it is.
  theta[lu_] = found->r.template triangularView<Eigen::StrictlyUpper>().toDenseMatrix().template cast<S>();
  theta[log_diagonal_] = found->r.diagonal().array().log().matrix().template cast<S>();
  theta[bias_] = found->offset.transpose().template cast<S>();
}

template <class S> void LuLinear<S>::unpack(const Frame<S>& f) const {
  const auto lu = f.theta[lu_];
  auto u = f.scratch[u_];
  auto l = f.scratch[l_];
  u = lu.template triangularView<Eigen::StrictlyUpper>();
  u.diagonal() = f.theta[log_diagonal_].array().exp();
  l = lu.template triangularView<Eigen::UnitLower>();
}

template <class S> void LuLinear<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  unpack(f);
  auto y = f.scratch[y_];
  product<S>(x, f.scratch[u_], y);
  product<S>(y, f.scratch[l_], z);
  z.rowwise() += f.theta[bias_].col(0).transpose();
  logdet.array() += f.theta[log_diagonal_].sum();
}

template <class S> void LuLinear<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  unpack(f);
  x = z;
  x.rowwise() -= f.theta[bias_].col(0).transpose();
  solve_right_lower<S>(f.scratch[l_], x);
  solve_right_upper<S>(f.scratch[u_], x);
  logdet.array() -= f.theta[log_diagonal_].sum();
}

template <class S>
void LuLinear<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                           const Gradient<S>& grad) const {
  const auto y = f.scratch[y_];
  auto dy = f.scratch[dy_];
  auto d = f.scratch[d_];
  auto dlu = grad.theta[lu_];
  product_transposed<S>(dz, f.scratch[l_], dy);
  backward_bias<S>(dz, bias_, grad);
  for_each_block(grad, x.rows(), [&](Index first, Index count) {
    d.setZero();
    add_outer_product<S>(y.middleRows(first, count), dz.middleRows(first, count), d);
    dlu.template triangularView<Eigen::StrictlyLower>() += d;
    d.setZero();
    add_outer_product<S>(x.middleRows(first, count), dy.middleRows(first, count), d);
    dlu.template triangularView<Eigen::StrictlyUpper>() += d;
    grad.theta[log_diagonal_].array() +=
        d.diagonal().array() * f.theta[log_diagonal_].col(0).array().exp() + sum_of<S>(dlogdet.segment(first, count));
  });
  product_transposed<S>(dy, f.scratch[u_], dx);
}

template class LuLinear<float>;
template class LuLinear<double>;

}  // namespace biject
