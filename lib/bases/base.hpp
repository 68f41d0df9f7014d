#pragma once

#include <memory>

#include "core/frame.hpp"

namespace biject {

/// The density of the noise z, a product over D features unless the implementation says otherwise.
template <class S> class Base {
 public:
  virtual ~Base() = default;

  virtual void init(Arena<S>& theta, const Rng& rng) const = 0;
  /// Adds log p(z) to logp (n × 1).
  virtual void log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const = 0;
  /// After log_prob on the same frame. From ∂L/∂logp (n × 1): overwrites dz (n × D), adds to the gradient of the base's own
  /// parameters and, of a base that hears it, of the context.
  virtual void backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const = 0;
  /// Whether backward sums by blocks, see Gradient.
  virtual bool sums_by_block() const { return false; }
  /// Row i of z (n × D) is the draw number first_row + i of this generator, times the temperature unless the base says otherwise:
  /// 1 is the density itself, less gathers the draws where it is high.
  virtual void sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature,
                      Out<S> z) const = 0;
};

template <class S> using BasePtr = std::unique_ptr<const Base<S>>;

}  // namespace biject
