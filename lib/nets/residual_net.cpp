#include "nets/residual_net.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "nets/masks.hpp"

namespace biject {

namespace {

template <class S> auto row_vector(const Arena<S>& theta, Slot bias) { return theta[bias].col(0).transpose(); }

}  // namespace

template <class S>
typename ResidualNet<S>::Affine ResidualNet<S>::make(Plan& plan, const std::string& number, Index inputs,
                                                     std::vector<Index> prefix) {
  const auto outputs = static_cast<Index>(prefix.size());
  Linear<S> weights(plan, "w" + number, inputs, std::move(prefix));
  return {std::move(weights), plan.parameter("b" + number, outputs)};
}

template <class S>
ResidualNet<S>::ResidualNet(Plan& plan, const NetShape& shape, const NetStyle& style)
    : visible_(shape.visible), units_(style.units) {
  BIJECT_EXPECT(style.hidden.size() == 1 && style.blocks > 0);
  const Index width = style.hidden.front();
  degrees_ = hidden_degrees(width, visible_, shape.context > 0);
  const std::vector<Index> hidden_to_hidden = prefixes(degrees_, degrees_);
  Index number = 0;
  const auto next = [&] { return std::to_string(number++); };
  ends_.push_back(make(plan, next(), shape.inputs, prefixes(degrees_, input_degrees(shape.inputs))));
  for (Index i = 0; i < style.blocks; ++i) {
    Affine inner = make(plan, next(), width, hidden_to_hidden);
    Affine outer = make(plan, next(), width, hidden_to_hidden);
    ScratchLayout& scratch = plan.scratch();
    blocks_.push_back({std::move(inner), std::move(outer), scratch.keep(width), scratch.keep(width), scratch.temporary(width),
                       scratch.temporary(width)});
  }
  ends_.push_back(make(plan, next(), width, prefixes(visible_, degrees_)));
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
  ends_[0].weights.forward(f.theta, x, h);
  if (from_context_) from_context_->add_forward(f.theta, f.context, h);
  h.rowwise() += row_vector(f.theta, ends_[0].bias);
  for (const Block& block : blocks_) {
    auto a = f.scratch[block.a], u = f.scratch[block.u];
    activate<S>(units_, h, a);
    block.inner.weights.forward(f.theta, a, u);
    activate<S>(units_, f, f.theta[block.inner.bias].col(0), block.inner.bias.offset, u);
    block.outer.weights.add_forward(f.theta, u, h);
    h.rowwise() += row_vector(f.theta, block.outer.bias);
  }
  ends_[1].weights.forward(f.theta, h, y);
  y.rowwise() += row_vector(f.theta, ends_[1].bias);
}

template <class S>
void ResidualNet<S>::backward(const Frame<S>& f, In<S> x, In<S> dy, Out<S> dx, const Gradient<S>& grad) const {
  auto dh = f.scratch[dh_], du = f.scratch[du_];
  backward_bias<S>(dy, grad.theta[ends_[1].bias].col(0));
  ends_[1].weights.backward_weights(f.scratch[h_], dy, grad.theta);
  dh.setZero();
  ends_[1].weights.add_backward(f.theta, dy, dh);
  for (std::size_t i = blocks_.size(); i-- > 0;) {
    const Block& block = blocks_[i];
    const auto a = f.scratch[block.a], u = f.scratch[block.u];
    backward_bias<S>(dh, grad.theta[block.outer.bias].col(0));
    block.outer.weights.backward_weights(u, dh, grad.theta);
    du.setZero();
    block.outer.weights.add_backward(f.theta, dh, du);
    activate_backward<S>(units_, f, u, du);
    backward_bias<S>(du, grad.theta[block.inner.bias].col(0));
    block.inner.weights.backward_weights(a, du, grad.theta);
    // u is used up: its memory takes ∂L/∂a, which meets dh only after the activation's derivative.
    auto da = f.scratch[block.u];
    da.setZero();
    block.inner.weights.add_backward(f.theta, du, da);
    activate_backward<S>(units_, a, da);
    dh += da;
  }
  backward_bias<S>(dh, grad.theta[ends_[0].bias].col(0));
  ends_[0].weights.backward_weights(x, dh, grad.theta);
  dx.setZero();
  ends_[0].weights.add_backward(f.theta, dh, dx);
  if (from_context_) {
    from_context_->backward_weights(f.context, dh, grad.theta);
    from_context_->add_backward(f.theta, dh, grad.context);
  }
}

template <class S> typename ResidualNet<S>::Range ResidualNet<S>::completed(Index first) const {
  const Index now = visible_[static_cast<std::size_t>(first)];
  const Index before = first == 0 ? -1 : visible_[static_cast<std::size_t>(first - 1)];
  const auto unit = [&](Index degree) { return std::ranges::upper_bound(degrees_, degree) - degrees_.begin(); };
  return {unit(before), unit(now) - unit(before)};
}

template <class S> void ResidualNet<S>::reveal(const Frame<S>& f, In<S> x, Index first, Out<S> y) const {
  const Range now = completed(first);
  if (now.count > 0) {
    const auto bias = [&](Slot slot) { return f.theta[slot].col(0).segment(now.begin, now.count); };
    auto h = f.scratch[h_].middleCols(now.begin, now.count);
    h.setZero();
    ends_[0].weights.add_columns(f.theta, x, now.begin, h);
    if (from_context_) from_context_->add_columns(f.theta, f.context, now.begin, h);
    h.rowwise() += bias(ends_[0].bias).transpose();
    for (const Block& block : blocks_) {
      const auto a = f.scratch[block.a], u = f.scratch[block.u];
      auto a_now = f.scratch[block.a].middleCols(now.begin, now.count);
      auto u_now = f.scratch[block.u].middleCols(now.begin, now.count);
      activate<S>(units_, h, a_now);
      u_now.setZero();
      block.inner.weights.add_columns(f.theta, a, now.begin, u_now);
      activate<S>(units_, f, bias(block.inner.bias), block.inner.bias.offset + now.begin, u_now);  // a key of its own
      block.outer.weights.add_columns(f.theta, u, now.begin, h);
      h.rowwise() += bias(block.outer.bias).transpose();
    }
  }
  y.setZero();
  ends_[1].weights.add_columns(f.theta, f.scratch[h_], first, y);
  y.rowwise() += f.theta[ends_[1].bias].col(0).segment(first, y.cols()).transpose();
}

template <class S> void ResidualNet<S>::conceal(const Frame<S>& f, Index first, In<S> dy, Out<S> dx) const {
  if (first + dy.cols() == std::ssize(visible_)) {
    f.scratch[dh_].setZero();
    for (const Block& block : blocks_) {
      f.scratch[block.dh].setZero();
      f.scratch[block.du].setZero();
    }
  }
  ends_[1].weights.add_columns_backward(f.theta, dy, first, f.scratch[dh_]);
  const Range now = completed(first);
  if (now.count == 0) return;
  const auto done = [&](const ScratchSlot& slot) { return f.scratch[slot].middleCols(now.begin, now.count); };
  ScratchSlot after = dh_;
  for (std::size_t i = blocks_.size(); i-- > 0;) {
    const Block& block = blocks_[i];
    block.outer.weights.add_columns_backward(f.theta, done(after), now.begin, f.scratch[block.du]);
    activate_backward<S>(units_, f, done(block.u), done(block.du));
    // Until its units are complete, block.dh holds ∂L/∂a; the skip joins behind the activation's derivative.
    block.inner.weights.add_columns_backward(f.theta, done(block.du), now.begin, f.scratch[block.dh]);
    activate_backward<S>(units_, done(block.a), done(block.dh));
    done(block.dh) += done(after);
    after = block.dh;
  }
  ends_[0].weights.add_columns_backward(f.theta, done(after), now.begin, dx);
}

template <class S>
void ResidualNet<S>::collect(const Frame<S>& f, In<S> x, In<S> dy, const Gradient<S>& grad) const {
  const auto add = [&](const Affine& affine, In<S> in, In<S> dout) {
    backward_bias<S>(dout, grad.theta[affine.bias].col(0));
    affine.weights.backward_weights(in, dout, grad.theta);
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
    from_context_->backward_weights(f.context, f.scratch[after], grad.theta);
    from_context_->add_backward(f.theta, f.scratch[after], grad.context);
  }
}

template class ResidualNet<float>;
template class ResidualNet<double>;

}  // namespace biject
