#include "bijectors/radial.hpp"

#include <cmath>
#include <limits>

#include "core/above_minus_one.hpp"
#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"
#include "nets/make_net.hpp"

namespace biject {

namespace {

template <class S> constexpr S kBound = 10;  // of log α

/// The numbers x₀, α, γ of a group of samples.
template <class S> class Ball {
 public:
  Ball(const In<S>& phi, Index first, int count)
      : data_(phi.data() + first), stride_(phi.outerStride()), features_(phi.cols() - 2), count_(count) {
    const Lanes<S> raw_alpha = column(features_), raw_gamma = column(features_ + 1);
    for_each_lane([&](int i) {
      alpha[i] = exp_in_range(soft_clamp(raw_alpha[i], kBound<S>));
      dlog_alpha[i] = soft_clamp_derivative(raw_alpha[i], kBound<S>);
      const AboveMinusOne<S> bounded(raw_gamma[i]);
      gamma[i] = bounded.value;
      dgamma[i] = bounded.derivative;
    });
  }

  Lanes<S> centre(Index d) const { return column(d); }

  /// |x − x₀|.
  Lanes<S> radius(const In<S>& x, Index first) const {
    Lanes<S> r{};
    for (Index d = 0; d < features_; ++d) {
      const Lanes<S> centre_d = centre(d), x_d = Lanes<S>::load(x.col(d).data() + first, count_);
      for_each_lane([&](int i) { r[i] += (x_d[i] - centre_d[i]) * (x_d[i] - centre_d[i]); });
    }
    for_each_lane([&](int i) { r[i] = std::sqrt(r[i]); });
    return r;
  }

  /// to = x₀ + (from − x₀)·stretch.
  void move(const In<S>& from, const Lanes<S>& stretch, Index first, Out<S>& to) const {
    for (Index d = 0; d < features_; ++d) {
      const Lanes<S> centre_d = centre(d);
      auto moved = Lanes<S>::load(from.col(d).data() + first, count_);
      for_each_lane([&](int i) { moved[i] = centre_d[i] + (moved[i] - centre_d[i]) * stretch[i]; });
      moved.store(to.col(d).data() + first, count_);
    }
  }

 private:
  Lanes<S> column(Index p) const { return Lanes<S>::load(data_ + p * stride_, count_); }
  const S* data_;
  Index stride_, features_;
  int count_;

 public:
  Lanes<S> alpha, dlog_alpha, gamma, dgamma;
};

}  // namespace

template <class S>
Radial<S>::Radial(Plan& plan, Index features, Index context, const NetStyle& style)
    : place_(static_cast<std::uint64_t>(plan.params().size())) {
  const Index params = features + 2;
  net_ = make_net<S>(plan, {0, context, std::vector<Index>(static_cast<std::size_t>(params), 0)}, style);
  phi_ = plan.scratch().keep(params);
  dphi_ = plan.scratch().temporary(params);
}

template <class S> void Radial<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S> x, In<S>) const {
  const Index features = x.cols();
  Vector<S> phi = Vector<S>::Zero(features + 2);
  for (Index d = 0; d < features; ++d) phi(d) = static_cast<S>(rng.normal(place_, static_cast<std::uint32_t>(2 + d)));
  phi(features) = static_cast<S>(0.5 * std::log(static_cast<double>(features)));  // α = √D, how far standardised data are
  net_->init(theta, rng, phi);
}

