#include "maps/linear_rational_spline.hpp"

#include <cmath>

#include "core/error.hpp"
#include "maps/spline_bins.hpp"
#include "maps/spline_rows.hpp"

// Numbers in parentheses are the equations of linear_rational_spline.md.
namespace biject {

namespace {

template <class S> constexpr S kLambdaFloor = S(1) / 40;
template <class S> constexpr S kLambdaShare = S(19) / 20;

template <class S, int K> class TwoPieceBins {
 public:
  TwoPieceBins(Index bins, S bound, const PhiGroup<S>& phi)
      : bins_(bins, bound, phi), phi_(phi) {}

  void forward(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& is_inside, Lanes<S>& to, Lanes<S>& ld) const {
    Bin<S> bin;
    bins_.template find<false>(at, bin);
    const SoftplusSlopes<S> slopes(bin, bins_.bins(), SplineEnds::linear);
    const Lanes<S> raw_lambda = raw_lambda_of(bin);
    for_each_lane([&](int i) {
      const S a0 = std::sqrt(slopes.d0[i]), a1 = std::sqrt(slopes.d1[i]), inverse_w = 1 / bin.w[i];
      const S s = bin.h[i] * inverse_w, xi = clamp((at[i] - bin.x0[i]) * inverse_w, S(0), S(1));
      const S lambda = kLambdaFloor<S> + kLambdaShare<S> * sigmoid(raw_lambda[i]), q = lambda * a0 + (1 - lambda) * a1;  // (1)
      const bool is_left = xi <= lambda;
      const S eta = is_left ? xi : 1 - xi, mu = is_left ? lambda : 1 - lambda, a = is_left ? a0 : a1;                    // (2)
      const S inverse_d = 1 / (s * (mu - eta) + a * q * eta), r = mu * a * a * eta * inverse_d;                          // (3)
      const S ratio = a * s * mu * inverse_d;
      const bool inside = is_inside[i] != 0;
      to[i] = inside ? bin.z0[i] + bin.h[i] * (is_left ? r : 1 - r) : from[i];                                           // (4)
      ld[i] = inside ? log_fast(ratio * ratio) : S(0);                                                                   // (5)
    });
  }

  void inverse(const Lanes<S>& at, const Lanes<S>& from, const Lanes<S>& is_inside, Lanes<S>& to, Lanes<S>& ld) const {
    Bin<S> bin;
    bins_.template find<true>(at, bin);
    const SoftplusSlopes<S> slopes(bin, bins_.bins(), SplineEnds::linear);
    const Lanes<S> raw_lambda = raw_lambda_of(bin);
    for_each_lane([&](int i) {
      const S a0 = std::sqrt(slopes.d0[i]), a1 = std::sqrt(slopes.d1[i]), s = bin.h[i] / bin.w[i];
      const S y = clamp((at[i] - bin.z0[i]) / bin.h[i], S(0), S(1));
      const S lambda = kLambdaFloor<S> + kLambdaShare<S> * sigmoid(raw_lambda[i]), q = lambda * a0 + (1 - lambda) * a1;
      const bool is_left = y * q <= lambda * a0;
      const S r = is_left ? y : 1 - y, mu = is_left ? lambda : 1 - lambda, a = is_left ? a0 : a1;
      const S eta = clamp(r * s * mu / (mu * a * a - r * (a * q - s)), S(0), mu);                                        // (6)
      const S ratio = a * s * mu / (s * (mu - eta) + a * q * eta);
      const bool inside = is_inside[i] != 0;
      to[i] = inside ? bin.x0[i] + bin.w[i] * (is_left ? eta : 1 - eta) : from[i];
      ld[i] = inside ? -log_fast(ratio * ratio) : S(0);
    });
  }

  void backward(const Lanes<S>& at, const Lanes<S>& is_inside, const Lanes<S>& az, const Lanes<S>& al, Lanes<S>& dfrom,
                const PhiGradientGroup<S>& dphi) const {
    Bin<S> bin;
    BinGradient<S> g;
    Lanes<S> g_raw_lambda;
    bins_.template find<false>(at, bin);
    const SoftplusSlopes<S> slopes(bin, bins_.bins(), SplineEnds::linear);
    const Lanes<S> raw_lambda = raw_lambda_of(bin);
    for_each_lane([&](int i) {
      const S a0 = std::sqrt(slopes.d0[i]), a1 = std::sqrt(slopes.d1[i]), inverse_w = 1 / bin.w[i];
      const S s = bin.h[i] * inverse_w, xi = clamp((at[i] - bin.x0[i]) * inverse_w, S(0), S(1)), part = sigmoid(raw_lambda[i]);
      const S lambda = kLambdaFloor<S> + kLambdaShare<S> * part, q = lambda * a0 + (1 - lambda) * a1;                    // (1)
      const bool is_left = xi <= lambda;
      const S eta = is_left ? xi : 1 - xi, mu = is_left ? lambda : 1 - lambda, a = is_left ? a0 : a1;                    // (2)
      const S inverse_d = 1 / (s * (mu - eta) + a * q * eta), r = mu * a * a * eta * inverse_d;                          // (3)
      const S sign = is_left ? S(1) : S(-1), bend = a * q - s, gr = sign * az[i] * bin.h[i] * inverse_d, gl = 2 * al[i];
      const S g_eta = gr * a * a * s * mu * mu * inverse_d - gl * bend * inverse_d;                                      // (7)
      const S g_mu = gr * a * a * eta * eta * bend * inverse_d + gl * (1 / mu - s * inverse_d);                          // (8)
      const S g_a = gr * (2 * mu * a * eta - r * q * eta) + gl * (1 / a - q * eta * inverse_d);                          // (9)
      const S g_q = -gr * r * a * eta - gl * a * eta * inverse_d;                                                        // (10)
      const S g_s = -gr * r * (mu - eta) + gl * (1 / s - (mu - eta) * inverse_d);                                        // (11)
      const S g_xi = sign * g_eta, g_lambda = sign * g_mu + g_q * (a0 - a1);                                             // (12)
      const S g_a0 = g_q * lambda + (is_left ? g_a : S(0)), g_a1 = g_q * (1 - lambda) + (is_left ? S(0) : g_a);          // (13)
      dfrom[i] = is_inside[i] != 0 ? g_xi * inverse_w : az[i];                                                           // (14)
      g.x0[i] = -g_xi * inverse_w;
      g.w[i] = -(g_xi * xi + g_s * s) * inverse_w;
      g.z0[i] = az[i];                                                                                                   // (15)
      g.h[i] = az[i] * (is_left ? r : 1 - r) + g_s * inverse_w;
      g.raw0[i] = slopes.raw0_gradient(g_a0 / (2 * a0), i);
      g.raw1[i] = slopes.raw1_gradient(g_a1 / (2 * a1), i);
      g_raw_lambda[i] = is_inside[i] * g_lambda * kLambdaShare<S> * part * (1 - part);
    });
    bins_.spread(bin, is_inside, g, dphi);
    for_each_bin<K>(bins_.bins(), [&](auto k) {
      Lanes<S> dlambda;
      for_each_lane([&](int i) { dlambda[i] = bin.index[i] == static_cast<S>(k) ? g_raw_lambda[i] : S(0); });
      dphi.set(lambda_column(k), dlambda);
    });
  }

 private:
  Lanes<S> raw_lambda_of(const Bin<S>& bin) const {
    Lanes<S> result{};
    for_each_bin<K>(bins_.bins(), [&](auto k) {
      const Lanes<S> here = phi_[lambda_column(k)];
      for_each_lane([&](int i) { result[i] = bin.index[i] == static_cast<S>(k) ? here[i] : result[i]; });
    });
    return result;
  }

  Index lambda_column(int k) const { return 3 * bins_.bins() - 1 + k; }

  SplineBins<S, K> bins_;
  PhiGroup<S> phi_;
};

}  // namespace

template <class S>
LinearRationalSpline<S>::LinearRationalSpline(Index bins, double bound) : bins_(bins), bound_(static_cast<S>(bound)) {
  BIJECT_EXPECT(bins >= 2 && bins <= kMostBins && bound > 0);
}

template <class S>
void LinearRationalSpline<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  spline_forward<TwoPieceBins, S>(bins_, bound_, phi, x, z, logdet);
}

template <class S>
void LinearRationalSpline<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  spline_inverse<TwoPieceBins, S>(bins_, bound_, phi, z, x, logdet);
}

template <class S>
void LinearRationalSpline<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                                       Out<S> dphi) const {
  spline_backward<TwoPieceBins, S>(bins_, bound_, phi, x, dz, dlogdet, dx, dphi);
}

template class LinearRationalSpline<float>;
template class LinearRationalSpline<double>;

}  // namespace biject
