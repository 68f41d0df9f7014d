#include "bijectors/inverse_autoregressive.hpp"

#include "nets/make_net.hpp"

namespace biject {

template <class S>
InverseAutoregressive<S>::InverseAutoregressive(Plan& plan, Index features, Index context, MapPtr<S> map, const NetStyle& style)
    : map_(std::move(map)) {
  const Index params = map_->params(), outputs = features * params;
  std::vector<Index> visible;
  for (Index o = 0; o < outputs; ++o) visible.push_back(o / params);
  net_ = make_net<S>(plan, {features, context, std::move(visible)}, style);
  phi_ = plan.scratch().keep(outputs);
  z_ = plan.scratch().keep(features);
  dphi_ = plan.scratch().temporary(outputs);
  dz_ = plan.scratch().temporary(features);
}

template <class S>
void InverseAutoregressive<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S> x, In<S>) const {
  Vector<S> phi(map_->params());
  map_->init(phi);
  net_->init(theta, rng, phi.replicate(x.cols(), 1));
}

template <class S>
void InverseAutoregressive<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  const Index params = map_->params();
  for (Index d = 0; d < x.cols(); ++d) {
    net_->reveal(f, z, d * params, phi);
    map_->forward(phi.middleCols(d * params, params), x.col(d), z.col(d), logdet);
  }
  f.scratch[z_] = z;
}

template <class S>
void InverseAutoregressive<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  const Index params = map_->params();
  net_->forward(f, z, phi);
  for (Index d = 0; d < z.cols(); ++d) map_->inverse(phi.middleCols(d * params, params), z.col(d), x.col(d), logdet);
}

template <class S>
void InverseAutoregressive<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                                        const Gradient<S>& grad) const {
  const auto phi = f.scratch[phi_];
  auto dphi = f.scratch[dphi_], dz_total = f.scratch[dz_];
  const Index params = map_->params();
  dz_total = dz;
  for (Index d = x.cols() - 1; d >= 0; --d) {
    map_->backward(phi.middleCols(d * params, params), x.col(d), dz_total.col(d), dlogdet, dx.col(d),
                   dphi.middleCols(d * params, params));                              // (3), (4)
    net_->conceal(f, d * params, dphi.middleCols(d * params, params), dz_total);      // (2)
  }
  net_->collect(f, f.scratch[z_], dphi, grad);                                        // (5)
}

template class InverseAutoregressive<float>;
template class InverseAutoregressive<double>;

}  // namespace biject
