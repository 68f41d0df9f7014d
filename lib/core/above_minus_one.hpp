#pragma once

#include <cmath>

namespace biject {

/// m(a) = a + √(a² + s²) − s with s = 1 − 1e-3: increasing and smooth, from the real line onto (−s, ∞), m(0) = 0, m'(0) = 1.
///
/// What a layer of the form x + u·tanh(w·x + b) makes of w·u, which must stay above −1. The margin keeps its slope above 1e-3.
/// None of the numbers loses digits by cancellation, however far a is below zero.
template <class S> struct AboveMinusOne {
  static constexpr S kScale = S(1) - S(1e-3);  // s

  explicit AboveMinusOne(S a) : root(std::sqrt(a * a + kScale * kScale)) {
    const S sum = a < 0 ? kScale * (kScale / (root - a)) : root + a;  // a + root
    ratio = (kScale + sum) / (kScale + root);
    value = a * ratio;
    excess = a * (a / (kScale + root));
    derivative = sum / root;
  }

  S root;        // √(a² + s²)
  S value;       // m
  S ratio;       // m / a = 1 + a / (s + root), between 0 and 2
  S excess;      // m − a = a² / (s + root)
  S derivative;  // m' = 1 + a / root
};

}  // namespace biject
