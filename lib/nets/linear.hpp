#pragma once

#include <string_view>
#include <vector>

#include "core/frame.hpp"
#include "nets/activation.hpp"

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

  /// y = act(x·W + b), b outputs × 1
  void forward(const Arena<S>& theta, In<S> x, Slot bias, Activation activation, Out<S> y) const;
  void add_forward(const Arena<S>& theta, In<S> x, Slot bias, Out<S> y) const;  // y += x·W + b
  /// y = act(x·W[rows of x, columns) + b[columns)), columns [first, first + y.cols()); all of them must use the rows of W that x has.
  void forward_columns(const Arena<S>& theta, In<S> x, Slot bias, Index first, Activation activation, Out<S> y) const;
  /// y = act(y + x·W[:, first … first + y.cols())) without rows below `above`, reading of W just what these columns, all of one prefix, use.
  void add_columns(const Arena<S>& theta, In<S> x, Index above, Index first, Activation activation, Out<S> y) const;
  void backward(const Arena<S>& theta, In<S> dy, Out<S> dx) const;              // dx = dy·Wᵀ
  void add_backward(const Arena<S>& theta, In<S> dy, Out<S> dx) const;          // dx += dy·Wᵀ
  /// dx += dy·W[:, first … first + dy.cols())ᵀ, reading of W just what these columns use.
  void add_columns_backward(const Arena<S>& theta, In<S> dy, Index first, Out<S> dx) const;
  void backward_weights(In<S> x, In<S> dy, const Gradient<S>& grad) const;      // dW += xᵀ·dy, by blocks

 private:
  Index common_prefix(Index begin, Index end) const;  // of columns [begin, end)
  Tensor tensor_;  // a copy: the layout grows while the flow is built
};

}  // namespace biject
