#include "bijectors/planar.hpp"

#include <cmath>
#include <limits>

#include "core/above_minus_one.hpp"
#include "core/for_each_lane.hpp"
#include "core/monotone_root.hpp"
#include "core/numerics.hpp"
#include "nets/make_net.hpp"

namespace biject {

namespace {

/// The numbers w, u, b of a group of samples, and what is made of them alone.
template <class S> class Bend {
 public:
  Bend(const In<S>& phi, Index first, int count)
      : data_(phi.data() + first), stride_(phi.outerStride()), features_((phi.cols() - 1) / 2), count_(count), a{}, q{} {
    for (Index d = 0; d < features_; ++d) {
      const Lanes<S> w_d = w(d), u_d = u(d);
      for_each_lane([&](int i) {
        a[i] += w_d[i] * u_d[i];
        q[i] += w_d[i] * w_d[i];
      });
    }
    for_each_lane([&](int i) {
      const AboveMinusOne<S> bounded(a[i]);                                                       // (1)
      q[i] += std::numeric_limits<S>::min();
      m[i] = bounded.value;
      dm[i] = bounded.derivative;
      k[i] = bounded.excess / q[i];                                                               // (2)
      dk[i] = a[i] / (bounded.root * q[i]);                                                       // (9)
    });
  }

  Lanes<S> w(Index d) const { return column(d); }
  Lanes<S> u(Index d) const { return column(features_ + d); }
  Lanes<S> b() const { return column(2 * features_); }

  /// w·x + b.
  Lanes<S> height(const In<S>& x, Index first) const {
    Lanes<S> h = b();
    for (Index d = 0; d < features_; ++d) {
      const Lanes<S> w_d = w(d), x_d = Lanes<S>::load(x.col(d).data() + first, count_);
      for_each_lane([&](int i) { h[i] += w_d[i] * x_d[i]; });
    }
    return h;
  }

  /// to = from + û·t.
  void move(const In<S>& from, const Lanes<S>& t, Index first, Out<S>& to) const {
    for (Index d = 0; d < features_; ++d) {
      const Lanes<S> w_d = w(d), u_d = u(d);
      auto moved = Lanes<S>::load(from.col(d).data() + first, count_);
      for_each_lane([&](int i) { moved[i] += (u_d[i] + k[i] * w_d[i]) * t[i]; });
      moved.store(to.col(d).data() + first, count_);
    }
  }

 private:
  Lanes<S> column(Index p) const { return Lanes<S>::load(data_ + p * stride_, count_); }
  const S* data_;
  Index stride_, features_;
  int count_;

 public:
  Lanes<S> a, q, k, dk, m, dm;
};

}  // namespace

template <class S>
Planar<S>::Planar(Plan& plan, Index features, Index context, const NetStyle& style)
    : place_(static_cast<std::uint64_t>(plan.params().size())) {
  const Index params = 2 * features + 1;
  net_ = make_net<S>(plan, {0, context, std::vector<Index>(static_cast<std::size_t>(params), 0)}, style);
  phi_ = plan.scratch().keep(params);
  dphi_ = plan.scratch().temporary(params);
}

template <class S> void Planar<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S> x, In<S>) const {
  const Index features = x.cols();
  Vector<S> phi = Vector<S>::Zero(2 * features + 1);
  // w·x of standardised data has a variance of about 1: the bends lie where the data are.
  const double scale = 1 / std::sqrt(static_cast<double>(features));
  for (Index d = 0; d < features; ++d) phi(d) = static_cast<S>(scale * rng.normal(place_, static_cast<std::uint32_t>(2 + d)));
  phi(2 * features) = static_cast<S>(rng.normal(place_, static_cast<std::uint32_t>(2 + features)));
  net_->init(theta, rng, phi);
}

template <class S> void Planar<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  net_->forward(f, x.leftCols(0), phi);
  for_each_lane_group(x.rows(), [&](Index first, int count) {
    const Bend<S> bend(phi, first, count);
    const Lanes<S> h = bend.height(x, first);
    Lanes<S> t, ld;
    for_each_lane([&](int i) {
      t[i] = tanh_fast(h[i]);                                                                     // (3)
      ld[i] = log_fast(1 + bend.m[i] * (1 - t[i] * t[i]));
    });
    bend.move(x, t, first, z);                                                                    // (4)
    ld.add_to(logdet.data() + first, count);
  });
}

