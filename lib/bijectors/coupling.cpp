#include "bijectors/coupling.hpp"

#include "nets/make_net.hpp"

namespace biject {

template <class S>
Coupling<S>::Coupling(Plan& plan, Index features, Index context, MapPtr<S> map, const NetStyle& style, bool is_flipped)
    : kept_(features / 2),
      first_kept_(is_flipped ? features - kept_ : 0),
      changed_(features - kept_),
      first_changed_(is_flipped ? 0 : kept_),
      map_(std::move(map)) {
  const Index outputs = changed_ * map_->params();
  net_ = make_net<S>(plan, {kept_, context, std::vector<Index>(static_cast<std::size_t>(outputs), kept_)}, style);
  phi_ = plan.scratch().keep(outputs);
  dphi_ = plan.scratch().temporary(outputs);
  dkept_ = plan.scratch().temporary(kept_);
}

template <class S> void Coupling<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S>, In<S>) const {
  Vector<S> phi(map_->params());
  map_->init(phi);
  net_->init(theta, rng, phi.replicate(changed_, 1));
}

template <class S> void Coupling<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  const Index params = map_->params();
  net_->forward(f, x.middleCols(first_kept_, kept_), phi);
  z.middleCols(first_kept_, kept_) = x.middleCols(first_kept_, kept_);
  for (Index i = 0; i < changed_; ++i) {
    const Index d = first_changed_ + i;
    map_->forward(phi.middleCols(i * params, params), x.col(d), z.col(d), logdet);
  }
}

template <class S> void Coupling<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  const Index params = map_->params();
  net_->forward(f, z.middleCols(first_kept_, kept_), phi);
  x.middleCols(first_kept_, kept_) = z.middleCols(first_kept_, kept_);
  for (Index i = 0; i < changed_; ++i) {
    const Index d = first_changed_ + i;
    map_->inverse(phi.middleCols(i * params, params), z.col(d), x.col(d), logdet);
  }
}

template <class S>
void Coupling<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                           const Gradient<S>& grad) const {
  const auto phi = f.scratch[phi_];
  auto dphi = f.scratch[dphi_];
  auto dkept = f.scratch[dkept_];
  const Index params = map_->params();
  for (Index i = 0; i < changed_; ++i) {
    const Index d = first_changed_ + i;
    map_->backward(phi.middleCols(i * params, params), x.col(d), dz.col(d), dlogdet, dx.col(d),
                   dphi.middleCols(i * params, params));
  }
  net_->backward(f, x.middleCols(first_kept_, kept_), dphi, dkept, grad);
  dx.middleCols(first_kept_, kept_) = dz.middleCols(first_kept_, kept_) + dkept;
}

template class Coupling<float>;
template class Coupling<double>;

}  // namespace biject
