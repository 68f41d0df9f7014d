#pragma once

#include "core/numerics.hpp"

namespace biject {

/// Elementary functions that keep their relative accuracy at 0, in straight-line code as in numerics.hpp.

/// eˣ − 1.
template <class S> inline S expm1_fast(S x) {
  // Near 0, as E² + 2E with E = exp(x/2) − 1 from the same approximations as exp_fast.
  const S nearby = x < S(-0.6) ? S(-0.6) : (x > S(0.6) ? S(0.6) : x);
  const S r = nearby / 2;
  S half;
  if constexpr (std::is_same_v<S, float>) {
    S p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    half = p * (r * r) + r;
  } else {
    const S rr = r * r;
    const S p = r * ((1.26177193074810590878e-4 * rr + 3.02994407707441961300e-2) * rr + 9.99999999999999999910e-1);
    const S q = ((3.00198505138664455042e-6 * rr + 2.52448340349684104192e-3) * rr + 2.27265548208155028766e-1) * rr +
                2.00000000000000000009;
    half = 2 * (p / (q - p));
  }
  return nearby == x ? half * (half + 2) : exp_fast(x) - 1;
}

/// ln(1 + x) for x > −1.
template <class S> inline S log1p_fast(S x) {
  const S u = 1 + x;
  return log_fast(u) + (x - (u - 1)) / u;  // the second term makes up for what the sum has lost
}

/// sinh x.
template <class S> inline S sinh_fast(S x) {
  const S magnitude = x < 0 ? -x : x;
  const S e = expm1_fast(magnitude);
  const S s = (e + e / (e + 1)) / 2;
  return x < 0 ? -s : s;
}

/// asinh x, of any finite x.
template <class S> inline S asinh_fast(S x) {
  constexpr S kFar = std::is_same_v<S, float> ? S(1e4) : S(1e9);  // beyond it √(1 + x²) is |x|, and x² may overflow
  const S magnitude = x < 0 ? -x : x;
  const S nearby = magnitude > kFar ? kFar : magnitude;
  const S square = nearby * nearby;
  const S close = log1p_fast(nearby + square / (1 + std::sqrt(1 + square)));
  const S far = log_fast(magnitude) + S(0.693147180559945309);
  const S a = magnitude > kFar ? far : close;
  return x < 0 ? -a : a;
}

/// ln cosh x.
template <class S> inline S log_cosh(S x) {
  const S magnitude = x < 0 ? -x : x;
  return magnitude + (log1p_fast(exp_not_high(-2 * magnitude)) - S(0.693147180559945309));
}

}  // namespace biject
