#include "bases/normal_mixture.hpp"

#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"
#include "core/softmax.hpp"

namespace biject {

namespace {

constexpr double kBound = 5;      // of the logarithm of a scale
constexpr double kSpread = 0.3;   // of the means at the start

// log Σ e^logits.
template <class V> double log_sum(const V& logits) {
  const double most = static_cast<double>(logits.maxCoeff());
  double sum = 0;
  for (Index k = 0; k < logits.size(); ++k) sum += std::exp(static_cast<double>(logits(k)) - most);
  return most + std::log(sum);
}

template <class S> double sum_of(const Lanes<S>& lanes) {
  double sum = 0;
  for (const S value : lanes.value) sum += static_cast<double>(value);
  return sum;
}

}  // namespace

template <class S>
NormalMixture<S>::NormalMixture(Plan& plan, Index features, Index components)
    : logits_(plan.parameter("logits", components)),
      means_(plan.parameter("means", features, components)),
      raw_scales_(plan.parameter("raw_scales", features, components)),
      posterior_(plan.scratch().keep(components)) {
  BIJECT_EXPECT(components >= 1 && components <= kMostComponents);
}

template <class S> void NormalMixture<S>::init(Arena<S>& theta, const Rng& rng) const {
  theta[logits_].setZero();
  auto means = theta[means_];
  for (Index i = 0; i < means.size(); ++i) {
    means(i) = static_cast<S>(kSpread * rng.normal(static_cast<std::uint64_t>(means_.offset + i), 0));
  }
  // With it the variance of the whole is 1 on average. The clamp does nothing to a number so small.
  theta[raw_scales_].setConstant(static_cast<S>(0.5 * std::log1p(-kSpread * kSpread)));
}

template <class S> void NormalMixture<S>::log_prob(const Frame<S>& f, In<S> z, VectorOut<S> logp) const {
  const auto logits = f.theta[logits_], means = f.theta[means_], raw_scales = f.theta[raw_scales_];
  auto posterior = f.scratch[posterior_];
  const double weight_of_all = log_sum(logits);
  posterior.setZero();
  for (Index k = 0; k < logits.size(); ++k) {
    double constant = static_cast<double>(logits(k)) - weight_of_all;
    for (Index j = 0; j < z.cols(); ++j) {
      const S mean = means(j, k), s = soft_clamp(raw_scales(j, k), S(kBound)), inverse = exp_in_range(-s);
      constant -= static_cast<double>(s) + 0.5 * std::log(2 * std::numbers::pi);
      for_each_lane_group(z.rows(), [&](Index first, int count) {
        const auto at = Lanes<S>::load(z.col(j).data() + first, count);
        Lanes<S> value;
        for_each_lane([&](int i) {
          const S t = (at[i] - mean) * inverse;
          value[i] = S(-0.5) * t * t;
        });
        value.add_to(posterior.col(k).data() + first, count);
      });
    }
    posterior.col(k).array() += static_cast<S>(constant);
  }
  for_each_lane_group(z.rows(), [&](Index first, int count) {
    Lanes<S> terms[kMostComponents];
    for (Index k = 0; k < logits.size(); ++k) terms[k] = Lanes<S>::load(posterior.col(k).data() + first, count);
    softmax(terms, logits.size()).add_to(logp.data() + first, count);
    for (Index k = 0; k < logits.size(); ++k) terms[k].store(posterior.col(k).data() + first, count);
  });
}

template <class S>
void NormalMixture<S>::backward(const Frame<S>& f, In<S> z, VectorIn<S> dlogp, Out<S> dz, const Gradient<S>& grad) const {
  const auto logits = f.theta[logits_], means = f.theta[means_], raw_scales = f.theta[raw_scales_];
  auto dlogits = grad.theta[logits_], dmeans = grad.theta[means_], draw_scales = grad.theta[raw_scales_];
  const auto posterior = f.scratch[posterior_];
  const double weight_of_all = log_sum(logits), total = dlogp.template cast<double>().sum();
  dz.setZero();
  for (Index k = 0; k < logits.size(); ++k) {
    double share = 0;
    for (Index i = 0; i < z.rows(); ++i) share += static_cast<double>(posterior(i, k)) * static_cast<double>(dlogp(i));
    dlogits(k) += static_cast<S>(share - total * std::exp(static_cast<double>(logits(k)) - weight_of_all));
    for (Index j = 0; j < z.cols(); ++j) {
      const S mean = means(j, k), s = soft_clamp(raw_scales(j, k), S(kBound)), inverse = exp_in_range(-s);
      Lanes<S> dmean{}, ds{};
      for_each_lane_group(z.rows(), [&](Index first, int count) {
        const auto at = Lanes<S>::load(z.col(j).data() + first, count);
        const auto rho = Lanes<S>::load(posterior.col(k).data() + first, count);
        const auto weight = Lanes<S>::load(dlogp.data() + first, count);
        Lanes<S> d;
        for_each_lane([&](int i) {
          const S g = weight[i] * rho[i], t = (at[i] - mean) * inverse;
          d[i] = -g * t * inverse;
          dmean[i] -= d[i];
          ds[i] += g * (t * t - 1);
        });
        d.add_to(dz.col(j).data() + first, count);
      });
      dmeans(j, k) += static_cast<S>(sum_of(dmean));
      draw_scales(j, k) += static_cast<S>(sum_of(ds)) * soft_clamp_derivative(raw_scales(j, k), S(kBound));
    }
  }
}

template <class S>
void NormalMixture<S>::sample(const Frame<S>& f, const Rng& rng, std::uint64_t first_row, double temperature, Out<S> z) const {
  const auto logits = f.theta[logits_], means = f.theta[means_], raw_scales = f.theta[raw_scales_];
  const double weight_of_all = log_sum(logits);
  const auto beyond_normals = static_cast<std::uint32_t>(z.cols());  // an index whose bits no normal uses
  for (Index i = 0; i < z.rows(); ++i) {
    const auto row = first_row + static_cast<std::uint64_t>(i);
    double rest = rng.uniform(row, beyond_normals);
    Index k = 0;
    for (; k + 1 < logits.size(); ++k) {
      rest -= std::exp(static_cast<double>(logits(k)) - weight_of_all);
      if (rest < 0) break;
    }
    for (Index j = 0; j < z.cols(); ++j) {
      const double scale = static_cast<double>(exp_in_range(soft_clamp(raw_scales(j, k), S(kBound))));
      const double deviation = temperature * scale * rng.normal(row, static_cast<std::uint32_t>(j));
      z(i, j) = static_cast<S>(static_cast<double>(means(j, k)) + deviation);
    }
  }
}

template class NormalMixture<float>;
template class NormalMixture<double>;

}  // namespace biject
