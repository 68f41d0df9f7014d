#pragma once

#include <memory>

#include "core/types.hpp"

namespace biject {

/// An increasing map of one real, x → z, shaped by P numbers φ per sample; vectorised down the samples.
///
/// Every φ gives a bijection of the whole real line: constraints (positive widths, bounded scales) are part of the map.
/// A map has no parameters of its own; a conditioner or a bijector supplies φ.
template <class S> class Map {
 public:
  virtual ~Map() = default;

  /// P.
  virtual Index params() const = 0;
  /// The φ (P × 1) at which training starts: the identity, or near to it.
  virtual void init(VectorOut<S> phi) const = 0;
  /// phi n × P; x, z, logdet n × 1. Adds log dz/dx to logdet.
  virtual void forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const = 0;
  /// Adds log dx/dz to logdet.
  virtual void inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const = 0;
  /// From ∂L/∂z and ∂L/∂logdet: overwrites dx (n × 1) and dphi (n × P).
  virtual void backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                        Out<S> dphi) const = 0;
};

template <class S> using MapPtr = std::unique_ptr<const Map<S>>;

}  // namespace biject
