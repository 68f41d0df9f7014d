#pragma once

#include <optional>
#include <vector>

#include "bijectors/bijector.hpp"
#include "nets/linear.hpp"

namespace biject {

/// One network as the whole map: z_d = α_d·x_d + net_d(x_0 … x_d, c), where net is a masked tanh network with `hidden_per_feature` units
/// per feature in each of `hidden_layers` layers, and net_d grows with x_d: weights from units of feature d to units of
/// feature d are positive, those from earlier features free, those from later ones absent.
///
/// Column of a weight matrix: W = e^s·v/|v| with v the raw numbers, exponentiated in the block of the column's own feature (weight
/// normalisation, as in the paper). α = e^a. Raw numbers under an exponential go through soft_clamp(·, 7).
/// log|det| = Σ_d log(α_d + J_d), J_d = ∂net_d/∂x_d a product of the positive blocks and of tanh'.
///
/// tanh is bounded, so net alone would not be onto the real line; α·x with α > 0 makes it so. The paper's gate is the case of
/// α = 1 − g with g taken out of the last layer's scale. Starts with α = 1 and a net of small scale: near the identity.
///
/// The inverse goes feature by feature: given x_0 … x_{d−1}, z_d is increasing in x_d. Derivation: block_autoregressive.md.
///
/// De Cao, Titov, Aziz (2019), Block neural autoregressive flow, section 3; Salimans, Kingma (2016), Weight normalization.
template <class S> class BlockAutoregressive final : public Bijector<S> {
 public:
  /// hidden_per_feature in [1, kMostUnits], hidden_layers ≥ 1.
  BlockAutoregressive(Plan& plan, Index features, Index context, Index hidden_per_feature, Index hidden_layers);
  static constexpr Index kMostUnits = 64;

  void init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const override;
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override;
  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override;

 private:
  struct Layer {
    Tensor raw;                      // (D·I) × (D·O), I and O units per feature; column of feature d uses features 0 … d
    Slot log_scale, bias;            // D·O × 1
    Index inputs, outputs;           // I, O
    std::vector<Slot> w, dw;         // scratch, like the panels of raw: W and ∂L/∂W
    Slot own, down;                  // I × D·O, scratch: of each column, the positive block of its own feature, and its gradient
    ScratchSlot h, j;                // n × D·O: tanh(…); ∂(argument of tanh)/∂x_d, of all layers but the first
    ScratchSlot known;               // n × O: what the features before the one that is sought make of its units
  };
  Layer make_layer(Plan& plan, Index inputs, Index outputs, bool is_last) const;
  const Layer& last() const { return layers_.back(); }
  void unpack(const Frame<S>& f) const;                          // fills w and own of all layers
  void fold(const Frame<S>& f, const Layer& layer, Arena<S>& grad) const;  // from dw, down to the gradient of raw, log_scale
  void slopes(const Frame<S>& f, std::size_t i, Out<S> g) const;  // ∂h_i/∂x_d, n × D·O

  Index features_, units_;
  std::vector<Layer> layers_;              // the hidden ones and the last
  std::optional<Linear<S>> from_context_;  // C × D·O of the first layer, if C > 0
  Slot log_slope_;                         // D × 1: a
  ScratchSlot jacobian_, djacobian_;       // n × D: J
  ScratchSlot g_, dh_[2], dg_[2];          // n × D·units
};

}  // namespace biject
