#pragma once

#include <string_view>

#include "core/frame.hpp"

namespace biject {

/// A free strictly upper triangular matrix: the parameters above the diagonal of a D × D matrix, all else zero.
template <class S> class StrictUpper {
 public:
  StrictUpper(Plan& plan, std::string_view name, Index size);

  /// The numbers of a D × D matrix above its diagonal become the parameters.
  void set(Arena<S>& theta, In<S> values) const;
  /// All of a D × D matrix: zero on the diagonal and below it.
  void unpack(const Arena<S>& theta, Out<S> values) const;
  /// Adds the part above the diagonal of ∂L/∂values.
  void backward(In<S> dvalues, Arena<S>& grad) const;

 private:
  Tensor tensor_;  // a copy: the layout grows while the flow is built
};

}  // namespace biject
