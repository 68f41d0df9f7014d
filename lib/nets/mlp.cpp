#include "nets/mlp.hpp"

#include <algorithm>
#include <string>

#include "nets/masks.hpp"

namespace biject {

template <class S>
Mlp<S>::Mlp(Plan& plan, const NetShape& shape, const NetStyle& style) : units_(style.units) {
  degrees_.push_back(input_degrees(shape.inputs));
  const auto add_layer = [&](Degrees outputs, bool is_hidden) {
    const std::string number = std::to_string(layers_.size());
    const Index width = outputs.size();
    Linear<S> weights(plan, "w" + number, degrees_.back().size(), outputs.prefixes(degrees_.back()));
    const Slot bias = plan.parameter("b" + number, width);
    const ScratchSlot h = is_hidden ? plan.scratch().keep(width) : ScratchSlot{};
    layers_.push_back({std::move(weights), bias, h});
    degrees_.push_back(std::move(outputs));
  };
  for (const Index width : style.hidden) add_layer(hidden_degrees(width, shape.visible, shape.context > 0), true);
  add_layer(Degrees(shape.visible), false);
  if (shape.context > 0) {
    const auto width = static_cast<std::size_t>(layers_.front().weights.outputs());
    from_context_.emplace(plan, "v", shape.context, std::vector<Index>(width, shape.context));
  }
  const Index widest = style.hidden.empty() ? 0 : std::ranges::max(style.hidden);
  for (std::size_t i = 0; i < std::max<std::size_t>(2, style.hidden.size()); ++i) d_.push_back(plan.scratch().temporary(widest));
}

template <class S> void Mlp<S>::init(Arena<S>& theta, const Rng& rng, VectorIn<S> bias) const {
  for (const Layer& layer : layers_) {
    const bool is_last = &layer == &layers_.back();
    layer.weights.init(theta, rng, is_last ? 0 : 1);
    theta[layer.bias].setZero();
  }
  theta[layers_.back().bias] = bias;
  if (from_context_) from_context_->init(theta, rng, layers_.size() == 1 ? 0 : 1);
}

template <class S> void Mlp<S>::forward(const Frame<S>& f, In<S> x, Out<S> y) const {
  const Layer& last = layers_.back();
  for (const Layer& layer : layers_) {
    const bool is_first = &layer == &layers_.front(), is_last = &layer == &last;
    Out<S> out = is_last ? y : Out<S>(f.scratch[layer.h]);
    const In<S> in = is_first ? x : In<S>(f.scratch[(&layer - 1)->h]);
    const Activation activation = is_last ? Activation::none : units_.activation;
    const bool has_context = is_first && from_context_;  // the last product is the one with the activation
    layer.weights.forward(f.theta, in, layer.bias, has_context ? Activation::none : activation, out);
    if (has_context) from_context_->add_columns(f.theta, f.context, 0, 0, activation, out);
    if (!is_last) silence<S>(units_, f, layer.bias.offset, out);
  }
}

template <class S>
void Mlp<S>::backward(const Frame<S>& f, In<S> x, In<S> dy, Out<S> dx, const Gradient<S>& grad) const {
  const auto d_hidden = [&](std::size_t i) { return f.scratch[d_[i % 2]].leftCols(layers_[i].weights.outputs()); };
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    const In<S> dout = &layer == &layers_.back() ? dy : In<S>(d_hidden(i));
    backward_bias<S>(dout, layer.bias, grad);
    if (i == 0) {
      layer.weights.backward_weights(x, dout, grad);
      layer.weights.backward(f.theta, dout, dx);
      if (from_context_) {
        from_context_->backward_weights(f.context, dout, grad);
        from_context_->add_backward(f.theta, dout, grad.context);
      }
    } else {
      const auto h = f.scratch[layers_[i - 1].h];
      layer.weights.backward_weights(h, dout, grad);
      Out<S> dh = d_hidden(i - 1);
      layer.weights.backward(f.theta, dout, dh);
      activate_backward<S>(units_, f, h, dh);
    }
  }
}

template <class S> void Mlp<S>::reveal(const Frame<S>& f, In<S> x, Index first, Out<S> y) const {
  const MaskedStep step = masked_step(degrees_.back(), first);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const bool is_last = i + 1 == layers_.size();
    const In<S> in = i == 0 ? x : In<S>(f.scratch[layers_[i - 1].h]);
    Out<S> out = is_last ? y : Out<S>(f.scratch[layer.h]);
    const Index known = degrees_[i].up_to(step.known);
    const Units group = degrees_[i + 1].between(step.before, step.group);
    // The last product is the one with the activation.
    const Activation activation = is_last ? Activation::none : units_.activation;
    if (step.begins_group() && group.count > 0) {
      const Activation of_group = step.is_group() ? activation : Activation::none;
      const bool has_context = i == 0 && from_context_;
      auto begun = out.middleCols(group.begin, group.count);
      layer.weights.forward_columns(f.theta, in.leftCols(known), layer.bias, group.begin, has_context ? Activation::none : of_group, begun);
      if (has_context) from_context_->add_columns(f.theta, f.context, 0, group.begin, of_group, begun);
    }
    const Units now = degrees_[i + 1].between(step.done, step.now);
    if (now.count == 0) continue;
    auto revealed = out.middleCols(now.begin, now.count);
    if (!step.is_group()) layer.weights.add_columns(f.theta, in, known, now.begin, activation, revealed);
    // A key of its own, as each step silences its units by itself.
    if (!is_last) silence<S>(units_, f, layer.bias.offset + now.begin, revealed);
  }
}

template <class S> void Mlp<S>::conceal(const Frame<S>& f, Index first, In<S> dy, Out<S> dx) const {
  const auto d_hidden = [&](std::size_t i) { return f.scratch[d_[i]].leftCols(layers_[i].weights.outputs()); };
  const bool is_begin = first + dy.cols() == layers_.back().weights.outputs();
  const MaskedStep step = masked_step(degrees_.back(), first);
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    const bool is_last = i + 1 == layers_.size();
    if (is_begin && i > 0) d_hidden(i - 1).setZero();
    const auto [begin, count] = degrees_[i + 1].between(step.done, step.now);
    if (count == 0) continue;
    const In<S> dout = is_last ? dy : In<S>(d_hidden(i).middleCols(begin, count));
    if (!is_last) {
      activate_backward<S>(units_, f, f.scratch[layer.h].middleCols(begin, count), d_hidden(i).middleCols(begin, count));
    }
    layer.weights.add_columns_backward(f.theta, dout, begin, i == 0 ? dx : Out<S>(d_hidden(i - 1)));
  }
}

template <class S> void Mlp<S>::collect(const Frame<S>& f, In<S> x, In<S> dy, const Gradient<S>& grad) const {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const bool is_last = i + 1 == layers_.size();
    const In<S> dout = is_last ? dy : In<S>(f.scratch[d_[i]].leftCols(layer.weights.outputs()));
    backward_bias<S>(dout, layer.bias, grad);
    layer.weights.backward_weights(i == 0 ? x : In<S>(f.scratch[layers_[i - 1].h]), dout, grad);
    if (i == 0 && from_context_) {
      from_context_->backward_weights(f.context, dout, grad);
      from_context_->add_backward(f.theta, dout, grad.context);
    }
  }
}

template class Mlp<float>;
template class Mlp<double>;

}  // namespace biject
