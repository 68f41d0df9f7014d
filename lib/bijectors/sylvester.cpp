#include "bijectors/sylvester.hpp"

#include <algorithm>
#include <cmath>

#include "core/above_minus_one.hpp"
#include "core/for_each_lane.hpp"
#include "core/monotone_root.hpp"
#include "core/numerics.hpp"
#include "nets/dense.hpp"
#include "nets/make_net.hpp"

namespace biject {

template <class S>
Sylvester<S>::Sylvester(Plan& plan, Index features, Index context, const NetStyle& style, Index rank)
    : rank_(std::min(rank, features)),
      place_(static_cast<std::uint64_t>(plan.params().size())),
      reflections_(plan, features, rank_),
      above1_(plan, "r1", rank_),
      above2_(plan, "r2", rank_),
      q_(plan.scratch().fixed(rank_, features)),
      dq_(plan.scratch().fixed(rank_, features)),
      taken_back_(plan.scratch().fixed(rank_, features)),
      r1_(plan.scratch().fixed(rank_, rank_)),
      r2_(plan.scratch().fixed(rank_, rank_)),
      dr_(plan.scratch().fixed(rank_, rank_)) {
  BIJECT_EXPECT(rank > 0);
  net_ = make_net<S>(plan, {0, context, std::vector<Index>(static_cast<std::size_t>(3 * rank_), 0)}, style);
  phi_ = plan.scratch().keep(3 * rank_);
  dphi_ = plan.scratch().temporary(3 * rank_);
  for (ScratchSlot* slot : {&y_, &t_, &s_}) *slot = plan.scratch().keep(rank_);
  for (ScratchSlot* slot : {&dy_, &dv_, &ds_}) *slot = plan.scratch().temporary(rank_);
}

template <class S> void Sylvester<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S>, In<S>) const {
  reflections_.init(theta, rng);
  above1_.set(theta, Matrix<S>::Zero(rank_, rank_));
  above2_.set(theta, Matrix<S>::Zero(rank_, rank_));
  Vector<S> phi = Vector<S>::Zero(3 * rank_);
  for (Index i = 0; i < rank_; ++i) {
    phi(i) = static_cast<S>(rng.normal(place_, static_cast<std::uint32_t>(2 + i)));
    phi(2 * rank_ + i) = 1;
  }
  net_->init(theta, rng, phi);
}

template <class S> void Sylvester<S>::unpack(const Frame<S>& f) const {
  auto q = f.scratch[q_];
  q.setIdentity();
  reflections_.apply(f, q);
  above1_.unpack(f.theta, f.scratch[r1_]);
  above2_.unpack(f.theta, f.scratch[r2_]);
}

template <class S> void Sylvester<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  unpack(f);
  const auto q = f.scratch[q_];
  auto phi = f.scratch[phi_];
  auto y = f.scratch[y_], t = f.scratch[t_], s = f.scratch[s_];
  net_->forward(f, x.leftCols(0), phi);
  product_transposed<S>(x, q, y);                                                                 // (3)
  product_transposed<S>(y, f.scratch[r2_], t);
  for_each_lane_group(x.rows(), [&](Index first, int count) {
    const auto load = [&](const auto& matrix, Index column) { return Lanes<S>::load(matrix.col(column).data() + first, count); };
    Lanes<S> ld{};
    for (Index k = 0; k < rank_; ++k) {
      const Lanes<S> b = load(phi, k), p = load(phi, rank_ + k), slope = load(phi, 2 * rank_ + k), at = load(y, k);
      Lanes<S> bent = load(t, k);
      for_each_lane([&](int i) {
        const AboveMinusOne<S> bounded(p[i] * slope[i]);                                          // (1)
        bent[i] = tanh_fast(b[i] + slope[i] * at[i] + bent[i]);
        ld[i] += log_fast(1 + bounded.value * (1 - bent[i] * bent[i]));                           // (5)
      });
      bent.store(t.col(k).data() + first, count);
    }
    ld.add_to(logdet.data() + first, count);
  });
  product_transposed<S>(t, f.scratch[r1_], s);                                                    // (4)
  for_each_lane_group(x.rows(), [&](Index first, int count) {
    const auto load = [&](const auto& matrix, Index column) { return Lanes<S>::load(matrix.col(column).data() + first, count); };
    for (Index k = 0; k < rank_; ++k) {
      const Lanes<S> p = load(phi, rank_ + k), slope = load(phi, 2 * rank_ + k), bent = load(t, k);
      Lanes<S> added;
      for_each_lane([&](int i) { added[i] = p[i] * AboveMinusOne<S>(p[i] * slope[i]).ratio * bent[i]; });  // (2)
      added.add_to(s.col(k).data() + first, count);
    }
  });
  z = x;
  add_product<S>(s, q, z);
}

