#include "bijectors/block_autoregressive.hpp"

#include <cmath>
#include <string>

#include "core/for_each_lane.hpp"
#include "core/monotone_root.hpp"
#include "core/numerics.hpp"
#include "nets/activation.hpp"
#include "nets/dense.hpp"

namespace biject {

namespace {

template <class S> constexpr S kBound = 7;  // of numbers under an exponential
constexpr double kStartScale = -3;          // log_scale of the last layer: it adds about 1/20

template <class S> S bounded_exp(S raw) { return exp_in_range(soft_clamp(raw, kBound<S>)); }

}  // namespace

template <class S>
typename BlockAutoregressive<S>::Layer BlockAutoregressive<S>::make_layer(Plan& plan, Index inputs, Index outputs,
                                                                          bool is_last) const {
  const std::string number = std::to_string(layers_.size());
  std::vector<Index> prefix;
  for (Index c = 0; c < features_ * outputs; ++c) prefix.push_back((c / outputs + 1) * inputs);
  const auto width = static_cast<Index>(prefix.size());
  Layer layer{plan.masked_parameter("w" + number, features_ * inputs, std::move(prefix)),
              plan.parameter("log_scale" + number, width),
              plan.parameter("b" + number, width),
              inputs, outputs, {}, {}, {}, {}, {}, {}, {}};
  ScratchLayout& scratch = plan.scratch();
  for (const Panel& panel : layer.raw.panels) {
    layer.w.push_back(scratch.fixed(panel.slot.rows, panel.slot.cols));
    layer.dw.push_back(scratch.fixed(panel.slot.rows, panel.slot.cols));
  }
  layer.own = scratch.fixed(inputs, width);
  layer.down = scratch.fixed(inputs, width);
  if (!is_last) layer.h = scratch.keep(width);
  if (!is_last && !layers_.empty()) layer.j = scratch.keep(width);
  layer.known = scratch.temporary(outputs);
  return layer;
}

template <class S>
BlockAutoregressive<S>::BlockAutoregressive(Plan& plan, Index features, Index context, Index hidden_per_feature,
                                            Index hidden_layers)
    : features_(features), units_(hidden_per_feature) {
  BIJECT_EXPECT(units_ > 0 && units_ <= kMostUnits && hidden_layers > 0);
  for (Index i = 0; i < hidden_layers; ++i) layers_.push_back(make_layer(plan, i == 0 ? 1 : units_, units_, false));
  layers_.push_back(make_layer(plan, units_, 1, true));
  const Index width = features * units_;
  if (context > 0) from_context_.emplace(plan, "v", context, std::vector<Index>(static_cast<std::size_t>(width), context));
  log_slope_ = plan.parameter("log_slope", features);
  jacobian_ = plan.scratch().keep(features);
  djacobian_ = plan.scratch().temporary(features);
  for (ScratchSlot* slot : {&g_, &dh_[0], &dh_[1], &dg_[0], &dg_[1]}) *slot = plan.scratch().temporary(width);
}

template <class S>
void BlockAutoregressive<S>::init(Arena<S>& theta, Workspace<S>&, const Rng& rng, In<S>, In<S>) const {
  for (const Layer& layer : layers_) {
    const bool is_last = &layer == &last();
    for (const auto& [column, slot] : layer.raw.panels) {
      auto raw = theta[slot];
      raw.setZero();
      for (Index c = 0; c < slot.cols; ++c) {
        // Positive weights about 1, those of all earlier features together about as much.
        const Index feature = (column + c) / layer.outputs, own = feature * layer.inputs;
        const double bound = 1 / std::sqrt(static_cast<double>(feature + 1));
        for (Index r = 0; r < own + layer.inputs; ++r) {
          const auto place = static_cast<std::uint64_t>(slot.offset + c * slot.rows + r);
          raw(r, c) = static_cast<S>((r < own ? bound : 0.5) * (2 * rng.uniform(place, 0) - 1));
        }
      }
    }
    theta[layer.log_scale].setConstant(static_cast<S>(is_last ? kStartScale : 0));
    auto bias = theta[layer.bias];
    for (Index c = 0; c < bias.rows(); ++c) {
      bias(c) = is_last ? S(0) : static_cast<S>(rng.normal(static_cast<std::uint64_t>(layer.bias.offset + c), 0));
    }
  }
  if (from_context_) from_context_->init(theta, rng, 1);
  theta[log_slope_].setZero();
}

template <class S> void BlockAutoregressive<S>::unpack(const Frame<S>& f) const {
  for (const Layer& layer : layers_) {
    const auto log_scale = f.theta[layer.log_scale];
    auto all_own = f.scratch[layer.own];
    for (std::size_t p = 0; p < layer.w.size(); ++p) {
      const Index column = layer.raw.panels[p].column;
      const auto raw = f.theta[layer.raw.panels[p].slot];
      auto w = f.scratch[layer.w[p]];
      w = raw;
      for (Index c = 0; c < w.cols(); ++c) {
        const Index own = (column + c) / layer.outputs * layer.inputs;
        for (Index r = own; r < own + layer.inputs; ++r) w(r, c) = bounded_exp(raw(r, c));        // (4)
        w.col(c) *= bounded_exp(log_scale(column + c)) / w.col(c).norm();                         // (5)
        all_own.col(column + c) = w.col(c).segment(own, layer.inputs);
      }
    }
  }
}

template <class S>
void BlockAutoregressive<S>::fold(const Frame<S>& f, const Layer& layer, Arena<S>& grad) const {
  const auto log_scale = f.theta[layer.log_scale];
  const auto all_own = f.scratch[layer.down];
  auto dlog_scale = grad[layer.log_scale];
  for (std::size_t p = 0; p < layer.w.size(); ++p) {
    const auto& [column, slot] = layer.raw.panels[p];
    const auto raw = f.theta[slot];
    const auto w = f.scratch[layer.w[p]];
    auto dw = f.scratch[layer.dw[p]];
    auto draw = grad[slot];
    for (Index c = 0; c < w.cols(); ++c) {
      const Index own = (column + c) / layer.outputs * layer.inputs, seen = own + layer.inputs;
      dw.col(c).segment(own, layer.inputs) += all_own.col(column + c);
      const S s = log_scale(column + c), scale = bounded_exp(s);
      const S along = dw.col(c).head(seen).dot(w.col(c).head(seen));
      dlog_scale(column + c) += along * soft_clamp_derivative(s, kBound<S>);                      // (12)
      // v = r for earlier features, so that E/N = W/r; but r may be zero, and the own block never is.
      const S factor = w(own, c) / bounded_exp(raw(own, c)), shrink = along / (scale * scale);
      for (Index r = 0; r < own; ++r) draw(r, c) += factor * (dw(r, c) - shrink * w(r, c));
      for (Index r = own; r < seen; ++r) {
        draw(r, c) += w(r, c) * (dw(r, c) - shrink * w(r, c)) * soft_clamp_derivative(raw(r, c), kBound<S>);
      }
    }
  }
}

template <class S> void BlockAutoregressive<S>::slopes(const Frame<S>& f, std::size_t i, Out<S> g) const {
  const Layer& layer = layers_[i];
  const auto h = f.scratch[layer.h];
  const auto own = f.scratch[layer.own];
  for (Index c = 0; c < h.cols(); ++c) {
    for_each_lane_group(h.rows(), [&](Index first, int count) {
      const auto at = Lanes<S>::load(h.col(c).data() + first, count);
      Lanes<S> j;
      if (i == 0) {
        for_each_lane([&](int k) { j[k] = own(0, c); });
      } else {
        j = Lanes<S>::load(f.scratch[layer.j].col(c).data() + first, count);
      }
      for_each_lane([&](int k) { j[k] *= 1 - at[k] * at[k]; });                                   // (2)
      j.store(g.col(c).data() + first, count);
    });
  }
}

template <class S>
void BlockAutoregressive<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  unpack(f);
  auto g = f.scratch[g_];
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const bool is_first = i == 0, is_last = i + 1 == layers_.size();
    const In<S> before = is_first ? x : In<S>(f.scratch[layers_[i - 1].h]);
    Out<S> after = is_last ? z : Out<S>(f.scratch[layer.h]);
    const Activation activation = is_last ? Activation::none : Activation::tanh;
    const bool has_context = is_first && from_context_;
    for (std::size_t p = 0; p < layer.w.size(); ++p) {
      const auto w = f.scratch[layer.w[p]];
      const Index column = layer.raw.panels[p].column;
      product<S>(before.leftCols(w.rows()), w, f.theta[layer.bias].col(0).segment(column, w.cols()),
                 has_context ? Activation::none : activation, after.middleCols(column, w.cols()));
    }
    if (has_context) from_context_->add_columns(f.theta, f.context, 0, 0, activation, after);     // (1)
    if (is_first) continue;
    slopes(f, i - 1, g);
    const auto own = f.scratch[layer.own];
    auto j = f.scratch[is_last ? jacobian_ : layer.j];
    for (Index d = 0; d < features_; ++d) {
      product<S>(g.middleCols(d * units_, units_), own.middleCols(d * layer.outputs, layer.outputs),
                 j.middleCols(d * layer.outputs, layer.outputs));
    }
  }
  const auto jacobian = f.scratch[jacobian_];
  for (Index d = 0; d < features_; ++d) {
    const S alpha = bounded_exp(f.theta[log_slope_](d));
    for_each_lane_group(x.rows(), [&](Index first, int count) {
      const auto from = Lanes<S>::load(x.col(d).data() + first, count);
      const auto j = Lanes<S>::load(jacobian.col(d).data() + first, count);
      auto to = Lanes<S>::load(z.col(d).data() + first, count);
      Lanes<S> ld;
      for_each_lane([&](int k) {
        to[k] += alpha * from[k];                                                                 // (3)
        ld[k] = log_fast(alpha + j[k]);
      });
      to.store(z.col(d).data() + first, count);
      ld.add_to(logdet.data() + first, count);
    });
  }
}

