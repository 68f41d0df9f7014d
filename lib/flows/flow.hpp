#pragma once

#include <vector>

#include "bases/base.hpp"
#include "bijectors/bijector.hpp"
#include "flows/spec.hpp"
#include "nets/conditioner.hpp"

namespace biject {

/// A normalizing flow p(x | c) = p_base(f(x; c)) · |det ∂f/∂x|, or a mixture Σ_k π_k(c)·p_k(x | c) of several with weights
/// π = softmax(a + c·V). A constant description: the numbers are in the frame.
template <class S> class Flow {
 public:
  /// Throws what check(spec) throws.
  explicit Flow(const FlowSpec& spec);
  ~Flow();
  Flow(const Flow&) = delete;  // layers hold places in plan_, so a flow stays where it is
  Flow& operator=(const Flow&) = delete;

  const FlowSpec& spec() const { return spec_; }
  const Layout& params() const { return plan_.params(); }
  const ScratchLayout& scratch() const { return plan_.scratch(); }
  /// Whether x has one z, so that forward and inverse may be called: not of a mixture.
  bool has_latents() const { return components_.size() == 1; }

  /// Starting parameters; x (rows × D) and context (rows × C) are training data.
  void init(Arena<S>& theta, const Rng& rng, In<S> x, In<S> context) const;
  /// Overwrites logp (n × 1), natural logarithms.
  void log_prob(const Frame<S>& f, In<S> x, VectorOut<S> logp) const;
  /// Row i of x (n × D) is draw number first_row + i.
  void sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature, Out<S> x) const;
  /// Data to noise and back; logdet (n × 1) is added to.
  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const;
  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const;
  /// Overwrites logp and adds the gradient of Σᵢ weightᵢ · log p(xᵢ), weight n × 1, to grad; overwrites dx (n × D).
  void backward(const Frame<S>& f, In<S> x, VectorIn<S> weight, VectorOut<S> logp, Out<S> dx,
                const Gradient<S>& grad) const;
  /// What a step of training needs: value (n × 1) is what training maximises, log p or minus a matching loss (see Objective), and the
  /// gradient of Σᵢ weightᵢ · valueᵢ is added to grad. dx (n × D) is overwritten with something of no use.
  void ascend(const Frame<S>& f, In<S> x, VectorIn<S> weight, VectorOut<S> value, Out<S> dx, const Gradient<S>& grad) const;
  /// Whether backward and ascend sum by blocks, see Gradient.
  bool sums_by_block() const;

 private:
  struct Component {
    BijectorPtr<S> chain;
    BasePtr<S> base;
    ScratchSlot z;  // n × D
  };
  Component make_component(const FlowSpec& spec);
  void log_prob(const Component& component, const Frame<S>& f, In<S> x, VectorOut<S> logp) const;
  void posterior(const Frame<S>& f, In<S> x, VectorOut<S> logp) const;

  FlowSpec spec_;
  Plan plan_;
  ScratchSlot dz_;                 // n × D
  ScratchSlot logdet_;             // n × 1
  std::vector<Component> components_;
  // Of a mixture of K:
  ConditionerPtr<S> gate_;         // 0 → K: log π up to a constant
  ScratchSlot gates_, logps_;      // n × K: log π, log p_k; after posterior π and the probability of k given x
  ScratchSlot dx_, dlogp_;         // n × D, n × K
};

}  // namespace biject
