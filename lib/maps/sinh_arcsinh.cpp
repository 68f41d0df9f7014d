#include "maps/sinh_arcsinh.hpp"

#include <cmath>

#include "core/for_each_lane.hpp"
#include "core/hyperbolic.hpp"
#include "core/numerics.hpp"
#include "maps/clamp.hpp"

namespace biject {

namespace {

template <class S> constexpr S kScaleBound = 3;
template <class S> constexpr S kShapeBound = 2;  // of ε and log δ
template <class S> constexpr S kReach = 8;       // beyond this |z| straight lines
template <class S> constexpr S kReachAsinh = S(2.7764722807237177);

/// φ of a lane group.
template <class S> struct Raw {
  Lanes<S> r, t, skew, weight;
  Raw(const In<S>& phi, Index first, int count)
      : r(Lanes<S>::load(phi.col(0).data() + first, count)), t(Lanes<S>::load(phi.col(1).data() + first, count)),
        skew(Lanes<S>::load(phi.col(2).data() + first, count)), weight(Lanes<S>::load(phi.col(3).data() + first, count)) {}
};

/// φ of one sample.
template <class S> struct Shape {
  S s, t, epsilon, log_delta, delta;
  Shape(const Raw<S>& raw, int i)
      : s(soft_clamp(raw.r[i], kScaleBound<S>)), t(raw.t[i]), epsilon(soft_clamp(raw.skew[i], kShapeBound<S>)),
        log_delta(soft_clamp(raw.weight[i], kShapeBound<S>)), delta(exp_in_range(log_delta)) {}
};

/// log cosh y − log cosh v, from sinh y and sinh v.
template <class S> S log_cosh_ratio(S sinh_y, S sinh_v) {
  return (log1p_fast(sinh_y * sinh_y) - log1p_fast(sinh_v * sinh_v)) / 2;
}

/// Everything about one u, in the letters of the header.
template <class S> struct Transform {
  bool is_inside;                  // no line
  S v, inner, excess;              // v, ū, u − ū
  S outer, cosh_v, cosh_y, slope;  // z̄, cosh v, cosh y, m
  Transform(S u, const Shape<S>& shape) {
    const S free_v = asinh_fast(u), free_y = shape.delta * free_v - shape.epsilon;
    const S y = clamp(free_y, -kReachAsinh<S>, kReachAsinh<S>);
    is_inside = y == free_y;
    v = is_inside ? free_v : (y + shape.epsilon) / shape.delta;
    inner = is_inside ? u : sinh_fast(v);
    excess = u - inner;
    outer = sinh_fast(y);
    cosh_v = std::sqrt(1 + inner * inner);
    cosh_y = std::sqrt(1 + outer * outer);
    slope = shape.delta * cosh_y / cosh_v;
  }
};

}  // namespace

template <class S>
void SinhArcsinh<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const Raw<S> raw(phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    Lanes<S> to, ld;
    for_each_lane([&](int i) {
      const Shape<S> shape(raw, i);
      const Transform<S> transform(from[i] * exp_in_range(shape.s) + shape.t, shape);
      to[i] = transform.outer + transform.excess * transform.slope;
      ld[i] = shape.s + (shape.log_delta + log_cosh_ratio(transform.outer, transform.inner));
    });
    to.store(z.data() + first, count);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class S>
void SinhArcsinh<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  for_each_lane_group(z.size(), [&](Index first, int count) {
    const Raw<S> raw(phi, first, count);
    const auto from = Lanes<S>::load(z.data() + first, count);
    Lanes<S> to, ld;
    for_each_lane([&](int i) {
      const Shape<S> shape(raw, i);
      const S outer = clamp(from[i], -kReach<S>, kReach<S>), inner = sinh_fast((asinh_fast(outer) + shape.epsilon) / shape.delta);
      const S slope = shape.delta * std::sqrt((1 + outer * outer) / (1 + inner * inner));
      to[i] = (inner + (from[i] - outer) / slope - shape.t) * exp_in_range(-shape.s);
      ld[i] = -shape.s - (shape.log_delta + log_cosh_ratio(outer, inner));
    });
    to.store(x.data() + first, count);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class S>
void SinhArcsinh<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                              Out<S> dphi) const {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const Raw<S> raw(phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    const auto a = Lanes<S>::load(dz.data() + first, count), b = Lanes<S>::load(dlogdet.data() + first, count);
    Lanes<S> dfrom, dr, dt, dskew, dweight;
    for_each_lane([&](int i) {
      const Shape<S> shape(raw, i);
      const S scale = exp_in_range(shape.s);
      const Transform<S> transform(from[i] * scale + shape.t, shape);
      const S tanh_v = transform.inner / transform.cosh_v, tanh_y = transform.outer / transform.cosh_y;
      const S k = transform.is_inside ? tanh_y : tanh_v / shape.delta;
      const S dslope = a[i] * transform.excess * transform.slope + b[i];  // ∂L/∂log m
      const S of_y = a[i] * transform.cosh_y, delta_v = shape.delta * transform.v;
      const S du = a[i] * transform.slope + b[i] * (shape.delta * k - tanh_v) / transform.cosh_v;
      dt[i] = du;
      dfrom[i] = du * scale;
      dr[i] = (dfrom[i] * from[i] + b[i]) * soft_clamp_derivative(raw.r[i], kScaleBound<S>);
      dskew[i] = -(of_y + dslope * k) * soft_clamp_derivative(raw.skew[i], kShapeBound<S>);
      dweight[i] = (of_y * delta_v + dslope * (1 + delta_v * k)) * soft_clamp_derivative(raw.weight[i], kShapeBound<S>);
    });
    dfrom.store(dx.data() + first, count);
    dr.store(dphi.col(0).data() + first, count);
    dt.store(dphi.col(1).data() + first, count);
    dskew.store(dphi.col(2).data() + first, count);
    dweight.store(dphi.col(3).data() + first, count);
  });
}

template class SinhArcsinh<float>;
template class SinhArcsinh<double>;

}  // namespace biject