template <class S>
void BlockAutoregressive<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  unpack(f);
  for (Index d = 0; d < features_; ++d) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      const In<S> before = i == 0 ? In<S>(x) : In<S>(f.scratch[layers_[i - 1].h]);
      const Index begin = d * layer.outputs, end = begin + layer.outputs, earlier = d * layer.inputs;
      auto known = f.scratch[layer.known];
      known.rowwise() = f.theta[layer.bias].col(0).segment(begin, layer.outputs).transpose();
      if (i == 0 && from_context_) from_context_->add_columns(f.theta, f.context, 0, begin, Activation::none, known);
      for (std::size_t p = 0; p < layer.w.size() && earlier > 0; ++p) {
        const auto w = f.scratch[layer.w[p]];
        const Index column = layer.raw.panels[p].column;
        const Index from = std::max(begin, column), to = std::min(end, column + w.cols());
        if (from >= to) continue;
        add_product<S>(before.leftCols(earlier), w.block(0, from - column, earlier, to - from),
                       known.middleCols(from - begin, to - from));
      }
    }
    const S alpha = bounded_exp(f.theta[log_slope_](d));
    const auto weight = f.scratch[last().own].col(d);
    const S reach = weight.sum();
    for_each_lane_group(z.rows(), [&](Index first, int count) {
      Lanes<S> h[kMostUnits], g[kMostUnits], h_before[kMostUnits], g_before[kMostUnits];
      // z_d and its slope at x_d; with `keep`, h of the units of feature d for the features that follow.
      const auto evaluate = [&](const Lanes<S>& at, Lanes<S>& value, Lanes<S>& slope, bool keep) {
        for (std::size_t i = 0; i + 1 < layers_.size(); ++i) {
          const Layer& layer = layers_[i];
          const auto own = f.scratch[layer.own].middleCols(d * units_, units_);
          const auto known = f.scratch[layer.known];
          for (Index u = 0; u < units_; ++u) {
            Lanes<S> sum = Lanes<S>::load(known.col(u).data() + first, count), j{};
            if (i == 0) {
              for_each_lane([&](int k) {
                sum[k] += at[k] * own(0, u);
                j[k] = own(0, u);
              });
            } else {
              for (Index v = 0; v < units_; ++v) {
                const S weight_v = own(v, u);
                for_each_lane([&](int k) {
                  sum[k] += h_before[v][k] * weight_v;                                            // (6)
                  j[k] += g_before[v][k] * weight_v;
                });
              }
            }
            for_each_lane([&](int k) {
              h[u][k] = tanh_fast(sum[k]);
              g[u][k] = j[k] * (1 - h[u][k] * h[u][k]);
            });
            if (keep) h[u].store(f.scratch[layer.h].col(d * units_ + u).data() + first, count);
          }
          std::copy_n(h, units_, h_before);
          std::copy_n(g, units_, g_before);
        }
        value = Lanes<S>::load(f.scratch[last().known].col(0).data() + first, count);
        for_each_lane([&](int k) {
          value[k] += alpha * at[k];
          slope[k] = alpha;
        });
        for (Index v = 0; v < units_; ++v) {
          const S weight_v = weight(v);
          for_each_lane([&](int k) {
            value[k] += h_before[v][k] * weight_v;
            slope[k] += g_before[v][k] * weight_v;
          });
        }
      };
      const auto target = Lanes<S>::load(z.col(d).data() + first, count);
      const auto known = Lanes<S>::load(f.scratch[last().known].col(0).data() + first, count);
      Lanes<S> low, high, value, slope, ld;
      for_each_lane([&](int k) {
        low[k] = (target[k] - known[k] - reach) / alpha;
        high[k] = (target[k] - known[k] + reach) / alpha;
      });
      const Lanes<S> root = monotone_root(target, low, high, [&](const Lanes<S>& at, Lanes<S>& v, Lanes<S>& s) {
        evaluate(at, v, s, false);
      });
      evaluate(root, value, slope, true);
      for_each_lane([&](int k) { ld[k] = -log_fast(slope[k]); });
      root.store(x.col(d).data() + first, count);
      ld.add_to(logdet.data() + first, count);
    });
  }
}

