#pragma once

#include "maps/map.hpp"

namespace biject {

struct LogisticKernel;
struct NormalKernel;

/// The quantile of a mixture: q(x) = F⁻¹(Σₖ wₖ F((x − mₖ)·e^(−sₖ))) with K components of one kernel F, w a softmax,
///   GaussianMixture, F = Φ:      z = ε x + (1 − ε) q(x)                          φ = (K raw w, K raw m, K raw s): P = 3K
///   LogisticMixture, F = σ:      z = (ε x + (1 − ε) q(x))·eʳ + t                 φ = (the same, raw r, t): P = 3K + 2
///
/// The scales are soft-clamped to e^±3 around a common start, r to ± 3; the share ε = 1e-3 of the identity keeps the slope above ε
/// where components part and the mixture has a gap, so that the inverse is as good as that of a spline. At φ = 0 the weights and
/// scales are equal and the means are (2k + 1 − K)/K, k from 0, times ¾ (Gaussian) or 1 (logistic), with the scale that gives the
/// mixture the variance of F: nearly the identity (its slope within 2 % (Gaussian) or 4 % (logistic) of 1 for |x| < 2).
/// Nothing saturates in the tails: everything is computed from logarithms of survival probabilities and from hazards, mixture_cdf.md.
///
/// Ho, Chen, Srinivas, Duan, Abbeel (2019), Flow++, section 3.1 (logistic); Meng, Song, Song, Ermon (2020), Gaussianization flows,
/// section 3 (Gaussian).
template <class S, class Kernel> class MixtureCdf final : public Map<S> {
 public:
  /// bins, the number of components, in [kFewestBins, kMostBins].
  explicit MixtureCdf(Index bins);
  static constexpr Index kFewestBins = 1, kMostBins = 64;

  Index params() const override;
  void init(VectorOut<S> phi) const override { phi.setZero(); }
  void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const override;
  void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const override;
  void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                Out<S> dphi) const override;

 private:
  Index bins_;
};

template <class S> using LogisticMixture = MixtureCdf<S, LogisticKernel>;
template <class S> using GaussianMixture = MixtureCdf<S, NormalKernel>;

}  // namespace biject
