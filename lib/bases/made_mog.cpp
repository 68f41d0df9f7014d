#include "bases/made_mog.hpp"

#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"
#include "core/softmax.hpp"
#include "nets/make_net.hpp"

namespace biject {

namespace {

constexpr double kBound = 5;     // of the logarithm of a scale
constexpr double kSpread = 0.5;  // standard deviation of the means at the start

/// One conditional at a group of samples.
template <class S> struct Conditional {
  static constexpr Index kMost = MadeMog<S>::kMostComponents;

  /// phi n × 3K; reads z if it is given.
  Conditional(In<S> phi, Index first, int count, const Lanes<S>& z) : components(phi.cols() / 3) {
    const auto column = [&](Index c) { return Lanes<S>::load(phi.col(c).data() + first, count); };
    for (Index k = 0; k < components; ++k) {
      // In this order: with raw last, the compiler no longer makes vector instructions of the loop.
      const auto raw = column(2 * components + k), mean = column(components + k), logit = column(k);
      Lanes<S> inverse, deviation, joint, slope;
      for_each_lane([&](int i) {
        const S s = soft_clamp(raw[i], S(kBound));
        inverse[i] = exp_in_range(-s);
        deviation[i] = (z[i] - mean[i]) * inverse[i];
        joint[i] = logit[i] - s - S(0.5) * deviation[i] * deviation[i];
        slope[i] = soft_clamp_derivative(raw[i], S(kBound));
      });
      weight[k] = logit;
      posterior[k] = joint;
      t[k] = deviation;
      inverse_scale[k] = inverse;
      clamp_slope[k] = slope;
    }
    const auto of_weights = softmax(weight, components), of_posterior = softmax(posterior, components);
    const S constant = static_cast<S>(0.5 * std::log(2 * std::numbers::pi));
    for_each_lane([&](int i) { logp[i] = of_posterior[i] - of_weights[i] - constant; });
  }

  Index components;
  Lanes<S> weight[kMost], posterior[kMost];   // w, ρ
  Lanes<S> t[kMost], inverse_scale[kMost];    // t, e^−s
  Lanes<S> clamp_slope[kMost];                // ds/dr
  Lanes<S> logp;
};

}  // namespace

template <class S>
MadeMog<S>::MadeMog(Plan& plan, Index features, Index context, Index components, const NetStyle& style)
    : features_(features), components_(components) {
  BIJECT_EXPECT(components >= 1 && components <= kMostComponents);
  const Index params = 3 * components, outputs = features * params;
  std::vector<Index> visible;
  for (Index o = 0; o < outputs; ++o) visible.push_back(o / params);
  net_ = make_net<S>(plan, {features, context, std::move(visible)}, style);
  phi_ = plan.scratch().keep(outputs);
  dphi_ = plan.scratch().temporary(outputs);
  dz_net_ = plan.scratch().temporary(features);
}

template <class S> void MadeMog<S>::init(Arena<S>& theta, const Rng& rng) const {
  // Means in equal steps and one scale: variance 1 for any number of components.
  const double steps = static_cast<double>(components_);
  const double step = components_ > 1 ? kSpread * std::sqrt(12 / (steps * steps - 1)) : 0;
  const double scale = components_ > 1 ? std::sqrt(1 - kSpread * kSpread) : 1;
  Vector<S> phi = Vector<S>::Zero(3 * components_);
  for (Index k = 0; k < components_; ++k) {
    phi(components_ + k) = static_cast<S>(step * (static_cast<double>(k) - (steps - 1) / 2));
    phi(2 * components_ + k) = static_cast<S>(std::log(scale));  // the clamp does nothing to a number so small
  }
  net_->init(theta, rng, phi.replicate(features_, 1));
}

template <class S> void MadeMog<S>::log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const {
  auto phi = f.scratch[phi_];
  const Index params = 3 * components_;
  net_->forward(f, z, phi);
  for (Index d = 0; d < z.cols(); ++d) {
    for_each_lane_group(z.rows(), [&](Index first, int count) {
      const auto at = Lanes<S>::load(z.col(d).data() + first, count);
      const Conditional<S> p(phi.middleCols(d * params, params), first, count, at);
      p.logp.add_to(logp.data() + first, count);
    });
  }
}

template <class S>
void MadeMog<S>::backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const {
  const auto phi = f.scratch[phi_];
  auto dphi = f.scratch[dphi_], dz_net = f.scratch[dz_net_];
  const Index params = 3 * components_;
  for (Index d = 0; d < z.cols(); ++d) {
    const auto phi_d = phi.middleCols(d * params, params);
    auto dphi_d = dphi.middleCols(d * params, params);
    for_each_lane_group(z.rows(), [&](Index first, int count) {
      const auto at = Lanes<S>::load(z.col(d).data() + first, count), g = Lanes<S>::load(dlogp.data() + first, count);
      const Conditional<S> p(phi_d, first, count, at);
      Lanes<S> dat{};
      for (Index k = 0; k < components_; ++k) {
        const Lanes<S> rho = p.posterior[k], w = p.weight[k], t = p.t[k], inverse_scale = p.inverse_scale[k];
        Lanes<S> dlogit, dmean, draw;
        for_each_lane([&](int i) {
          const S weight = g[i] * rho[i];
          dlogit[i] = weight - g[i] * w[i];
          dmean[i] = weight * t[i] * inverse_scale[i];
          draw[i] = weight * (t[i] * t[i] - 1) * p.clamp_slope[k][i];
        });
        for_each_lane([&](int i) { dat[i] -= dmean[i]; });
        dlogit.store(dphi_d.col(k).data() + first, count);
        dmean.store(dphi_d.col(components_ + k).data() + first, count);
        draw.store(dphi_d.col(2 * components_ + k).data() + first, count);
      }
      dat.store(dz.col(d).data() + first, count);
    });
  }
  net_->backward(f, z, dphi, dz_net, grad);
  dz += dz_net;
}

template <class S>
void MadeMog<S>::sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature, Out<S> z) const {
  auto phi = f.scratch[phi_];
  const Index params = 3 * components_;
  for (Index d = 0; d < z.cols(); ++d) {
    auto phi_d = phi.middleCols(d * params, params);
    net_->reveal(f, z, d * params, phi);
    for_each_lane_group(z.rows(), [&](Index first, int count) {
      const Conditional<S> p(phi_d, first, count, Lanes<S>{});
      for (int i = 0; i < count; ++i) {
        const auto row = first_row + static_cast<std::uint64_t>(first + i);
        // Indices from D on are of bits that no normal uses.
        S rest = static_cast<S>(rng.uniform(row, static_cast<std::uint32_t>(z.cols() + d)));
        Index k = 0;
        for (; k + 1 < components_; ++k) {
          rest -= p.weight[k][i];
          if (rest < 0) break;
        }
        const S deviation = static_cast<S>(temperature * rng.normal(row, static_cast<std::uint32_t>(d)));
        z(first + i, d) = phi_d(first + i, components_ + k) + deviation / p.inverse_scale[k][i];
      }
    });
  }
}

template class MadeMog<float>;
template class MadeMog<double>;

}  // namespace biject