template <class S> void Planar<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  auto phi = f.scratch[phi_];
  net_->forward(f, z.leftCols(0), phi);
  for_each_lane_group(z.rows(), [&](Index first, int count) {
    const Bend<S> bend(phi, first, count);
    const Lanes<S> target = bend.height(z, first);
    Lanes<S> low, high, t, ld;
    for_each_lane([&](int i) {
      const S reach = std::abs(bend.m[i]);
      low[i] = target[i] - reach;
      high[i] = target[i] + reach;
    });
    const Lanes<S> h = monotone_root(target, low, high, [&](const Lanes<S>& at, Lanes<S>& value, Lanes<S>& slope) {
      for_each_lane([&](int i) {
        const S tanh = tanh_fast(at[i]);
        value[i] = at[i] + bend.m[i] * tanh;                                                      // (5)
        slope[i] = 1 + bend.m[i] * (1 - tanh * tanh);
      });
    });
    for_each_lane([&](int i) {
      t[i] = -tanh_fast(h[i]);
      ld[i] = -log_fast(1 + bend.m[i] * (1 - t[i] * t[i]));
    });
    bend.move(z, t, first, x);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class S>
void Planar<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                         const Gradient<S>& grad) const {
  const auto phi = f.scratch[phi_];
  auto dphi = f.scratch[dphi_];
  const Index features = x.cols();
  for_each_lane_group(x.rows(), [&](Index first, int count) {
    const Bend<S> bend(phi, first, count);
    const Lanes<S> h = bend.height(x, first);
    const auto al = Lanes<S>::load(dlogdet.data() + first, count);
    Lanes<S> along_u{}, along_w{}, t, g_a, g_q, g_h;
    for (Index d = 0; d < features; ++d) {
      const Lanes<S> w = bend.w(d), u = bend.u(d), az = Lanes<S>::load(dz.col(d).data() + first, count);
      for_each_lane([&](int i) {
        along_u[i] += az[i] * (u[i] + bend.k[i] * w[i]);
        along_w[i] += az[i] * w[i];
      });
    }
    for_each_lane([&](int i) {
      t[i] = tanh_fast(h[i]);
      const S slope = 1 - t[i] * t[i], g_d = al[i] / (1 + bend.m[i] * slope);                     // (6)
      g_h[i] = slope * (along_u[i] - 2 * t[i] * bend.m[i] * g_d);                                 // (7)
      const S g_k = t[i] * along_w[i];                                                            // (8)
      g_a[i] = g_k * bend.dk[i] + slope * g_d * bend.dm[i];                                       // (9)
      g_q[i] = -g_k * bend.k[i] / bend.q[i];
    });
    for (Index d = 0; d < features; ++d) {
      const Lanes<S> w = bend.w(d), u = bend.u(d);
      const auto az = Lanes<S>::load(dz.col(d).data() + first, count), from = Lanes<S>::load(x.col(d).data() + first, count);
      Lanes<S> dw, du, dfrom;
      for_each_lane([&](int i) {
        const S g_hat = t[i] * az[i];
        du[i] = g_hat + g_a[i] * w[i];                                                            // (10)
        dw[i] = bend.k[i] * g_hat + g_a[i] * u[i] + 2 * g_q[i] * w[i] + g_h[i] * from[i];         // (11)
        dfrom[i] = az[i] + g_h[i] * w[i];                                                         // (12)
      });
      dw.store(dphi.col(d).data() + first, count);
      du.store(dphi.col(features + d).data() + first, count);
      dfrom.store(dx.col(d).data() + first, count);
    }
    g_h.store(dphi.col(2 * features).data() + first, count);
  });
  net_->backward(f, x.leftCols(0), dphi, dx.leftCols(0), grad);
}

template class Planar<float>;
template class Planar<double>;

}  // namespace biject
