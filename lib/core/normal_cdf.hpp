#pragma once

#include <numbers>

#include "core/hyperbolic.hpp"

namespace biject {

/// The standard normal distribution without loss in its tails: Φ and its inverse through their logarithms, in straight-line code as in
/// numerics.hpp. Everything rests on the hazard λ(y) = φ(y) / (1 − Φ(y)), which is y + a positive excess that falls like 1/y.

/// λ(y) − y for y ≥ 0, to 4e-17 of itself in double and 9e-8 in float. With t = 2/(2 + y) it is t times a rational function on [0, 1],
/// fitted to the infinity norm; its coefficients are positive, so nothing cancels (but for one of the float, which is small).
template <class S> inline S normal_hazard_excess(S y) {
  const S t = 2 / (2 + y);
  S p, q;
  if constexpr (std::is_same_v<S, float>) {
    p = 1.3575091109f;
    p = p * t + 1.5406242717f;
    p = p * t + 1.6021838990f;
    p = p * t + 0.4859075094f;
    p = p * t + 0.5000000393f;
    q = 0.5907075422f;
    q = q * t + 1.7020882369f;
    q = q * t + 0.8797581836f;
    q = q * t + 2.7315720087f;
    q = q * t - 0.0281633919f;
    q = q * t + 1;
  } else {
    p = 139.72620796925796269;
    p = p * t + 334.27845751562196652;
    p = p * t + 458.56381830138846655;
    p = p * t + 449.55008989687342025;
    p = p * t + 341.41576906848543993;
    p = p * t + 206.79560455574643428;
    p = p * t + 101.98656726530736541;
    p = p * t + 39.672954958361836302;
    p = p * t + 12.676170614490261994;
    p = p * t + 2.6858806843625804592;
    p = p * t + 0.50000000000000001195;
    q = 67.983440664737601388;
    q = q * t + 221.31011800579560326;
    q = q * t + 401.71458826203852539;
    q = q * t + 517.66709978949305749;
    q = q * t + 513.28112976051747353;
    q = q * t + 409.61771109442815943;
    q = q * t + 262.01367366977548265;
    q = q * t + 140.11427582243800191;
    q = q * t + 57.179449373584113276;
    q = q * t + 20.480579860242675051;
    q = q * t + 4.371761368725203758;
    q = q * t + 1;
  }
  return t * (p / q);
}

template <class S> inline constexpr S kRootOfTwoPi = S(2.50662827463100050242);
template <class S> inline constexpr S kLogRootOfTwoPi = S(0.918938533204672741780);

/// 1 − Φ(y) for y ≥ 0, given λ(y).
template <class S> inline S normal_tail(S y, S hazard) {
  return exp_not_high(-y * y / 2) / (kRootOfTwoPi<S> * hazard);
}

/// ln Φ(x) of any x.
template <class S> inline S log_normal_cdf(S x) {
  const S y = x < 0 ? -x : x, hazard = y + normal_hazard_excess(y);
  const S of_tail = -y * y / 2 - log_fast(kRootOfTwoPi<S> * hazard);
  return x < 0 ? of_tail : log1p_fast(-normal_tail(y, hazard));
}

/// The t with ln(1 − Φ(t)) = l, for l ≤ ln ½ (t ≥ 0). One step of Halley's method from an approximation good to 1e-6.
template <class S> inline S normal_tail_quantile(S l) {
  constexpr S kLeast = S(1.17741002251547469);  // √(2 ln 2), of t = 0
  const S root = std::sqrt(-2 * l), v = root < kLeast ? kLeast : root;
  const S i = 1 / v;
  const S p = ((S(19.9238394198) * i + S(40.6118602544)) * i + S(12.6758299528)) * i + S(0.9184333885);
  const S q = ((S(5.84171945174) * i + S(37.8362274047)) * i + S(13.6778452726)) * i + 1;
  const S start = v - i * (log_fast(v) + p / q), t = start < 0 ? S(0) : start;
  const S excess = normal_hazard_excess(t), hazard = t + excess;
  const S residual = -t * t / 2 - log_fast(kRootOfTwoPi<S> * hazard) - l;  // its derivatives are −λ and −λ·excess
  return t + residual / (hazard + residual * excess / 2);
}

/// The x with ln Φ(x) = l, for l < 0: the probit of a probability that is given by its logarithm.
template <class S> inline S probit_of_log(S l) {
  const bool is_low = l < S(-0.693147180559945309);
  const S t = normal_tail_quantile(is_low ? l : log_fast(-expm1_fast(is_low ? S(-1) : l)));
  return is_low ? -t : t;
}

}  // namespace biject
