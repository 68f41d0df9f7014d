#include "maps/shift.hpp"

namespace biject {

template <class S> void Shift<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S>) const {
  z = x + phi.col(0);
}

template <class S> void Shift<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S>) const {
  x = z - phi.col(0);
}

template <class S>
void Shift<S>::backward(In<S>, VectorIn<S>, VectorIn<S> dz, VectorIn<S>, VectorOut<S> dx, Out<S> dphi) const {
  dx = dz;
  dphi.col(0) = dz;
}

template class Shift<float>;
template class Shift<double>;

}  // namespace biject
