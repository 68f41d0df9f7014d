#include "maps/affine.hpp"

#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"

namespace biject {

namespace {

template <class S> constexpr S kBound = 3;

}  // namespace

template <class S>
void Affine<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const auto r = Lanes<S>::load(phi.col(0).data() + first, count), t = Lanes<S>::load(phi.col(1).data() + first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    Lanes<S> s, to;
    for_each_lane([&](int i) {
      s[i] = soft_clamp(r[i], kBound<S>);
      to[i] = from[i] * exp_in_range(s[i]) + t[i];
    });
    to.store(z.data() + first, count);
    s.add_to(logdet.data() + first, count);
  });
}

template <class S>
void Affine<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  for_each_lane_group(z.size(), [&](Index first, int count) {
    const auto r = Lanes<S>::load(phi.col(0).data() + first, count), t = Lanes<S>::load(phi.col(1).data() + first, count);
    const auto from = Lanes<S>::load(z.data() + first, count);
    Lanes<S> s, to;
    for_each_lane([&](int i) {
      s[i] = -soft_clamp(r[i], kBound<S>);
      to[i] = (from[i] - t[i]) * exp_in_range(s[i]);
    });
    to.store(x.data() + first, count);
    s.add_to(logdet.data() + first, count);
  });
}

template <class S>
void Affine<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                         Out<S> dphi) const {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const auto r = Lanes<S>::load(phi.col(0).data() + first, count), from = Lanes<S>::load(x.data() + first, count);
    const auto a = Lanes<S>::load(dz.data() + first, count), b = Lanes<S>::load(dlogdet.data() + first, count);
    Lanes<S> dfrom, dr;
    for_each_lane([&](int i) {
      const S scale = exp_in_range(soft_clamp(r[i], kBound<S>));
      dfrom[i] = a[i] * scale;
      dr[i] = (dfrom[i] * from[i] + b[i]) * soft_clamp_derivative(r[i], kBound<S>);
    });
    dfrom.store(dx.data() + first, count);
    dr.store(dphi.col(0).data() + first, count);
    a.store(dphi.col(1).data() + first, count);
  });
}

template class Affine<float>;
template class Affine<double>;

}  // namespace biject
