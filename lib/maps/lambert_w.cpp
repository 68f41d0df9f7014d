#include "maps/lambert_w.hpp"

#include "core/for_each_lane.hpp"
#include "core/hyperbolic.hpp"
#include "core/numerics.hpp"
#include "maps/clamp.hpp"

// Numbers in parentheses are the equations of lambert_w.md.
namespace biject {

namespace {

template <class S> constexpr S kScaleBound = 3;
template <class S> constexpr S kReach = 8;                       // beyond this |z| straight lines
template <class S> constexpr S kShift = S(-2.9444389791664403);  // log(0.05 / 0.95)

/// The w ≥ 0 with w·eʷ = q, for q from 0 to 1e30.
template <class S> S lambert_w(S q) {
  q = q < S(1e-30) ? S(1e-30) : q;
  const S l = log1p_fast(q);
  S w = l * (1 - log1p_fast(l) / (2 + l));  // (4)
  for (int step = 0; step < 2; ++step) {    // (5)
    const S residual = log_fast(q / w) - w, once = 1 + w;
    const S twice = 2 * once * (once + residual * S(2. / 3));
    w *= 1 + residual / once * ((twice - residual) / (twice - 2 * residual));
  }
  return w;
}

/// φ of a lane group.
template <class S> struct Raw {
  Lanes<S> r, t, left, right;
  Raw(const In<S>& phi, Index first, int count)
      : r(Lanes<S>::load(phi.col(0).data() + first, count)), t(Lanes<S>::load(phi.col(1).data() + first, count)),
        left(Lanes<S>::load(phi.col(2).data() + first, count)), right(Lanes<S>::load(phi.col(3).data() + first, count)) {}
};

/// Everything about one u. (1)–(3)
template <class S> struct Transform {
  S w, inner, excess;      // w, ū, u − ū
  S c, slope;              // of z
  Transform(S u, S delta) {
    const S reach = kReach<S> * exp_fast(kReach<S> * kReach<S> / 2 * delta);
    inner = clamp(u, -reach, reach);
    excess = u - inner;
    w = lambert_w(delta * inner * inner);
    const S shrunk = exp_fast(-w / 2);
    c = inner * shrunk;
    slope = shrunk / (1 + w);
  }
};

}  // namespace

template <class S>
void LambertW<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const Raw<S> raw(phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    Lanes<S> to, ld;
    for_each_lane([&](int i) {
      const S s = soft_clamp(raw.r[i], kScaleBound<S>), u = from[i] * exp_in_range(s) + raw.t[i];
      const Transform<S> transform(u, sigmoid((u < 0 ? raw.left[i] : raw.right[i]) + kShift<S>));
      to[i] = transform.c + transform.excess * transform.slope;
      ld[i] = s - transform.w / 2 - log1p_fast(transform.w);
    });
    to.store(z.data() + first, count);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class S>
void LambertW<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  for_each_lane_group(z.size(), [&](Index first, int count) {
    const Raw<S> raw(phi, first, count);
    const auto from = Lanes<S>::load(z.data() + first, count);
    Lanes<S> to, ld;
    for_each_lane([&](int i) {
      const S s = soft_clamp(raw.r[i], kScaleBound<S>), delta = sigmoid((from[i] < 0 ? raw.left[i] : raw.right[i]) + kShift<S>);
      const S c = clamp(from[i], -kReach<S>, kReach<S>);
      const S w = delta * c * c, stretched = exp_fast(w / 2);
      const S u = c * stretched + (from[i] - c) * (1 + w) * stretched;
      to[i] = (u - raw.t[i]) * exp_in_range(-s);
      ld[i] = w / 2 + log1p_fast(w) - s;
    });
    to.store(x.data() + first, count);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class S>
void LambertW<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                           Out<S> dphi) const {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const Raw<S> raw(phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    const auto a = Lanes<S>::load(dz.data() + first, count), b = Lanes<S>::load(dlogdet.data() + first, count);
    Lanes<S> dfrom, dr, dt, dleft, dright;
    for_each_lane([&](int i) {
      const S scale = exp_in_range(soft_clamp(raw.r[i], kScaleBound<S>)), u = from[i] * scale + raw.t[i];
      const S delta = sigmoid((u < 0 ? raw.left[i] : raw.right[i]) + kShift<S>);
      const Transform<S> transform(u, delta);
      const S c = transform.c, slope = transform.slope, once = 1 / (1 + transform.w);
      const S bend = c * c * (S(0.5) + once);                                                    // (6)
      const bool is_inside = transform.excess == 0;
      const S du = a[i] * slope - (is_inside ? b[i] * (S(0.5) + once) * 2 * delta * c * slope : S(0));  // (7)
      const S ddelta = -a[i] * c * c * c * once / 2 -                                                 // (8), (9)
                       (is_inside ? b[i] * bend * once : (a[i] * transform.excess * slope + b[i]) * bend);
      const S draw = ddelta * delta * (1 - delta);
      dt[i] = du;
      dfrom[i] = du * scale;
      dr[i] = (dfrom[i] * from[i] + b[i]) * soft_clamp_derivative(raw.r[i], kScaleBound<S>);
      dleft[i] = u < 0 ? draw : S(0);
      dright[i] = u < 0 ? S(0) : draw;
    });
    dfrom.store(dx.data() + first, count);
    dr.store(dphi.col(0).data() + first, count);
    dt.store(dphi.col(1).data() + first, count);
    dleft.store(dphi.col(2).data() + first, count);
    dright.store(dphi.col(3).data() + first, count);
  });
}

template class LambertW<float>;
template class LambertW<double>;

}  // namespace biject
