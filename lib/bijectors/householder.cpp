#include "bijectors/householder.hpp"

namespace biject {

template <class S>
Householder<S>::Householder(Plan& plan, Index features, Index reflections)
    : q_(plan, features, reflections),
      z_(plan.scratch().keep(features)),
      y_(plan.scratch().temporary(features)) {
  BIJECT_EXPECT(reflections > 0 && reflections % 2 == 0);
}

template <class S> void Householder<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S>, In<S>) const {
  q_.init_identity(theta, rng);
}

template <class S> void Householder<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S>) const {
  z = x;
  q_.apply(f, z);
  f.scratch[z_] = z;
}

template <class S> void Householder<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S>) const {
  x = z;
  q_.apply_transposed(f, x);
}

template <class S>
void Householder<S>::backward(const Frame<S>& f, In<S>, In<S> dz, VectorIn<S>, Out<S> dx, const Gradient<S>& grad) const {
  auto y = f.scratch[y_];
  y = f.scratch[z_];
  dx = dz;
  q_.backward(f, y, dx, grad);
}

template class Householder<float>;
template class Householder<double>;

}  // namespace biject