template <class S>
void BlockAutoregressive<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                                      const Gradient<S>& grad) const {
  auto djacobian = f.scratch[djacobian_];
  for (Index d = 0; d < features_; ++d) {
    const S raw = f.theta[log_slope_](d), alpha = bounded_exp(raw);
    Lanes<S> sum{};
    for_each_lane_group(x.rows(), [&](Index first, int count) {
      const auto from = Lanes<S>::load(x.col(d).data() + first, count), az = Lanes<S>::load(dz.col(d).data() + first, count);
      const auto al = Lanes<S>::load(dlogdet.data() + first, count);
      const auto j = Lanes<S>::load(f.scratch[jacobian_].col(d).data() + first, count);
      Lanes<S> dfrom, dj;
      for_each_lane([&](int k) {
        dj[k] = al[k] / (alpha + j[k]);                                                           // (7)
        dfrom[k] = az[k] * alpha;
        sum[k] += az[k] * from[k] + dj[k];
      });
      dfrom.store(dx.col(d).data() + first, count);
      dj.store(djacobian.col(d).data() + first, count);
    });
    S total = 0;
    for (int k = 0; k < kLanes; ++k) total += sum[k];
    grad.theta[log_slope_](d) += total * alpha * soft_clamp_derivative(raw, kBound<S>);           // (8)
  }
  auto g = f.scratch[g_];
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    const bool is_first = i == 0, is_last = i + 1 == layers_.size();
    const In<S> before = is_first ? x : In<S>(f.scratch[layers_[i - 1].h]);
    const In<S> dargument = is_last ? dz : In<S>(f.scratch[dh_[i % 2]]);
    const In<S> dj = is_last ? In<S>(djacobian) : In<S>(f.scratch[dg_[i % 2]]);
    Out<S> dbefore = is_first ? dx : Out<S>(f.scratch[dh_[(i + 1) % 2]]);
    const auto own = f.scratch[layer.own];
    auto down = f.scratch[layer.down];
    backward_bias<S>(dargument, layer.bias, grad);
    if (!is_first) dbefore.setZero();
    for (std::size_t p = 0; p < layer.w.size(); ++p) {
      const auto w = f.scratch[layer.w[p]];
      auto dw = f.scratch[layer.dw[p]];
      const auto here = dargument.middleCols(layer.raw.panels[p].column, w.cols());
      dw.setZero();
      add_outer_product<S>(before.leftCols(w.rows()), here, dw);                                  // (9)
      add_product_transposed<S>(here, w, dbefore.leftCols(w.rows()));                             // (10)
    }
    if (is_first) {
      Eigen::Map<Vector<S>>(down.data(), down.size()) = dj.colwise().sum().transpose();  // one row
      if (from_context_) {
        from_context_->backward_weights(f.context, dargument, grad);
        from_context_->add_backward(f.theta, dargument, grad.context);
      }
      fold(f, layer, grad.theta);
      break;
    }
    down.setZero();
    auto dg = f.scratch[dg_[(i + 1) % 2]];
    slopes(f, i - 1, g);
    for (Index d = 0; d < features_; ++d) {
      const auto dj_d = dj.middleCols(d * layer.outputs, layer.outputs);
      add_outer_product<S>(g.middleCols(d * units_, units_), dj_d, down.middleCols(d * layer.outputs, layer.outputs));
      product_transposed<S>(dj_d, own.middleCols(d * layer.outputs, layer.outputs), dg.middleCols(d * units_, units_));
    }
    fold(f, layer, grad.theta);
    const Layer& lower = layers_[i - 1];
    for (Index c = 0; c < dg.cols(); ++c) {
      for_each_lane_group(x.rows(), [&](Index first, int count) {
        const auto h = Lanes<S>::load(before.col(c).data() + first, count);
        Lanes<S> j, through_h = Lanes<S>::load(dbefore.col(c).data() + first, count);
        Lanes<S> through_g = Lanes<S>::load(dg.col(c).data() + first, count);
        if (i == 1) {
          for_each_lane([&](int k) { j[k] = f.scratch[lower.own](0, c); });
        } else {
          j = Lanes<S>::load(f.scratch[lower.j].col(c).data() + first, count);
        }
        for_each_lane([&](int k) {
          const S slope = 1 - h[k] * h[k];
          through_h[k] = (through_h[k] - 2 * h[k] * j[k] * through_g[k]) * slope;                 // (11)
          through_g[k] *= slope;
        });
        through_h.store(dbefore.col(c).data() + first, count);
        through_g.store(dg.col(c).data() + first, count);
      });
    }
  }
}

template class BlockAutoregressive<float>;
template class BlockAutoregressive<double>;

}  // namespace biject
