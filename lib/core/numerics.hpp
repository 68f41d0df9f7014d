#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace biject {

/// Elementary functions written as straight-line code, so that a plain loop over samples is turned into vector instructions
/// and a number has the same bits wherever in the loop it stands. Within 2 units in the last place of the true value.
/// Polynomials: S. L. Moshier, Cephes mathematical library (exp, log, sin, cos).

template <class S> struct FloatBits;
template <> struct FloatBits<float> {
  using Word = std::uint32_t;
  static constexpr int kMantissa = 23;
  static constexpr float kRound = 0x1.8p23f;           // adding it leaves the nearest integer in the low bits
  static constexpr float kExponentMagic = 0x1p23f;     // its low bits hold a whole number as they are
  static constexpr float kLowest = -87.f, kHighest = 88.f;
};
template <> struct FloatBits<double> {
  using Word = std::uint64_t;
  static constexpr int kMantissa = 52;
  static constexpr double kRound = 0x1.8p52;
  static constexpr double kExponentMagic = 0x1p52;
  static constexpr double kLowest = -708., kHighest = 709.;
};

/// eˣ for x in [kLowest, kHighest], where the result is a normal number. NaN stays NaN.
template <class S> inline S exp_in_range(S x) {
  using Bits = FloatBits<S>;
  using Word = typename Bits::Word;
  const S shifted = x * S(1.44269504088896341) + Bits::kRound;
  const S whole = shifted - Bits::kRound;
  S result;
  if constexpr (std::is_same_v<S, float>) {
    S r = x - whole * 0.693359375f;
    r = r + whole * 2.12194440e-4f;
    S p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    result = p * (r * r) + r + 1.f;
  } else {
    S r = x - whole * 6.93145751953125e-1;
    r = r - whole * 1.42860682030941723212e-6;
    const S rr = r * r;
    const S p = r * ((1.26177193074810590878e-4 * rr + 3.02994407707441961300e-2) * rr + 9.99999999999999999910e-1);
    const S q = ((3.00198505138664455042e-6 * rr + 2.52448340349684104192e-3) * rr + 2.27265548208155028766e-1) * rr +
                2.00000000000000000009;
    result = 1 + 2 * (p / (q - p));
  }
  const Word exponent = std::bit_cast<Word>(shifted) << Bits::kMantissa;
  return std::bit_cast<S>(static_cast<Word>(std::bit_cast<Word>(result) + exponent));
}

/// eˣ for x up to kHighest, with x clamped to kLowest.
template <class S> inline S exp_not_high(S x) {
  return exp_in_range(x < FloatBits<S>::kLowest ? FloatBits<S>::kLowest : x);
}

/// eˣ, with x clamped on both sides.
template <class S> inline S exp_fast(S x) {
  return exp_not_high(x > FloatBits<S>::kHighest ? FloatBits<S>::kHighest : x);
}

/// ln x for normal x > 0; other arguments give a finite or NaN value without meaning.
template <class S> inline S log_fast(S x) {
  using Bits = FloatBits<S>;
  using Word = typename Bits::Word;
  constexpr Word kMantissaMask = (Word(1) << Bits::kMantissa) - 1;
  constexpr S kBias = std::is_same_v<S, float> ? S(126) : S(1022);
  const Word bits = std::bit_cast<Word>(x);
  S exponent = std::bit_cast<S>(static_cast<Word>((bits >> Bits::kMantissa) | std::bit_cast<Word>(Bits::kExponentMagic))) -
               (Bits::kExponentMagic + kBias);
  S m = std::bit_cast<S>(static_cast<Word>((bits & kMantissaMask) | std::bit_cast<Word>(S(0.5))));  // [1/2, 1)
  const bool is_low = m < S(0.707106781186547524);
  exponent = is_low ? exponent - 1 : exponent;
  m = (is_low ? m + m : m) - 1;
  const S mm = m * m;
  S y;
  if constexpr (std::is_same_v<S, float>) {
    y = 7.0376836292e-2f;
    y = y * m - 1.1514610310e-1f;
    y = y * m + 1.1676998740e-1f;
    y = y * m - 1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f;
    y = y * m - 1.6668057665e-1f;
    y = y * m + 2.0000714765e-1f;
    y = y * m - 2.4999993993e-1f;
    y = y * m + 3.3333331174e-1f;
    y = y * m * mm;
  } else {
    S p = 1.01875663804580931796e-4;
    p = p * m + 4.97494994976747001425e-1;
    p = p * m + 4.70579119878881725854;
    p = p * m + 1.44989225341610930846e1;
    p = p * m + 1.79368678507819816313e1;
    p = p * m + 7.70838733755885391666;
    S q = m + 1.12873587189167450590e1;
    q = q * m + 4.52279145837532221105e1;
    q = q * m + 8.29875266912776603211e1;
    q = q * m + 7.11544750618563894466e1;
    q = q * m + 2.31251620126765340583e1;
    y = m * (mm * (p / q));
  }
  y = y - exponent * S(2.121944400546905827679e-4);
  y = y - S(0.5) * mm;
  return (m + y) + exponent * S(0.693359375);
}

