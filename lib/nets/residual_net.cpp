#include "nets/residual_net.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "nets/masks.hpp"

namespace biject {

template <class S>
typename ResidualNet<S>::Affine ResidualNet<S>::make(Plan& plan, const std::string& number, Index inputs,
                                                     std::vector<Index> prefix) {
  const auto outputs = static_cast<Index>(prefix.size());
  Linear<S> weights(plan, "w" + number, inputs, std::move(prefix));
  return {std::move(weights), plan.parameter("b" + number, outputs)};
}

template <class S>
ResidualNet<S>::ResidualNet(Plan& plan, const NetShape& shape, const NetStyle& style)
    : outputs_(shape.visible),
      hidden_(hidden_degrees(style.hidden.front(), shape.visible, shape.context > 0)),
      units_(style.units) {
  BIJECT_EXPECT(style.hidden.size() == 1 && style.blocks > 0);
  const Index width = style.hidden.front();
  const std::vector<Index> hidden_to_hidden = hidden_.prefixes(hidden_);
  Index number = 0;
  const auto next = [&] { return std::to_string(number++); };
  ends_.push_back(make(plan, next(), shape.inputs, hidden_.prefixes(input_degrees(shape.inputs))));
  for (Index i = 0; i < style.blocks; ++i) {
    Affine inner = make(plan, next(), width, hidden_to_hidden);
    Affine outer = make(plan, next(), width, hidden_to_hidden);
    ScratchLayout& scratch = plan.scratch();
    const ScratchSlot dh = scratch.temporary(width);
    blocks_.push_back({std::move(inner), std::move(outer), scratch.keep(width), scratch.keep(width), dh, scratch.temporary(width), dh});
  }
  ends_.push_back(make(plan, next(), width, outputs_.prefixes(hidden_)));
  if (shape.context > 0) {
    from_context_.emplace(plan, "v", shape.context, std::vector<Index>(static_cast<std::size_t>(width), shape.context));
  }
  h_ = plan.scratch().keep(width);
  dh_ = plan.scratch().temporary(width);
  du_ = plan.scratch().temporary(width);
}

template <class S> void ResidualNet<S>::init(Arena<S>& theta, const Rng& rng, VectorIn<S> bias) const {
  const auto start = [&](const Affine& affine, double gain) {
    affine.weights.init(theta, rng, gain);
    theta[affine.bias].setZero();
  };
  start(ends_[0], 1);
  for (const Block& block : blocks_) {
    start(block.inner, 1);
    start(block.outer, 1e-2);  // blocks start near the identity, not on it, so that both products learn
  }
  start(ends_[1], 0);
  theta[ends_[1].bias] = bias;
  if (from_context_) from_context_->init(theta, rng, 1);
}

template <class S> void ResidualNet<S>::forward(const Frame<S>& f, In<S> x, Out<S> y) const {
  auto h = f.scratch[h_];
  ends_[0].weights.forward(f.theta, x, ends_[0].bias, Activation::none, h);
  if (from_context_) from_context_->add_columns(f.theta, f.context, 0, 0, Activation::none, h);
  for (const Block& block : blocks_) {
    auto a = f.scratch[block.a], u = f.scratch[block.u];
    activate<S>(units_.activation, h, a);
    block.inner.weights.forward(f.theta, a, block.inner.bias, units_.activation, u);
    silence<S>(units_, f, block.inner.bias.offset, u);
    block.outer.weights.add_forward(f.theta, u, block.outer.bias, h);
  }
  ends_[1].weights.forward(f.theta, h, ends_[1].bias, Activation::none, y);
}

template <class S>
void ResidualNet<S>::backward(const Frame<S>& f, In<S> x, In<S> dy, Out<S> dx, const Gradient<S>& grad) const {
  auto dh = f.scratch[dh_], du = f.scratch[du_];
  backward_bias<S>(dy, ends_[1].bias, grad);
  ends_[1].weights.backward_weights(f.scratch[h_], dy, grad);
  ends_[1].weights.backward(f.theta, dy, dh);
  for (std::size_t i = blocks_.size(); i-- > 0;) {
    const Block& block = blocks_[i];
    const auto a = f.scratch[block.a], u = f.scratch[block.u];
    backward_bias<S>(dh, block.outer.bias, grad);
    block.outer.weights.backward_weights(u, dh, grad);
    block.outer.weights.backward(f.theta, dh, du);
    activate_backward<S>(units_, f, u, du);
    backward_bias<S>(du, block.inner.bias, grad);
    block.inner.weights.backward_weights(a, du, grad);
    // u is used up: its memory takes ∂L/∂a, which meets dh only after the activation's derivative.
    auto da = f.scratch[block.u];
    block.inner.weights.backward(f.theta, du, da);
    activate_backward<S>(units_.activation, a, da);
    dh += da;
  }
  backward_bias<S>(dh, ends_[0].bias, grad);
  ends_[0].weights.backward_weights(x, dh, grad);
  ends_[0].weights.backward(f.theta, dh, dx);
  if (from_context_) {
    from_context_->backward_weights(f.context, dh, grad);
    from_context_->add_backward(f.theta, dh, grad.context);
  }
}

template <class S> void ResidualNet<S>::reveal(const Frame<S>& f, In<S> x, Index first, Out<S> y) const {
  const MaskedStep step = masked_step(outputs_, first);
  const auto columns = [](auto view, const Units& units) { return view.middleCols(units.begin, units.count); };
  const Index known_inputs = std::clamp<Index>(step.known, 0, ends_[0].weights.inputs());
  const Index known = hidden_.up_to(step.known);
  const Units group = hidden_.between(step.before, step.group), now = hidden_.between(step.done, step.now);
  const Units outputs = outputs_.between(step.before, step.group), outputs_now = outputs_.between(step.done, step.now);
  auto h = f.scratch[h_];
  const auto begin = [&](const Affine& affine, In<S> in, const Units& units, Activation activation, Out<S> out) {
    if (!step.begins_group() || units.count == 0) return;
    affine.weights.forward_columns(f.theta, in, affine.bias, units.begin, activation, out.middleCols(units.begin, units.count));
  };
  const auto add = [&](const Affine& affine, In<S> in, Index above, const Units& units, Activation activation, Out<S> out) {
    if (step.is_group()) return;
    affine.weights.add_columns(f.theta, in, above, units.begin, activation, out);
  };
  begin(ends_[0], x.leftCols(known_inputs), group, Activation::none, h);
  if (from_context_ && step.begins_group()) from_context_->add_columns(f.theta, f.context, 0, group.begin, Activation::none, columns(h, group));
  auto h_now = columns(h, now);
  add(ends_[0], x, known_inputs, now, Activation::none, h_now);
  for (const Block& block : blocks_) {
    auto a = f.scratch[block.a], u = f.scratch[block.u];
    auto u_now = columns(f.scratch[block.u], now);
    activate<S>(units_.activation, h_now, columns(f.scratch[block.a], now));
    begin(block.inner, a.leftCols(known), group, step.is_group() ? units_.activation : Activation::none, u);
    add(block.inner, a, known, now, units_.activation, u_now);
    silence<S>(units_, f, block.inner.bias.offset + now.begin, u_now);  // a key of its own
    begin(block.outer, u.leftCols(known), group, Activation::none, f.scratch[block.begun]);
    add(block.outer, u, known, now, Activation::none, h_now);
    h_now += columns(f.scratch[block.begun], now);
  }
  begin(ends_[1], h.leftCols(known), outputs, Activation::none, y);
  add(ends_[1], h, known, outputs_now, Activation::none, columns(y, outputs_now));
}

template <class S> void ResidualNet<S>::conceal(const Frame<S>& f, Index first, In<S> dy, Out<S> dx) const {
  if (first + dy.cols() == outputs_.size()) {
    f.scratch[dh_].setZero();
    for (const Block& block : blocks_) {
      f.scratch[block.dh].setZero();
      f.scratch[block.du].setZero();
    }
  }
  ends_[1].weights.add_columns_backward(f.theta, dy, first, f.scratch[dh_]);
  const MaskedStep step = masked_step(outputs_, first);
  const Units now = hidden_.between(step.done, step.now);
  if (now.count == 0) return;
  const auto done = [&](const ScratchSlot& slot) { return f.scratch[slot].middleCols(now.begin, now.count); };
  ScratchSlot after = dh_;
  for (std::size_t i = blocks_.size(); i-- > 0;) {
    const Block& block = blocks_[i];
    block.outer.weights.add_columns_backward(f.theta, done(after), now.begin, f.scratch[block.du]);
    activate_backward<S>(units_, f, done(block.u), done(block.du));
    // Until its units are complete, block.dh holds ∂L/∂a; the skip joins behind the activation's derivative.
    block.inner.weights.add_columns_backward(f.theta, done(block.du), now.begin, f.scratch[block.dh]);
    activate_backward<S>(units_.activation, done(block.a), done(block.dh));
    done(block.dh) += done(after);
    after = block.dh;
  }
  ends_[0].weights.add_columns_backward(f.theta, done(after), now.begin, dx);
}

template <class S>
void ResidualNet<S>::collect(const Frame<S>& f, In<S> x, In<S> dy, const Gradient<S>& grad) const {
  const auto add = [&](const Affine& affine, In<S> in, In<S> dout) {
    backward_bias<S>(dout, affine.bias, grad);
    affine.weights.backward_weights(in, dout, grad);
  };
  add(ends_[1], f.scratch[h_], dy);
  ScratchSlot after = dh_;
  for (std::size_t i = blocks_.size(); i-- > 0;) {
    const Block& block = blocks_[i];
    add(block.outer, f.scratch[block.u], f.scratch[after]);
    add(block.inner, f.scratch[block.a], f.scratch[block.du]);
    after = block.dh;
  }
  add(ends_[0], x, f.scratch[after]);
  if (from_context_) {
    from_context_->backward_weights(f.context, f.scratch[after], grad);
    from_context_->add_backward(f.theta, f.scratch[after], grad.context);
  }
}

template class ResidualNet<float>;
template class ResidualNet<double>;

}  // namespace biject
