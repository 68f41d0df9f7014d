#include "maps/deep_sigmoid.hpp"

#include <cmath>

#include "core/error.hpp"
#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"
#include "maps/mixture_quantile.hpp"

namespace biject {

namespace {

template <class S> constexpr S kSpread = 1;
template <class S> constexpr S kVariance = S(3.28986813369645287);  // π²/3, of the logistic distribution

template <class S> using Mixture = MixtureQuantile<S, LogisticKernel, static_cast<int>(DeepSigmoid<S>::kMostBins)>;

/// softplus of this is the starting a.
template <class S> S scale_shift(int units) {
  const S a = starting_scale(units, kSpread<S>, kVariance<S>);
  return a + std::log(-std::expm1(-a));
}

template <class S> void load(Mixture<S>& mixture, Index bins, const In<S>& phi, Index first, int count) {
  const S* raw = phi.data() + first;
  const int units = mixture.components = static_cast<int>(bins);
  const S a0 = starting_scale(units, kSpread<S>, kVariance<S>), shift = scale_shift<S>(units);
  for (int k = 0; k < units; ++k) {
    const S b0 = -a0 * starting_centre(k, units, kSpread<S>);
    mixture.raw[k] = Lanes<S>::load(raw + k * phi.outerStride(), count);
    mixture.a[k] = Lanes<S>::load(raw + (units + k) * phi.outerStride(), count);
    mixture.b[k] = Lanes<S>::load(raw + (2 * units + k) * phi.outerStride(), count);
    for_each_lane([&](int i) {
      mixture.a[k][i] = softplus(mixture.a[k][i] + shift);
      mixture.b[k][i] += b0;
    });
  }
  mixture.normalise();
}

}  // namespace

template <class S> DeepSigmoid<S>::DeepSigmoid(Index bins) : bins_(bins) {
  BIJECT_EXPECT(bins >= kFewestBins && bins <= kMostBins);
}

template <class S>
void DeepSigmoid<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    Mixture<S> mixture;
    load(mixture, bins_, phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    Lanes<S> to, slope;
    mixture.evaluate(from, to, slope);
    for_each_lane([&](int i) { slope[i] = log_fast(slope[i]); });
    to.store(z.data() + first, count);
    slope.add_to(logdet.data() + first, count);
  });
}

template <class S>
void DeepSigmoid<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  for_each_lane_group(z.size(), [&](Index first, int count) {
    Mixture<S> mixture;
    load(mixture, bins_, phi, first, count);
    const Lanes<S> to = mixture.solve(Lanes<S>::load(z.data() + first, count));
    Lanes<S> value, slope;
    mixture.evaluate(to, value, slope);
    for_each_lane([&](int i) { slope[i] = -log_fast(slope[i]); });
    to.store(x.data() + first, count);
    slope.add_to(logdet.data() + first, count);
  });
}

template <class S>
void DeepSigmoid<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                              Out<S> dphi) const {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    Mixture<S> mixture;
    load(mixture, bins_, phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    const auto a = Lanes<S>::load(dz.data() + first, count), b = Lanes<S>::load(dlogdet.data() + first, count);
    Lanes<S> value, slope, dslope, dfrom;
    mixture.evaluate(from, value, slope);
    for_each_lane([&](int i) { dslope[i] = b[i] / slope[i]; });
    mixture.backward(from, a, dslope, dfrom);
    dfrom.store(dx.data() + first, count);
    const S* raw = phi.data() + first;
    S* draw = dphi.data() + first;
    const int units = mixture.components;
    const S shift = scale_shift<S>(units);
    for (int k = 0; k < units; ++k) {
      const auto raw_a = Lanes<S>::load(raw + (units + k) * phi.outerStride(), count);
      for_each_lane([&](int i) { mixture.a[k][i] *= sigmoid(raw_a[i] + shift); });
      mixture.raw[k].store(draw + k * dphi.outerStride(), count);
      mixture.a[k].store(draw + (units + k) * dphi.outerStride(), count);
      mixture.b[k].store(draw + (2 * units + k) * dphi.outerStride(), count);
    }
  });
}

template class DeepSigmoid<float>;
template class DeepSigmoid<double>;

}  // namespace biject