/// sin 2πx and cos 2πx for x in [0, 1], to an absolute accuracy of a unit in the last place of 1. Turns need no reduction by a rounded π.
inline void sine_and_cosine_of_turns(double x, double& sine, double& cosine) {
  using Bits = FloatBits<double>;
  const double shifted = 4 * x + Bits::kRound;  // its low bits: the number of quarters next to x
  const std::uint64_t quarter = std::bit_cast<std::uint64_t>(shifted);
  const double r = (4 * x - (shifted - Bits::kRound)) * 1.57079632679489661923;  // within ±π/4
  const double rr = r * r;
  double s = 1.58962301576546568060e-10;
  s = s * rr - 2.50507477628578072866e-8;
  s = s * rr + 2.75573136213857245213e-6;
  s = s * rr - 1.98412698295895385996e-4;
  s = s * rr + 8.33333333332211858878e-3;
  s = s * rr - 1.66666666666666307295e-1;
  s = r + r * rr * s;
  double c = -1.13585365213876817300e-11;
  c = c * rr + 2.08757008419747316778e-9;
  c = c * rr - 2.75573141792967388112e-7;
  c = c * rr + 2.48015872888517045348e-5;
  c = c * rr - 1.38888888888730564116e-3;
  c = c * rr + 4.16666666666665929218e-2;
  c = 1 - 0.5 * rr + rr * rr * c;
  const bool is_swapped = (quarter & 1) != 0;
  const double size_of_sine = is_swapped ? c : s, size_of_cosine = is_swapped ? s : c;
  sine = (quarter & 2) != 0 ? -size_of_sine : size_of_sine;
  cosine = ((quarter + 1) & 2) != 0 ? -size_of_cosine : size_of_cosine;
}

/// e^−|x|.
template <class S> inline S exp_of_minus_size(S x) {
  return exp_not_high(x < 0 ? x : -x);
}

/// 1 / (1 + e⁻ˣ), given e = e^−|x|.
template <class S> inline S sigmoid(S x, S e) {
  const S p = 1 / (1 + e);
  return x < 0 ? e * p : p;
}
template <class S> inline S sigmoid(S x) {
  return sigmoid(x, exp_of_minus_size(x));
}

/// ln(1 + eˣ), and its derivative, which is sigmoid(x).
template <class S> inline S softplus(S x, S& slope) {
  const S e = exp_of_minus_size(x);
  slope = sigmoid(x, e);
  return (x > 0 ? x : S(0)) + log_fast(1 + e);
}
template <class S> inline S softplus(S x) {
  S slope;
  return softplus(x, slope);
}

/// tanh x = 2·sigmoid(2x) − 1, to an absolute accuracy of a few units in the last place of 1.
template <class S> inline S tanh_fast(S x) {
  return 2 * sigmoid(2 * x) - 1;
}

/// max(0, x) of a number or of a register of them, written so that NaN stays NaN.
template <class V> inline V relu(V x) {
  return x < 0 ? V{} : x;
}

/// 1/√x for normal x > 0, many times faster than a root and a quotient of vectors: from half the exponent and a tangent to the mantissa
/// (within 3.5 %), by steps of third order, which leave 10⁻⁴ and 10⁻¹² (Householder 1970, The numerical treatment of a single nonlinear
/// equation, section 4.4).
template <class S> inline S inverse_root(S x) {
  using Word = typename FloatBits<S>::Word;
  constexpr Word kStart = std::is_same_v<S, float> ? Word(0x5F375A86) : Word(0x5FE6EB50C7B537A9);
  const auto refine = [x](S y) {
    const S rest = 1 - x * y * y;
    return y + y * (rest * (S(0.5) + S(0.375) * rest));
  };
  const S y = refine(refine(std::bit_cast<S>(static_cast<Word>(kStart - (std::bit_cast<Word>(x) >> 1)))));
  if constexpr (std::is_same_v<S, float>) {
    return y;
  } else {
    return refine(y);
  }
}

/// x / bound, from ±10¹⁵ on as good as infinite, so that its square is a number. NaN stays NaN.
template <class S> inline S soft_clamp_ratio(S x, S bound) {
  S ratio = x * (1 / bound);
  ratio = ratio < S(-1e15) ? S(-1e15) : ratio;
  return ratio > S(1e15) ? S(1e15) : ratio;
}
/// 1/√(1 + ratio²).
template <class S> inline S soft_clamp_factor(S ratio) { return inverse_root(1 + ratio * ratio); }

/// An odd, increasing, smooth x ↦ x / √(1 + (x/bound)²) with slope 1 at 0 and limits ±bound.
template <class S> inline S soft_clamp(S x, S bound) {
  const S ratio = soft_clamp_ratio(x, bound);
  return bound * ratio * soft_clamp_factor(ratio);
}
template <class S> inline S soft_clamp_derivative(S x, S bound) {
  const S factor = soft_clamp_factor(soft_clamp_ratio(x, bound));
  return factor * factor * factor;
}

}  // namespace biject
