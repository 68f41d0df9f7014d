#include "train/adam.hpp"

#include <algorithm>
#include <cmath>

namespace biject {

namespace {

constexpr Index kSliceNumbers = 8192;  // θ, gradient, m, v and average of a slice stay in the second-level cache

}  // namespace

template <class S> Adam<S>::Adam(const Layout& layout, AdamOptions options) : options_(options), m_(layout), v_(layout) {
  for (const Tensor& tensor : layout.tensors()) {
    const bool decays = tensor.rows > 1 && tensor.cols > 1;
    for (const Panel& panel : tensor.panels) {
      const Index end = panel.slot.offset + panel.slot.rows * panel.slot.cols;
      for (Index begin = panel.slot.offset; begin < end; begin += kSliceNumbers) {
        slices_.push_back({begin, std::min(begin + kSliceNumbers, end), decays});
      }
    }
  }
}

template <class S> void Adam<S>::begin_step() {
  power1_ *= options_.beta1;
  power2_ *= options_.beta2;
}

template <class S>
void Adam<S>::update_slice(int slice, Arena<S>& theta, const Arena<S>& grad, double scale, double rate) {
  const auto [begin, end, decays] = slices_[static_cast<std::size_t>(slice)];
  const S beta1 = static_cast<S>(options_.beta1), beta2 = static_cast<S>(options_.beta2);
  const S rest1 = static_cast<S>(1 - options_.beta1), rest2 = static_cast<S>(1 - options_.beta2);
  const S factor = static_cast<S>(scale), epsilon = static_cast<S>(options_.epsilon);
  const S correction1 = static_cast<S>(rate / (1 - power1_)), correction2 = static_cast<S>(1 / (1 - power2_));
  const S keep = static_cast<S>(decays ? 1 - rate * options_.weight_decay : 1);
  S *p = theta.flat().data(), *m = m_.flat().data(), *v = v_.flat().data();
  const S* g = grad.flat().data();
  for (Index i = begin; i < end; ++i) {
    const S gradient = factor * g[i];
    m[i] = beta1 * m[i] + rest1 * gradient;
    v[i] = beta2 * v[i] + rest2 * gradient * gradient;
    p[i] = keep * p[i] - correction1 * m[i] / (std::sqrt(correction2 * v[i]) + epsilon);
  }
}

template <class S> void Adam<S>::step(Arena<S>& theta, const Arena<S>& grad, double rate) {
  begin_step();
  for (int slice = 0; slice < slices(); ++slice) update_slice(slice, theta, grad, 1, rate);
}

template <class S> void Adam<S>::reset() {
  m_.set_zero();
  v_.set_zero();
  power1_ = power2_ = 1;
}

template class Adam<float>;
template class Adam<double>;

}  // namespace biject