template <class S> void Radial<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  net_->forward(f, x.leftCols(0), phi);
  const S across = static_cast<S>(x.cols() - 1);
  for_each_lane_group(x.rows(), [&](Index first, int count) {
    const Ball<S> ball(phi, first, count);
    const Lanes<S> r = ball.radius(x, first);
    Lanes<S> stretch, ld;
    for_each_lane([&](int i) {
      const S p = ball.alpha[i] / (ball.alpha[i] + r[i]), gamma = ball.gamma[i];
      stretch[i] = 1 + gamma * p;                                                                 // (1)
      ld[i] = across * log_fast(stretch[i]) + log_fast(1 + gamma * p * p);                        // (2)
    });
    ball.move(x, stretch, first, z);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class S> void Radial<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  net_->forward(f, z.leftCols(0), phi);
  const S across = static_cast<S>(z.cols() - 1);
  for_each_lane_group(z.rows(), [&](Index first, int count) {
    const Ball<S> ball(phi, first, count);
    const Lanes<S> r_z = ball.radius(z, first);
    Lanes<S> shrink, ld;
    for_each_lane([&](int i) {
      const S alpha = ball.alpha[i], gamma = ball.gamma[i];
      const S b = r_z[i] - alpha * (1 + gamma), size = std::abs(b);                               // (3)
      const S g = std::sqrt(b * b + 4 * r_z[i] * alpha);
      const S sum = (size + g) / 2, root = r_z[i] * alpha / (sum > 0 ? sum : S(1));
      const S r = b < 0 ? root : sum;                                                             // (4)
      const S p = alpha / (alpha + r), stretch = 1 + gamma * p;
      shrink[i] = 1 / stretch;
      ld[i] = -across * log_fast(stretch) - log_fast(1 + gamma * p * p);
    });
    ball.move(z, shrink, first, x);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class S>
void Radial<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                         const Gradient<S>& grad) const {
  const auto phi = f.scratch[phi_];
  auto dphi = f.scratch[dphi_];
  const Index features = x.cols();
  const S across = static_cast<S>(features - 1);
  for_each_lane_group(x.rows(), [&](Index first, int count) {
    const Ball<S> ball(phi, first, count);
    const Lanes<S> r = ball.radius(x, first);
    const auto al = Lanes<S>::load(dlogdet.data() + first, count);
    Lanes<S> along{}, stretch, pull, draw_alpha, draw_gamma;
    for (Index d = 0; d < features; ++d) {
      const Lanes<S> centre = ball.centre(d);
      const auto az = Lanes<S>::load(dz.col(d).data() + first, count), from = Lanes<S>::load(x.col(d).data() + first, count);
      for_each_lane([&](int i) { along[i] += az[i] * (from[i] - centre[i]); });
    }
    for_each_lane([&](int i) {
      const S alpha = ball.alpha[i], gamma = ball.gamma[i];
      const S inverse_sum = 1 / (alpha + r[i]), p = alpha * inverse_sum;
      stretch[i] = 1 + gamma * p;
      const S of_e = across / stretch[i], of_c = p / (1 + gamma * p * p);
      const S g_gamma = p * (along[i] + al[i] * (of_e + of_c));                                   // (5)
      const S g_p = gamma * (along[i] + al[i] * (of_e + 2 * of_c));                               // (6)
      constexpr S kSmallest = std::numeric_limits<S>::min();
      pull[i] = -g_p * p * inverse_sum / (r[i] < kSmallest ? S(1) : r[i]);                        // (7)
      draw_alpha[i] = g_p * p * r[i] * inverse_sum * ball.dlog_alpha[i];                          // (8)
      draw_gamma[i] = g_gamma * ball.dgamma[i];
    });
    for (Index d = 0; d < features; ++d) {
      const Lanes<S> centre = ball.centre(d);
      const auto az = Lanes<S>::load(dz.col(d).data() + first, count), from = Lanes<S>::load(x.col(d).data() + first, count);
      Lanes<S> dfrom, dcentre;
      for_each_lane([&](int i) {
        dfrom[i] = stretch[i] * az[i] + pull[i] * (from[i] - centre[i]);
        dcentre[i] = az[i] - dfrom[i];
      });
      dfrom.store(dx.col(d).data() + first, count);
      dcentre.store(dphi.col(d).data() + first, count);
    }
    draw_alpha.store(dphi.col(features).data() + first, count);
    draw_gamma.store(dphi.col(features + 1).data() + first, count);
  });
  net_->backward(f, x.leftCols(0), dphi, dx.leftCols(0), grad);
}

template class Radial<float>;
template class Radial<double>;

}  // namespace biject
