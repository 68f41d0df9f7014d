#include "maps/mixture_cdf.hpp"

#include <cmath>
#include <type_traits>

#include "core/error.hpp"
#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"
#include "maps/mixture_quantile.hpp"

// Numbers in parentheses are the equations of mixture_cdf.md.
namespace biject {

namespace {

template <class S> constexpr S kBound = 3;
template <class Kernel> constexpr bool kIsScaled = std::is_same_v<Kernel, LogisticKernel>;  // has an affine map after it
template <class S, class Kernel> constexpr S kSpread = kIsScaled<Kernel> ? S(1) : S(0.75);
template <class S, class Kernel> constexpr S kVariance = kIsScaled<Kernel> ? S(3.28986813369645287) : S(1);  // π²/3

template <class S, class Kernel>
using Mixture = MixtureQuantile<S, Kernel, static_cast<int>(MixtureCdf<S, Kernel>::kMostBins)>;

/// The mixture of a lane group, and its numbers before they became those of the quantile.
template <class S, class Kernel> struct Components {
  Mixture<S, Kernel> mixture;
  Lanes<S> mean[MixtureCdf<S, Kernel>::kMostBins], inverse_scale[MixtureCdf<S, Kernel>::kMostBins];
  Lanes<S> r, t;  // of the affine map

  Components(Index bins, const In<S>& phi, Index first, int count) {
    const S* raw = phi.data() + first;
    const int components = mixture.components = static_cast<int>(bins);
    const S a0 = starting_scale(components, kSpread<S, Kernel>, kVariance<S, Kernel>);
    for (int k = 0; k < components; ++k) {
      const S m0 = starting_centre(k, components, kSpread<S, Kernel>);
      mixture.raw[k] = Lanes<S>::load(raw + k * phi.outerStride(), count);
      mean[k] = Lanes<S>::load(raw + (components + k) * phi.outerStride(), count);
      const auto s = Lanes<S>::load(raw + (2 * components + k) * phi.outerStride(), count);
      for_each_lane([&](int i) {
        mean[k][i] += m0;
        inverse_scale[k][i] = a0 * exp_in_range(-soft_clamp(s[i], kBound<S>));
        mixture.a[k][i] = inverse_scale[k][i];
        mixture.b[k][i] = -mean[k][i] * inverse_scale[k][i];
      });
    }
    if constexpr (kIsScaled<Kernel>) {
      r = Lanes<S>::load(raw + 3 * components * phi.outerStride(), count);
      t = Lanes<S>::load(raw + (3 * components + 1) * phi.outerStride(), count);
    }
    mixture.normalise();
  }
};

}  // namespace

template <class S, class Kernel> MixtureCdf<S, Kernel>::MixtureCdf(Index bins) : bins_(bins) {
  BIJECT_EXPECT(bins >= kFewestBins && bins <= kMostBins);
}

template <class S, class Kernel> Index MixtureCdf<S, Kernel>::params() const {
  return 3 * bins_ + (kIsScaled<Kernel> ? 2 : 0);
}

template <class S, class Kernel>
void MixtureCdf<S, Kernel>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    Components<S, Kernel> of(bins_, phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    Lanes<S> to, slope;
    of.mixture.evaluate(from, to, slope);
    for_each_lane([&](int i) {
      slope[i] = log_fast(slope[i]);
      if constexpr (kIsScaled<Kernel>) {
        const S s = soft_clamp(of.r[i], kBound<S>);
        to[i] = to[i] * exp_in_range(s) + of.t[i];
        slope[i] += s;
      }
    });
    to.store(z.data() + first, count);
    slope.add_to(logdet.data() + first, count);
  });
}

template <class S, class Kernel>
void MixtureCdf<S, Kernel>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  for_each_lane_group(z.size(), [&](Index first, int count) {
    Components<S, Kernel> of(bins_, phi, first, count);
    auto from = Lanes<S>::load(z.data() + first, count);
    if constexpr (kIsScaled<Kernel>) {
      for_each_lane([&](int i) { from[i] = (from[i] - of.t[i]) * exp_in_range(-soft_clamp(of.r[i], kBound<S>)); });
    }
    const Lanes<S> to = of.mixture.solve(from);
    Lanes<S> value, slope;
    of.mixture.evaluate(to, value, slope);
    for_each_lane([&](int i) {
      slope[i] = -log_fast(slope[i]);
      if constexpr (kIsScaled<Kernel>) slope[i] -= soft_clamp(of.r[i], kBound<S>);
    });
    to.store(x.data() + first, count);
    slope.add_to(logdet.data() + first, count);
  });
}

template <class S, class Kernel>
void MixtureCdf<S, Kernel>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                                     Out<S> dphi) const {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    Components<S, Kernel> of(bins_, phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    const auto a = Lanes<S>::load(dz.data() + first, count), b = Lanes<S>::load(dlogdet.data() + first, count);
    const int components = of.mixture.components;
    const S* raw = phi.data() + first;
    S* draw = dphi.data() + first;
    Lanes<S> value, slope, dvalue, dslope, dfrom;
    of.mixture.evaluate(from, value, slope);
    for_each_lane([&](int i) {
      dvalue[i] = a[i];
      dslope[i] = b[i] / slope[i];
    });
    if constexpr (kIsScaled<Kernel>) {  // (16)
      Lanes<S> dr;
      for_each_lane([&](int i) {
        const S scale = exp_in_range(soft_clamp(of.r[i], kBound<S>));
        dvalue[i] *= scale;
        dr[i] = (dvalue[i] * value[i] + b[i]) * soft_clamp_derivative(of.r[i], kBound<S>);
      });
      dr.store(draw + 3 * components * dphi.outerStride(), count);
      a.store(draw + (3 * components + 1) * dphi.outerStride(), count);
    }
    of.mixture.backward(from, dvalue, dslope, dfrom);
    dfrom.store(dx.data() + first, count);
    for (int k = 0; k < components; ++k) {
      const auto s = Lanes<S>::load(raw + (2 * components + k) * phi.outerStride(), count);
      Lanes<S> dmean, ds;
      for_each_lane([&](int i) {
        const S rate = of.inverse_scale[k][i], db = of.mixture.b[k][i];
        dmean[i] = -db * rate;                                             // (14)
        ds[i] = -(of.mixture.a[k][i] - db * of.mean[k][i]) * rate * soft_clamp_derivative(s[i], kBound<S>);  // (15)
      });
      of.mixture.raw[k].store(draw + k * dphi.outerStride(), count);
      dmean.store(draw + (components + k) * dphi.outerStride(), count);
      ds.store(draw + (2 * components + k) * dphi.outerStride(), count);
    }
  });
}

template class MixtureCdf<float, LogisticKernel>;
template class MixtureCdf<double, LogisticKernel>;
template class MixtureCdf<float, NormalKernel>;
template class MixtureCdf<double, NormalKernel>;

}  // namespace biject
