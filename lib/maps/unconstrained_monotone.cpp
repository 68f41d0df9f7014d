#include "maps/unconstrained_monotone.hpp"

#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "core/for_each_lane.hpp"
#include "maps/linear_tails.hpp"

namespace biject {

namespace {

template <class S> constexpr S kMostScale = 3;  // of |c|
template <class S> constexpr S kMostTurn = 3;   // of Σ |v|
template <class S> constexpr S kMostSteep = 6;  // of |a|

/// tanh, half as expensive as tanh_fast and as accurate beside numbers of size 1.
template <class S> inline S bend(S x) { return 1 - 2 / (1 + exp_fast(2 * x)); }

/// The numbers of the equations of unconstrained_monotone.md.
template <class S> class Integral {
 public:
  using Quadrature = typename UnconstrainedMonotone<S>::Quadrature;

  Integral(Index bins, S bound, const Quadrature& quadrature, const In<S>& phi, Index first, int count)
      : units_(static_cast<int>(bins)), count_(count), bound_(bound), quadrature_(quadrature), phi_(phi.data() + first),
        stride_(phi.outerStride()) {
    t_ = raw(0);
    raw_c_ = raw(1);
    for_each_lane([&](int i) {
      scale_[i] = exp_in_range(soft_clamp(raw_c_[i], kMostScale<S>));
      total_[i] = 0;
    });
    for (int k = 0; k < units_; ++k) {
      unit_[k].v = raw(place_of_v(k));
      unit_[k].a = raw(place_of_a(k));
      unit_[k].b = raw(place_of_b(k));
      for_each_lane([&](int i) {
        total_[i] += softened(unit_[k].v[i]);
        unit_[k].a[i] = soft_clamp(unit_[k].a[i], kMostSteep<S>);  // (2)
      });
    }
    for (int k = 0; k < units_; ++k) {
      for_each_lane([&](int i) { unit_[k].v[i] = kMostTurn<S> * (unit_[k].v[i] / total_[i]); });  // (3)
    }
  }

  void evaluate(const Lanes<S>& at, Lanes<S>& value, Lanes<S>& slope) const {
    Lanes<S> sum, u, w, g, tau[kMost];
    for_each_lane([&](int i) { sum[i] = 0; });
    for (int j = 0; j < Quadrature::kNodes; ++j) {
      const S node = quadrature_.node[j] / bound_, weight = quadrature_.weight[j];
      for_each_lane([&](int i) { u[i] = at[i] * node; });
      network(u, tau, w);
      for_each_lane([&](int i) {
        g[i] = scale_[i] * exp_in_range(w[i]);
        sum[i] += weight * g[i];
      });
    }
    for_each_lane([&](int i) {
      value[i] = t_[i] + at[i] * sum[i];  // (5)
      slope[i] = g[i];                    // the last node is x itself
    });
  }

  void slopes(const Lanes<S>& at, Lanes<S>& slope, Lanes<S>& curvature) const {
    Lanes<S> u, w, rise, tau[kMost];
    for_each_lane([&](int i) {
      u[i] = at[i] * (1 / bound_);
      rise[i] = 0;
    });
    network(u, tau, w);
    for (int k = 0; k < units_; ++k) {
      for_each_lane([&](int i) { rise[i] += unit_[k].v[i] * unit_[k].a[i] * (1 - tau[k][i] * tau[k][i]); });
    }
    for_each_lane([&](int i) {
      slope[i] = scale_[i] * exp_in_range(w[i]);
      curvature[i] = slope[i] * rise[i] / bound_;  // (9)
    });
  }

  void backward(const Lanes<S>& at, const Lanes<S>& dvalue, const Lanes<S>& dslope, S* dphi, Index stride) const {
    Lanes<S> dc, u, w, dw, tau[kMost];
    Unit gradient[kMost];
    for_each_lane([&](int i) { dc[i] = 0; });
    for (int k = 0; k < units_; ++k) {
      for_each_lane([&](int i) { gradient[k].v[i] = gradient[k].a[i] = gradient[k].b[i] = 0; });
    }
    for (int j = 0; j < Quadrature::kNodes; ++j) {
      const S node = quadrature_.node[j] / bound_, weight = quadrature_.weight[j];
      const S is_x = j + 1 == Quadrature::kNodes ? S(1) : S(0);
      for_each_lane([&](int i) { u[i] = at[i] * node; });
      network(u, tau, w);
      for_each_lane([&](int i) {
        dw[i] = scale_[i] * exp_in_range(w[i]) * (dvalue[i] * at[i] * weight + is_x * dslope[i]);  // (6)
        dc[i] += dw[i];
      });
      for (int k = 0; k < units_; ++k) {  // (7), without the factor v that the nodes share
        Unit sum = gradient[k];
        for_each_lane([&](int i) {
          const S of_bend = dw[i] * (1 - tau[k][i] * tau[k][i]);
          sum.v[i] += dw[i] * tau[k][i];
          sum.a[i] += of_bend * u[i];
          sum.b[i] += of_bend;
        });
        gradient[k] = sum;
      }
    }
    Lanes<S> share;
    for_each_lane([&](int i) { share[i] = 0; });
    for (int k = 0; k < units_; ++k) {
      for_each_lane([&](int i) { share[i] += gradient[k].v[i] * unit_[k].v[i] / kMostTurn<S>; });
    }
    for (int k = 0; k < units_; ++k) {
      const Lanes<S> raw_v = raw(place_of_v(k)), raw_a = raw(place_of_a(k)), v = unit_[k].v;
      Unit sum = gradient[k];
      for_each_lane([&](int i) {
        sum.v[i] = kMostTurn<S> / total_[i] * (sum.v[i] - share[i] * raw_v[i] / softened(raw_v[i]));  // (8)
        sum.a[i] *= v[i] * soft_clamp_derivative(raw_a[i], kMostSteep<S>);
        sum.b[i] *= v[i];
      });
      sum.v.store(dphi + place_of_v(k) * stride, count_);
      sum.a.store(dphi + place_of_a(k) * stride, count_);
      sum.b.store(dphi + place_of_b(k) * stride, count_);
    }
    for_each_lane([&](int i) { dc[i] *= soft_clamp_derivative(raw_c_[i], kMostScale<S>); });
    dvalue.store(dphi, count_);
    dc.store(dphi + stride, count_);
  }

 private:
  /// The numbers of a hidden unit, or the gradient in them.
  struct Unit {
    Lanes<S> v, a, b;
  };
  static constexpr int kMost = static_cast<int>(UnconstrainedMonotone<S>::kMostBins);

  int place_of_v(int k) const { return 2 + k; }
  int place_of_a(int k) const { return 2 + units_ + k; }
  int place_of_b(int k) const { return 2 + 2 * units_ + k; }
  Lanes<S> raw(int place) const { return Lanes<S>::load(phi_ + place * stride_, count_); }

  /// |raw v|, rounded off at 0 so that K of them add up to the bound there, which leaves a small raw v as it is.
  S softened(S raw_v) const {
    const S corner = kMostTurn<S> / static_cast<S>(units_);
    return std::sqrt(raw_v * raw_v + corner * corner);
  }

  /// τₖ = tanh(aₖ u + bₖ) and w = Σₖ vₖ τₖ.
  void network(const Lanes<S>& u, Lanes<S>* tau, Lanes<S>& w) const {
    for_each_lane([&](int i) { w[i] = 0; });
    for (int k = 0; k < units_; ++k) {
      for_each_lane([&](int i) {
        tau[k][i] = bend(unit_[k].a[i] * u[i] + unit_[k].b[i]);
        w[i] += unit_[k].v[i] * tau[k][i];
      });
    }
  }

  int units_, count_;
  S bound_;
  const Quadrature& quadrature_;
  const S* phi_;
  Index stride_;
  Lanes<S> t_, raw_c_, scale_, total_;  // scale = eᶜ, total = Σ softened raw v
  Unit unit_[kMost];
};

}  // namespace

/// The integral of the polynomial through the values at the Chebyshev points (1 − cos θ)/2, θ = jπ/N: (4).
template <class S> UnconstrainedMonotone<S>::Quadrature::Quadrature() {
  constexpr int kSteps = kNodes - 1;
  static_assert(kSteps % 2 == 0);
  for (int j = 0; j < kNodes; ++j) {
    const double theta = std::numbers::pi * j / kSteps;
    double sum = 1;
    for (int m = 1; 2 * m <= kSteps; ++m) sum -= (2 * m == kSteps ? 1. : 2.) / (4. * m * m - 1) * std::cos(2 * m * theta);
    const bool is_end = j == 0 || j == kSteps;
    node[j] = static_cast<S>((1 - std::cos(theta)) / 2);
    weight[j] = static_cast<S>((is_end ? 0.5 : 1.) * sum / kSteps);
  }
}

template <class S>
UnconstrainedMonotone<S>::UnconstrainedMonotone(Index bins, double bound) : bins_(bins), bound_(static_cast<S>(bound)) {
  BIJECT_EXPECT(bins >= kFewestBins && bins <= kMostBins && bound > 0);
}

template <class S> void UnconstrainedMonotone<S>::init(VectorOut<S> phi) const {
  phi.setZero();
  const S steep = kMostSteep<S> / 2;
  for (Index k = 0; k < bins_; ++k) {
    const S centre = static_cast<S>(2 * k + 1) / static_cast<S>(bins_) - 1;
    phi(2 + bins_ + k) = steep / std::sqrt(S(0.75));  // which the bound takes down to `steep`
    phi(2 + 2 * bins_ + k) = -steep * centre;
  }
}

template <class S>
void UnconstrainedMonotone<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  forward_with_tails(bound_, x, z, logdet,
                     [&](Index first, int count) { return Integral<S>(bins_, bound_, quadrature_, phi, first, count); });
}

template <class S>
void UnconstrainedMonotone<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  inverse_with_tails(bound_, z, x, logdet,
                     [&](Index first, int count) { return Integral<S>(bins_, bound_, quadrature_, phi, first, count); });
}

template <class S>
void UnconstrainedMonotone<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                                        Out<S> dphi) const {
  backward_with_tails(bound_, x, dz, dlogdet, dx, dphi,
                      [&](Index first, int count) { return Integral<S>(bins_, bound_, quadrature_, phi, first, count); });
}

template class UnconstrainedMonotone<float>;
template class UnconstrainedMonotone<double>;

}  // namespace biject
