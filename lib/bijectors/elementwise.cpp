#include "bijectors/elementwise.hpp"

#include "nets/make_net.hpp"

namespace biject {

template <class S>
Elementwise<S>::Elementwise(Plan& plan, Index features, Index context, MapPtr<S> map, const NetStyle& style)
    : map_(std::move(map)) {
  const Index outputs = features * map_->params();
  net_ = make_net<S>(plan, {0, context, std::vector<Index>(static_cast<std::size_t>(outputs), 0)}, style);
  phi_ = plan.scratch().keep(outputs);
  dphi_ = plan.scratch().temporary(outputs);
}

template <class S>
void Elementwise<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S> x, In<S>) const {
  Vector<S> phi(map_->params());
  map_->init(phi);
  net_->init(theta, rng, phi.replicate(x.cols(), 1));
}

template <class S> void Elementwise<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  const Index params = map_->params();
  net_->forward(f, x.leftCols(0), phi);
  for (Index d = 0; d < x.cols(); ++d) map_->forward(phi.middleCols(d * params, params), x.col(d), z.col(d), logdet);
}

template <class S> void Elementwise<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  const Index params = map_->params();
  net_->forward(f, z.leftCols(0), phi);
  for (Index d = 0; d < z.cols(); ++d) map_->inverse(phi.middleCols(d * params, params), z.col(d), x.col(d), logdet);
}

template <class S>
void Elementwise<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                              const Gradient<S>& grad) const {
  const auto phi = f.scratch[phi_];
  auto dphi = f.scratch[dphi_];
  const Index params = map_->params();
  for (Index d = 0; d < x.cols(); ++d) {
    map_->backward(phi.middleCols(d * params, params), x.col(d), dz.col(d), dlogdet, dx.col(d),
                   dphi.middleCols(d * params, params));
  }
  net_->backward(f, x.leftCols(0), dphi, dx.leftCols(0), grad);
}

template class Elementwise<float>;
template class Elementwise<double>;

}  // namespace biject
