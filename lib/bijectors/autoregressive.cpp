#include "bijectors/autoregressive.hpp"

#include "nets/make_net.hpp"

namespace biject {

template <class S>
Autoregressive<S>::Autoregressive(Plan& plan, Index features, Index context, MapPtr<S> map, const NetStyle& style)
    : map_(std::move(map)) {
  const Index params = map_->params(), outputs = features * params;
  std::vector<Index> visible;
  for (Index o = 0; o < outputs; ++o) visible.push_back(o / params);
  net_ = make_net<S>(plan, {features, context, std::move(visible)}, style);
  phi_ = plan.scratch().keep(outputs);
  dphi_ = plan.scratch().temporary(outputs);
  dx_net_ = plan.scratch().temporary(features);
}

template <class S>
void Autoregressive<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S> x, In<S>) const {
  Vector<S> phi(map_->params());
  map_->init(phi);
  net_->init(theta, rng, phi.replicate(x.cols(), 1));
}

template <class S> void Autoregressive<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  const Index params = map_->params();
  net_->forward(f, x, phi);
  for (Index d = 0; d < x.cols(); ++d) map_->forward(phi.middleCols(d * params, params), x.col(d), z.col(d), logdet);
}

template <class S> void Autoregressive<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  const Index params = map_->params();
  for (Index d = 0; d < z.cols(); ++d) {
    net_->reveal(f, x, d * params, phi);
    map_->inverse(phi.middleCols(d * params, params), z.col(d), x.col(d), logdet);
  }
}

template <class S>
void Autoregressive<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                                 const Gradient<S>& grad) const {
  const auto phi = f.scratch[phi_];
  auto dphi = f.scratch[dphi_];
  auto dx_net = f.scratch[dx_net_];
  const Index params = map_->params();
  for (Index d = 0; d < x.cols(); ++d) {
    map_->backward(phi.middleCols(d * params, params), x.col(d), dz.col(d), dlogdet, dx.col(d),
                   dphi.middleCols(d * params, params));
  }
  net_->backward(f, x, dphi, dx_net, grad);
  dx += dx_net;
}

template class Autoregressive<float>;
template class Autoregressive<double>;

}  // namespace biject
