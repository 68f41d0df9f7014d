#include "bijectors/chain.hpp"

#include <algorithm>

namespace biject {

template <class S> Chain<S>::Chain(Plan& plan, Index features, Index context)
    : plan_(plan), features_(features), context_(context) {
  for (ScratchSlot& slot : d_) slot = plan.scratch().temporary(features);
}

template <class S> void Chain<S>::append(BijectorPtr<S> layer) {
  if (!layers_.empty()) between_.push_back(plan_.scratch().keep_between(features_));
  layers_.push_back(std::move(layer));
}

template <class S>
void Chain<S>::init(Arena<S>& theta, Workspace<S>& scratch, const Rng& rng, In<S> x, In<S> context) const {
  Matrix<S> here = x, next(x.rows(), x.cols());
  Vector<S> logdet = Vector<S>::Zero(scratch.capacity());
  for (const BijectorPtr<S>& layer : layers_) {
    layer->init(theta, scratch, rng, here, context);
    if (layer == layers_.back()) break;
    for (Index first = 0; first < x.rows(); first += scratch.capacity()) {
      const Index rows = std::min(scratch.capacity(), x.rows() - first);
      scratch.set_rows(rows);
      const Frame<S> f{theta, context.middleRows(first, rows), scratch};
      layer->forward(f, here.middleRows(first, rows), next.middleRows(first, rows), logdet.head(rows));
    }
    here.swap(next);
  }
}

template <class S> void Chain<S>::forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const {
  if (layers_.empty()) z = x;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const In<S> from = i == 0 ? x : In<S>(f.scratch[between_[i - 1]]);
    layers_[i]->forward(f, from, i + 1 == layers_.size() ? z : Out<S>(f.scratch[between_[i]]), logdet);
  }
}

template <class S> void Chain<S>::inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const {
  if (layers_.empty()) x = z;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const In<S> from = i + 1 == layers_.size() ? z : In<S>(f.scratch[between_[i]]);
    layers_[i]->inverse(f, from, i == 0 ? x : Out<S>(f.scratch[between_[i - 1]]), logdet);
  }
}

template <class S>
void Chain<S>::backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                        const Gradient<S>& grad) const {
  if (layers_.empty()) dx = dz;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const In<S> input = i == 0 ? x : In<S>(f.scratch[between_[i - 1]]);
    const In<S> dout = i + 1 == layers_.size() ? dz : In<S>(f.scratch[d_[(i + 1) % 2]]);
    layers_[i]->backward(f, input, dout, dlogdet, i == 0 ? dx : Out<S>(f.scratch[d_[i % 2]]), grad);
  }
}

template <class S> bool Chain<S>::sums_by_block() const {
  return std::ranges::all_of(layers_, [](const BijectorPtr<S>& layer) { return layer->sums_by_block(); });
}

template <class S>
void Chain<S>::match(const Frame<S>& f, In<S> x, VectorIn<S> weight, VectorOut<S> value, const Gradient<S>& grad) const {
  const std::size_t last = layers_.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    layers_[i]->forward(f, i == 0 ? x : In<S>(f.scratch[between_[i - 1]]), f.scratch[between_[i]], value);
  }
  layers_[last]->match(f, last == 0 ? x : In<S>(f.scratch[between_[last - 1]]), weight, value, grad);
}

template class Chain<float>;
template class Chain<double>;

}  // namespace biject