template <class S> void Sylvester<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  unpack(f);
  const auto q = f.scratch[q_], r1 = f.scratch[r1_], r2 = f.scratch[r2_];
  auto phi = f.scratch[phi_];
  auto y = f.scratch[y_], t = f.scratch[t_], s = f.scratch[s_];
  net_->forward(f, z.leftCols(0), phi);
  product_transposed<S>(z, q, y);
  for_each_lane_group(z.rows(), [&](Index first, int count) {
    const auto load = [&](const auto& matrix, Index column) { return Lanes<S>::load(matrix.col(column).data() + first, count); };
    Lanes<S> ld{};
    for (Index k = rank_; k-- > 0;) {
      const Lanes<S> p = load(phi, rank_ + k), slope = load(phi, 2 * rank_ + k), on = load(y, k);
      Lanes<S> offset = load(phi, k), known{}, target, low, high, bend, m, bent, taken;
      for (Index j = k + 1; j < rank_; ++j) {
        const Lanes<S> y_j = load(y, j), t_j = load(t, j);
        for_each_lane([&](int i) {
          offset[i] += r2(k, j) * y_j[i];
          known[i] += r1(k, j) * t_j[i];
        });
      }
      for_each_lane([&](int i) {
        const AboveMinusOne<S> bounded(p[i] * slope[i]);
        bend[i] = p[i] * bounded.ratio;
        m[i] = bounded.value;
        target[i] = on[i] - known[i];
        low[i] = target[i] - std::abs(bend[i]);
        high[i] = target[i] + std::abs(bend[i]);
      });
      const Lanes<S> root = monotone_root(target, low, high, [&](const Lanes<S>& at, Lanes<S>& value, Lanes<S>& derivative) {
        for_each_lane([&](int i) {
          const S tanh = tanh_fast(slope[i] * at[i] + offset[i]);
          value[i] = at[i] + bend[i] * tanh;                                                      // (6)
          derivative[i] = 1 + m[i] * (1 - tanh * tanh);
        });
      });
      for_each_lane([&](int i) {
        bent[i] = tanh_fast(slope[i] * root[i] + offset[i]);
        taken[i] = -(bend[i] * bent[i] + known[i]);
        ld[i] -= log_fast(1 + m[i] * (1 - bent[i] * bent[i]));
      });
      root.store(y.col(k).data() + first, count);
      bent.store(t.col(k).data() + first, count);
      taken.store(s.col(k).data() + first, count);
    }
    ld.add_to(logdet.data() + first, count);
  });
  x = z;
  add_product<S>(s, q, x);
}

template <class S>
void Sylvester<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                            const Gradient<S>& grad) const {
  const auto q = f.scratch[q_];
  const auto phi = f.scratch[phi_];
  const auto y = f.scratch[y_], t = f.scratch[t_], s = f.scratch[s_];
  auto dphi = f.scratch[dphi_];
  auto dy = f.scratch[dy_], dv = f.scratch[dv_], ds = f.scratch[ds_];
  auto dq = f.scratch[dq_], dr = f.scratch[dr_];
  product_transposed<S>(dz, q, ds);                                                               // (7)
  dq.setZero();
  add_outer_product<S>(s, dz, dq);
  dr.setZero();
  add_outer_product<S>(ds, t, dr);
  above1_.backward(dr, grad.theta);
  product<S>(ds, f.scratch[r1_], dv);                                                             // (8)
  for_each_lane_group(x.rows(), [&](Index first, int count) {
    const auto load = [&](const auto& matrix, Index column) { return Lanes<S>::load(matrix.col(column).data() + first, count); };
    const auto al = Lanes<S>::load(dlogdet.data() + first, count);
    for (Index k = 0; k < rank_; ++k) {
      const Lanes<S> p = load(phi, rank_ + k), slope = load(phi, 2 * rank_ + k);
      const Lanes<S> at = load(y, k), bent = load(t, k), g_s = load(ds, k), through_r1 = load(dv, k);
      Lanes<S> g_v, g_p, g_q, g_y;
      for_each_lane([&](int i) {
        const S a = p[i] * slope[i];
        const AboveMinusOne<S> bounded(a);
        constexpr S kScale = AboveMinusOne<S>::kScale;
        const S derivative = 1 - bent[i] * bent[i], inverse_sum = 1 / (kScale + bounded.root);
        const S g_d = al[i] / (1 + bounded.value * derivative);
        const S g_t = through_r1[i] + p[i] * bounded.ratio * g_s[i];
        const S g_bend = g_s[i] * bent[i], g_a = derivative * g_d * bounded.derivative;
        const S share = inverse_sum * (kScale / bounded.root);
        g_v[i] = derivative * (g_t - 2 * bent[i] * bounded.value * g_d);                          // (9)
        g_y[i] = slope[i] * g_v[i];                                                               // (10)
        g_p[i] = g_bend * (bounded.ratio + a * share) + g_a * slope[i];                           // (12), (13)
        g_q[i] = g_bend * p[i] * p[i] * share + g_a * p[i] + g_v[i] * at[i];
      });
      g_v.store(dphi.col(k).data() + first, count);
      g_p.store(dphi.col(rank_ + k).data() + first, count);
      g_q.store(dphi.col(2 * rank_ + k).data() + first, count);
      g_v.store(dv.col(k).data() + first, count);
      g_y.store(dy.col(k).data() + first, count);
    }
  });
  dr.setZero();
  add_outer_product<S>(dv, y, dr);
  above2_.backward(dr, grad.theta);
  add_product<S>(dv, f.scratch[r2_], dy);
  add_outer_product<S>(dy, x, dq);                                                                // (11)
  dx = dz;
  add_product<S>(dy, q, dx);
  auto taken_back = f.scratch[taken_back_];
  taken_back = q;
  reflections_.backward(f, taken_back, dq, grad);
  net_->backward(f, x.leftCols(0), dphi, dx.leftCols(0), grad);
}

template class Sylvester<float>;
template class Sylvester<double>;

}  // namespace biject
