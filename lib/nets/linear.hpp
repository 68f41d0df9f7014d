#pragma once

#include <string_view>
#include <vector>

#include "core/frame.hpp"

namespace biject {

/// A weight matrix W (inputs × outputs) whose column c uses the first prefix[c] inputs, stored in panels without most of the
/// zeros that a mask forces. Masked weights start at zero and their gradient is zero, so they stay zero.
template <class S> class Linear {
 public:
  /// prefix: one entry per output, not falling.
  Linear(Plan& plan, std::string_view name, Index inputs, std::vector<Index> prefix);

  Index inputs() const { return tensor_.rows; }
  Index outputs() const { return tensor_.cols; }

  /// Uniform in ±gain/√(inputs that the column sees), the usual start of a layer without normalisation.
  void init(Arena<S>& theta, const Rng& rng, double gain) const;

  void forward(const Arena<S>& theta, In<S> x, Out<S> y) const;           // y = x·W
  void add_forward(const Arena<S>& theta, In<S> x, Out<S> y) const;       // y += x·W
  /// y += x·W[:, first … first + y.cols()), reading of W just what these columns use.
  void add_columns(const Arena<S>& theta, In<S> x, Index first, Out<S> y) const;
  void add_backward(const Arena<S>& theta, In<S> dy, Out<S> dx) const;    // dx += dy·Wᵀ
  /// dx += dy·W[:, first … first + dy.cols())ᵀ, reading of W just what these columns use.
  void add_columns_backward(const Arena<S>& theta, In<S> dy, Index first, Out<S> dx) const;
  void backward_weights(In<S> x, In<S> dy, Arena<S>& grad) const;         // dW += xᵀ·dy

 private:
  Tensor tensor_;  // a copy: the layout grows while the flow is built
};

}  // namespace biject
