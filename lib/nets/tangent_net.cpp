#include "nets/tangent_net.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.hpp"
#include "nets/activation.hpp"
#include "nets/dense.hpp"

// Numbers in parentheses are the equations of tangent_net.md.
namespace biject {

template <class S>
TangentNet<S>::TangentNet(Plan& plan, const Shape& shape, Weights weights, Memory memory)
    : source_(weights), context_(shape.context) {
  const auto reserve = [&](Index cols) {
    return memory == Memory::kept ? plan.scratch().keep(cols) : plan.scratch().temporary(cols);
  };
  Index inputs = shape.inputs;
  for (std::size_t i = 0; i <= shape.hidden.size(); ++i) {
    const bool is_last = i == shape.hidden.size();
    const Index outputs = is_last ? shape.outputs : shape.hidden[i];
    Layer layer;
    layer.w = plan.parameter("w" + std::to_string(i), inputs, outputs);
    layer.b = plan.parameter("b" + std::to_string(i), outputs);
    if (weights == Weights::given) {
      layer.given = plan.scratch().fixed(inputs, outputs);
      layer.dgiven = plan.scratch().fixed(inputs, outputs);
    }
    if (!is_last) {
      layer.h = reserve(outputs);
      layer.t = reserve(shape.tangents * outputs);
      layer.q = plan.scratch().temporary(outputs);
    }
    layers_.push_back(layer);
    inputs = outputs;
  }
  if (context_ > 0) v_ = plan.parameter("v", context_, layers_.front().w.cols);
  const Index widest = shape.hidden.empty() ? 0 : std::ranges::max(shape.hidden);
  for (ScratchSlot& slot : d_) slot = plan.scratch().temporary(widest);
}

template <class S> void TangentNet<S>::init(Arena<S>& theta, const Rng& rng, double gain, double spread) const {
  const auto fill = [&](const Slot& slot, double bound) {
    auto block = theta[slot];
    for (Index i = 0; i < block.size(); ++i) {
      const auto place = static_cast<std::uint64_t>(slot.offset + i);
      block.data()[i] = static_cast<S>(bound * (2 * rng.uniform(place, 0) - 1));
    }
  };
  const auto fan_in = [](const Slot& slot) { return std::sqrt(static_cast<double>(std::max<Index>(slot.rows, 1))); };
  for (const Layer& layer : layers_) {
    const bool is_last = &layer == &layers_.back();
    fill(layer.w, is_last ? 0 : gain / fan_in(layer.w));
    fill(layer.b, is_last ? 0 : spread);
  }
  if (context_ > 0) fill(v_, depth() == 1 ? 0 : 1 / fan_in(v_));
}

template <class S> In<S> TangentNet<S>::w(const Frame<S>& f, const Layer& layer) const {
  if (source_ == Weights::given) return f.scratch[layer.given];
  return f.theta[layer.w];
}

template <class S> Out<S> TangentNet<S>::dw(const Frame<S>& f, const Layer& layer, const Gradient<S>& grad) const {
  if (source_ == Weights::given) return f.scratch[layer.dgiven];
  return grad.theta[layer.w];
}

template <class S> void TangentNet<S>::forward(const Frame<S>& f, In<S> x, Out<S> y) const {
  const Layer& last = layers_.back();
  for (const Layer& layer : layers_) {
    const bool is_first = &layer == &layers_.front(), is_last = &layer == &last;
    const In<S> in = is_first ? x : In<S>(f.scratch[(&layer - 1)->h]);
    Out<S> out = is_last ? y : Out<S>(f.scratch[layer.h]);
    const Activation activation = is_last ? Activation::none : Activation::tanh;
    const bool has_context = is_first && context_ > 0;
    product<S>(in, w(f, layer), f.theta[layer.b].col(0), has_context ? Activation::none : activation, out);  // (1), (2)
    if (has_context) add_product<S>(f.context, f.theta[v_], activation, out);
  }
}

template <class S> void TangentNet<S>::push(const Frame<S>& f, In<S> t, Out<S> jt) const {
  const Index n = f.scratch.rows(), blocks = t.rows() / n;
  BIJECT_EXPECT(t.rows() == blocks * n && jt.rows() == t.rows());
  const Layer& last = layers_.back();
  for (const Layer& layer : layers_) {
    const bool is_first = &layer == &layers_.front(), is_last = &layer == &last;
    const In<S> in = is_first ? t : In<S>(stacked(f.scratch, (&layer - 1)->t, blocks, layer.w.rows));
    Out<S> out = is_last ? jt : Out<S>(stacked(f.scratch, layer.t, blocks, layer.w.cols));
    for (Index m = 0; m < blocks; ++m) {
      auto block = out.middleRows(m * n, n);
      product<S>(in.middleRows(m * n, n), w(f, layer), block);                          // (3)
      if (is_last) continue;
      const auto value = f.scratch[layer.h];
      for (Index c = 0; c < block.cols(); ++c) {
        const S* h = value.col(c).data();
        S* to = block.col(c).data();
        for (Index r = 0; r < n; ++r) to[r] *= 1 - h[r] * h[r];                         // (4)
      }
    }
  }
}

template <class S> void TangentNet<S>::begin_backward(const Frame<S>& f) const {
  for (const Layer& layer : layers_) {
    if (&layer != &layers_.back()) f.scratch[layer.q].setZero();
  }
}

template <class S>
void TangentNet<S>::pull(const Frame<S>& f, In<S> t, In<S> djt, Out<S> dt, const Gradient<S>& grad) const {
  const Index n = f.scratch.rows(), blocks = t.rows() / n;
  BIJECT_EXPECT(t.rows() == blocks * n && djt.rows() == t.rows());
  const auto tangents = [&](std::size_t i) { return stacked(f.scratch, layers_[i].t, blocks, layers_[i].w.cols); };
  const auto gradient = [&](std::size_t i) { return f.scratch[d_[i % 2]].leftCols(layers_[i].w.cols); };
  for (Index m = 0; m < blocks; ++m) {
    for (std::size_t i = layers_.size(); i-- > 0;) {
      const Layer& layer = layers_[i];
      const In<S> in = i == 0 ? t.middleRows(m * n, n) : In<S>(tangents(i - 1).middleRows(m * n, n));
      const In<S> dout = &layer == &layers_.back() ? djt.middleRows(m * n, n) : In<S>(gradient(i));
      add_outer_product<S>(in, dout, dw(f, layer, grad));                               // (8)
      if (i == 0) {
        if (dt.cols() > 0) product_transposed<S>(dout, w(f, layer), dt.middleRows(m * n, n));  // (5)
        continue;
      }
      const auto value = f.scratch[layers_[i - 1].h];
      auto curvature = f.scratch[layers_[i - 1].q];
      auto d = gradient(i - 1);
      product_transposed<S>(dout, w(f, layer), d);                                      // (5)
      for (Index c = 0; c < value.cols(); ++c) {
        const S *h = value.col(c).data(), *pushed = in.col(c).data();
        S *pulled = d.col(c).data(), *q = curvature.col(c).data();
        for (Index r = 0; r < n; ++r) {
          q[r] += pulled[r] * pushed[r];                                                // (7)
          pulled[r] *= 1 - h[r] * h[r];                                                 // (6)
        }
      }
    }
  }
}

template <class S>
void TangentNet<S>::backward(const Frame<S>& f, In<S> x, In<S> dy, Out<S> dx, const Gradient<S>& grad) const {
  const auto gradient = [&](std::size_t i) { return f.scratch[d_[i % 2]].leftCols(layers_[i].w.cols); };
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    const In<S> dout = &layer == &layers_.back() ? dy : In<S>(gradient(i));
    backward_bias<S>(dout, layer.b, grad);                                              // (10)
    add_outer_product<S>(i == 0 ? x : In<S>(f.scratch[layers_[i - 1].h]), dout, dw(f, layer, grad));
    if (i == 0) {
      product_transposed<S>(dout, w(f, layer), dx);
      if (context_ > 0) {
        add_outer_product<S>(f.context, dout, grad.theta[v_]);
        add_product_transposed<S>(dout, f.theta[v_], grad.context);
      }
      continue;
    }
    const auto value = f.scratch[layers_[i - 1].h], curvature = f.scratch[layers_[i - 1].q];
    auto d = gradient(i - 1);
    product_transposed<S>(dout, w(f, layer), d);
    for (Index c = 0; c < value.cols(); ++c) {
      const S* h = value.col(c).data();
      const S* q = curvature.col(c).data();
      S* to = d.col(c).data();
      for (Index r = 0; r < d.rows(); ++r) to[r] = (1 - h[r] * h[r]) * to[r] - 2 * h[r] * q[r];  // (9)
    }
  }
}

template class TangentNet<float>;
template class TangentNet<double>;

}  // namespace biject
