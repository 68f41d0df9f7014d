#pragma once

#include <cmath>
#include <type_traits>

#include "core/for_each_lane.hpp"
#include "core/monotone_root.hpp"
#include "core/normal_cdf.hpp"
#include "core/numerics.hpp"
#include "core/softmax.hpp"

// Numbers in parentheses are the equations of mixture_cdf.md.
namespace biject {

/// A symmetric distribution on the real line, as far as the quantile of a mixture of it needs: for y ≥ 0 the survival 1 − F(y) is
/// e^(−exponent(y))·rest, and its hazard f/(1 − F) has the derivative hazard·decay. Internal to this folder.
template <class S> struct Tail {
  S survival, rest, hazard, decay;
};

struct LogisticKernel {
  template <class S> static S exponent(S y) { return y; }
  template <class S> static S exponent_difference(S y, S from) { return y - from; }
  template <class S> static Tail<S> tail(S y) {  // y ≥ 0
    const S e = exp_not_high(-y), p = 1 / (1 + e);
    return {e * p, p, p, e * p};
  }
  /// Derivative of the hazard over the hazard where y < 0.
  template <class S> static S decay_below(S, S hazard) { return 1 - hazard; }
  /// The t with log(1 − F(t)) = l, for l ≤ log ½.
  template <class S> static S quantile(S l) { return log1p_fast(-exp_not_high(l)) - l; }
};

struct NormalKernel {
  template <class S> static S exponent(S y) { return y * y / 2; }
  template <class S> static S exponent_difference(S y, S from) { return (y - from) * (y + from) / 2; }
  template <class S> static Tail<S> tail(S y) {
    const S decay = normal_hazard_excess(y), hazard = y + decay, rest = 1 / (kRootOfTwoPi<S> * hazard);
    return {exp_not_high(-y * y / 2) * rest, rest, hazard, decay};
  }
  template <class S> static S decay_below(S y, S hazard) { return hazard - y; }
  template <class S> static S quantile(S l) { return normal_tail_quantile(l); }
};

/// q(x) = F⁻¹(Σₖ wₖ F(aₖ x + bₖ)) for one lane group, w = softmax(raw), and z = ε x + (1 − ε) q, which is a bijection of the real line
/// whatever the components are, with a slope above ε. Internal to this folder.
template <class S, class Kernel, int kMost> class MixtureQuantile {
 public:
  static constexpr S kFloor = S(1e-3);  // ε

  int components = 0;
  Lanes<S> raw[kMost], a[kMost], b[kMost];  // a ≥ 0

  /// To be called once raw, a and b are set.
  void normalise() {
    for (int k = 0; k < components; ++k) w_[k] = raw[k];
    log_sum_ = softmax(w_, components);
  }

  /// z and dz/dx.
  void evaluate(const Lanes<S>& x, Lanes<S>& z, Lanes<S>& slope) {
    quantile(x);
    for_each_lane([&](int i) {
      z[i] = kFloor * x[i] + (1 - kFloor) * side_[i] * t_[i];
      slope[i] = kFloor + (1 - kFloor) * slope_[i];
    });
  }

  /// From ∂L/∂z and ∂L/∂(dz/dx), after evaluate at the same x: ∂L/∂x, and ∂L/∂raw, ∂L/∂a, ∂L/∂b in the places of raw, a and b.
  void backward(const Lanes<S>& x, const Lanes<S>& dz, const Lanes<S>& dslope, Lanes<S>& dx) {
    Lanes<S> of_t, of_rate;  // G and H
    for_each_lane([&](int i) {
      const S g = (1 - kFloor) * dslope[i];
      of_t[i] = ((1 - kFloor) * dz[i] * side_[i] - g * slope_[i] * decay_t_[i]) / hazard_t_[i];  // (9)
      of_rate[i] = g / hazard_t_[i];
      dx[i] = kFloor * dz[i];
    });
    for (int k = 0; k < components; ++k) {
      for_each_lane([&](int i) {
        const S h = hazard_[k][i], p = posterior_[k][i], rate = a[k][i] * h;
        const S dy = side_[i] * p * h * (of_t[i] + of_rate[i] * ((rate_[i] - rate) + a[k][i] * decay_[k][i]));  // (10)
        raw[k][i] = of_t[i] * (w_[k][i] - p) + of_rate[i] * p * (rate - rate_[i]);                             // (11)
        dx[i] += dy * a[k][i];                                                                                  // (13)
        a[k][i] = of_rate[i] * p * h + dy * x[i];                                                               // (12)
        b[k][i] = dy;
      });
    }
  }

  /// The x of which evaluate gives z.
  Lanes<S> solve(const Lanes<S>& z) {
    // The quantile lies between the least and the greatest of aₖ x + bₖ, so x lies between the solutions for single components.
    Lanes<S> low, high, shift, value, slope, x;
    for (int k = 0; k < components; ++k) {
      for_each_lane([&](int i) {
        const S alone = (z[i] - (1 - kFloor) * b[k][i]) / (kFloor + (1 - kFloor) * a[k][i]);
        low[i] = k == 0 || alone < low[i] ? alone : low[i];
        high[i] = k == 0 || alone > high[i] ? alone : high[i];
      });
    }
    // The search ends at the last digits of its unknown. Those of an x near 0 are beyond what rounding allows, so that it is
    // made to lie between one and two widths of the bracket; a last step then gives x all the digits it can have.
    for_each_lane([&](int i) {
      const S width = high[i] - low[i];
      shift[i] = low[i] - width;
      low[i] = width;
      high[i] = 2 * width;
    });
    const Lanes<S> root = monotone_root(z, low, high, [&](const Lanes<S>& unknown, Lanes<S>& f, Lanes<S>& df) {
      for_each_lane([&](int i) { x[i] = unknown[i] + shift[i]; });
      evaluate(x, f, df);
    });
    for_each_lane([&](int i) { x[i] = root[i] + shift[i]; });
    evaluate(x, value, slope);
    for_each_lane([&](int i) { x[i] += (z[i] - value[i]) / slope[i]; });
    return x;
  }

 private:
  /// The side of the median, t = |q| and dq/dx; of every component, its posterior weight and hazard on that side.
  void quantile(const Lanes<S>& x) {
    Lanes<S> lower, least, most, sum, l;
    for_each_lane([&](int i) { lower[i] = 0; });
    for (int k = 0; k < components; ++k) {
      for_each_lane([&](int i) {
        const S y = a[k][i] * x[i] + b[k][i], size = y < 0 ? -y : y;
        const Tail<S> tail = Kernel::tail(size);
        y_[k][i] = y;
        survival_[k][i] = tail.survival;
        rest_[k][i] = tail.rest;
        hazard_[k][i] = tail.hazard;
        decay_[k][i] = tail.decay;
        lower[i] += w_[k][i] * (y < 0 ? tail.survival : 1 - tail.survival);
      });
    }
    // Seen from the side on which less than half of the mixture lies, everything is a small survival.
    for_each_lane([&](int i) { side_[i] = lower[i] > S(0.5) ? S(1) : S(-1); });
    for (int k = 0; k < components; ++k) {
      for_each_lane([&](int i) {
        const S y = side_[i] * y_[k][i], far = y > 0 ? y : S(0);
        const S survival = survival_[k][i], hazard = hazard_[k][i], below = survival * hazard / (1 - survival);
        rest_[k][i] = y > 0 ? rest_[k][i] : 1 - survival;
        hazard_[k][i] = y > 0 ? hazard : below;
        decay_[k][i] = y > 0 ? decay_[k][i] : Kernel::decay_below(y, below);
        y_[k][i] = far;
        least[i] = k == 0 || far < least[i] ? far : least[i];
      });
    }
    for (int k = 0; k < components; ++k) {  // (3): exponents relative to the least, without their cancellation far out
      for_each_lane([&](int i) {
        const S term = raw[k][i] - Kernel::exponent_difference(y_[k][i], least[i]);
        y_[k][i] = term;
        most[i] = k == 0 || term > most[i] ? term : most[i];
      });
    }
    for_each_lane([&](int i) { sum[i] = rate_[i] = 0; });
    for (int k = 0; k < components; ++k) {
      for_each_lane([&](int i) {
        const S p = exp_not_high(y_[k][i] - most[i]) * rest_[k][i];
        posterior_[k][i] = p;
        sum[i] += p;
        rate_[i] += p * a[k][i] * hazard_[k][i];
      });
    }
    for_each_lane([&](int i) {
      l[i] = log_fast(sum[i]) + (most[i] - log_sum_[i]) - Kernel::exponent(least[i]);  // (3)
      t_[i] = Kernel::quantile(l[i]);                                                  // (4)
      const S size = t_[i] < 0 ? S(0) : t_[i];
      const Tail<S> tail = Kernel::tail(size);
      hazard_t_[i] = tail.hazard;
      decay_t_[i] = tail.decay;
      sum[i] = 1 / sum[i];
      rate_[i] *= sum[i];
      slope_[i] = rate_[i] / hazard_t_[i];  // (5)
    });
    for (int k = 0; k < components; ++k) {
      for_each_lane([&](int i) { posterior_[k][i] *= sum[i]; });
    }
  }

  Lanes<S> w_[kMost], log_sum_;
  Lanes<S> y_[kMost], survival_[kMost], rest_[kMost], hazard_[kMost], decay_[kMost], posterior_[kMost];
  Lanes<S> side_, t_, hazard_t_, decay_t_, rate_, slope_;
};

/// Centres −c … c of K components of equal weight for the start, so that they can part.
template <class S> S starting_centre(int k, int components, S spread) {
  return spread * static_cast<S>(2 * k + 1 - components) / static_cast<S>(components);
}

/// The common aₖ with which those components together have the variance of the kernel: their quantile is near the identity.
template <class S> S starting_scale(int components, S spread, S variance) {
  const S count = static_cast<S>(components);
  return 1 / std::sqrt(1 - spread * spread * (count * count - 1) / (3 * count * count * variance));
}

}  // namespace biject
