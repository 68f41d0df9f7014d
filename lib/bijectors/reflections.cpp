#include "bijectors/reflections.hpp"

#include <cmath>
#include <numbers>

#include "core/for_each_lane.hpp"

namespace biject {

namespace {

/// Σ over d of y_d·v_d, of one group of samples.
template <class S> Lanes<S> dot(const S* y, Index stride, int count, const S* v, Index size) {
  Lanes<S> even{}, odd{};  // two sums: one would wait for itself
  Index d = 0;
  for (; d + 2 <= size; d += 2) {
    const auto y0 = Lanes<S>::load(y + d * stride, count), y1 = Lanes<S>::load(y + (d + 1) * stride, count);
    for_each_lane([&](int i) {
      even[i] += y0[i] * v[d];
      odd[i] += y1[i] * v[d + 1];
    });
  }
  if (d < size) {
    const auto y0 = Lanes<S>::load(y + d * stride, count);
    for_each_lane([&](int i) { even[i] += y0[i] * v[d]; });
  }
  for_each_lane([&](int i) { even[i] += odd[i]; });
  return even;
}

/// y ← y·(1 − v·vᵀ), of one group of samples.
template <class S> void reflect(S* y, Index stride, int count, const S* v, Index size) {
  const Lanes<S> along = dot(y, stride, count, v, size);
  for (Index d = 0; d < size; ++d) {
    auto moved = Lanes<S>::load(y + d * stride, count);
    for_each_lane([&](int i) { moved[i] -= along[i] * v[d]; });
    moved.store(y + d * stride, count);
  }
}

}  // namespace

template <class S>
Reflections<S>::Reflections(Plan& plan, Index size, Index count)
    : v_(plan.parameter("v", size, count)),
      unit_(plan.scratch().fixed(size, count)),
      length_(plan.scratch().fixed(count, 1)),
      dunit_(plan.scratch().fixed(kLanes, size)) {}

template <class S> void Reflections<S>::init(Arena<S>& theta, const Rng& rng) const {
  auto v = theta[v_];
  for (Index j = 0; j < v.cols(); ++j) {
    for (Index d = 0; d < v.rows(); ++d) {
      v(d, j) = static_cast<S>(rng.normal(static_cast<std::uint64_t>(v_.offset + j * v_.rows + d), 0));
    }
  }
}

template <class S> void Reflections<S>::init_identity(Arena<S>& theta, const Rng& rng) const {
  BIJECT_EXPECT(v_.cols % 2 == 0);
  init(theta, rng);
  auto v = theta[v_];
  for (Index j = 1; j < v.cols(); j += 2) v.col(j) = v.col(j - 1);
}

template <class S> void Reflections<S>::unpack(const Frame<S>& f) const {
  const auto v = f.theta[v_];
  auto unit = f.scratch[unit_];
  auto length = f.scratch[length_];
  for (Index j = 0; j < v.cols(); ++j) {
    // In two steps, so that the square of a very short or very long v is a number like any other.
    const S largest = v.col(j).cwiseAbs().maxCoeff();
    const S scale = largest > 0 ? largest : S(1);
    unit.col(j) = v.col(j) / scale;
    const S norm = unit.col(j).norm();
    length(j) = norm > 0 ? scale * norm : S(1);
    unit.col(j) *= norm > 0 ? std::numbers::sqrt2_v<S> / norm : S(0);
  }
}

template <class S> void Reflections<S>::apply(const Frame<S>& f, Out<S> y) const {
  unpack(f);
  const auto unit = f.scratch[unit_];
  for_each_lane_group(y.rows(), [&](Index first, int count) {
    for (Index j = 0; j < unit.cols(); ++j) reflect<S>(y.data() + first, y.outerStride(), count, unit.col(j).data(), unit.rows());
  });
}

template <class S> void Reflections<S>::apply_transposed(const Frame<S>& f, Out<S> y) const {
  unpack(f);
  const auto unit = f.scratch[unit_];
  for_each_lane_group(y.rows(), [&](Index first, int count) {
    for (Index j = unit.cols(); j-- > 0;) reflect<S>(y.data() + first, y.outerStride(), count, unit.col(j).data(), unit.rows());
  });
}

template <class S>
void Reflections<S>::backward(const Frame<S>& f, Out<S> y, Out<S> dy, const Gradient<S>& grad) const {
  unpack(f);
  const auto unit = f.scratch[unit_];
  const auto length = f.scratch[length_];
  auto dunit = f.scratch[dunit_];
  const Index size = unit.rows();
  for (Index j = unit.cols(); j-- > 0;) {
    const S* v = unit.col(j).data();
    dunit.setZero();
    for_each_lane_group(y.rows(), [&](Index first, int count) {
      const Lanes<S> after = dot<S>(y.data() + first, y.outerStride(), count, v, size);  // −e: a reflection turns v̂ around
      const Lanes<S> da = dot<S>(dy.data() + first, dy.outerStride(), count, v, size);
      for (Index d = 0; d < size; ++d) {
        S *const y_d = y.col(d).data() + first, *const dy_d = dy.col(d).data() + first, *const sum_d = dunit.col(d).data();
        auto at = Lanes<S>::load(y_d, count), a = Lanes<S>::load(dy_d, count), sum = Lanes<S>::load(sum_d, kLanes);
        for_each_lane([&](int i) {
          at[i] -= after[i] * v[d];
          sum[i] += after[i] * a[i] - da[i] * at[i];
          a[i] -= da[i] * v[d];
        });
        at.store(y_d, count);
        a.store(dy_d, count);
        sum.store(sum_d, kLanes);
      }
    });
    // dunit has D columns of lanes; v̂·∂L/∂v̂ = (√2/|v|)·(v·∂L/∂v̂) and v̂/√2 = v/|v|.
    const S scale = std::numbers::sqrt2_v<S> / length(j);
    S along = 0;
    for (Index d = 0; d < size; ++d) along += dunit.col(d).sum() * v[d] / 2;
    for (Index d = 0; d < size; ++d) grad.theta[v_](d, j) += scale * (dunit.col(d).sum() - along * v[d]);
  }
}

template class Reflections<float>;
template class Reflections<double>;

}  // namespace biject
