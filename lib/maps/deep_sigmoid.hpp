#pragma once

#include "maps/map.hpp"

namespace biject {

/// The deep sigmoidal map of one layer: z = ε x + (1 − ε)·logit(Σₖ wₖ σ(aₖ x + bₖ)), K units, w a softmax.
///
/// φ = (K raw w, K raw a, K raw b): P = 3K. aₖ = softplus(raw + const); the share ε = 1e-3 of the identity makes every φ a bijection with
/// a slope above ε, also where units part and the mixture has a gap. At φ = 0 the weights and the aₖ are equal and the centres −bₖ/aₖ
/// are (2k + 1 − K)/K, k from 0; the aₖ then give the mixture the variance of σ, so that the map is nearly the identity (its slope
/// within 4 % of 1 for |x| < 2).
/// Values in the tails, and gradients: mixture_cdf.md, with a logistic kernel.
///
/// Huang, Krueger, Lacoste, Courville (2018), Neural autoregressive flows, section 3.1.
template <class S> class DeepSigmoid final : public Map<S> {
 public:
  /// bins, the number of units, in [kFewestBins, kMostBins].
  explicit DeepSigmoid(Index bins);
  static constexpr Index kFewestBins = 1, kMostBins = 64;

  Index params() const override { return 3 * bins_; }
  void init(VectorOut<S> phi) const override { phi.setZero(); }
  void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const override;
  void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const override;
  void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                Out<S> dphi) const override;

 private:
  Index bins_;
};

}  // namespace biject
