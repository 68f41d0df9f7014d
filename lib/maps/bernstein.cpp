#include "maps/bernstein.hpp"

#include "core/error.hpp"
#include "core/for_each_lane.hpp"
#include "maps/linear_tails.hpp"
#include "maps/softmax_side.hpp"

namespace biject {

namespace {

template <class S> void set_binomials(int degree, typename Bernstein<S>::Binomials& binomials) {
  double binomial = 1;
  for (int k = 0; k <= degree; ++k) {
    binomials[static_cast<std::size_t>(k)] = static_cast<S>(binomial);
    binomial = binomial * (degree - k) / (k + 1);
  }
}

template <class S> class Polynomial {
 public:
  using Binomials = typename Bernstein<S>::Binomials;

  Polynomial(Index bins, S bound, const Binomials& of_slope, const Binomials& of_curvature, const In<S>& phi, Index first, int count)
      : degree_(static_cast<int>(bins)), count_(count), bound_(bound), width_(2 * bound / static_cast<S>(bins)),
        of_slope_(of_slope), of_curvature_(of_curvature) {
    inner_.load(degree_ - 2, [&](int k) { return Lanes<S>::load(phi.col(k).data() + first, count); });
    for_each_lane([&](int i) { delta_[0][i] = delta_[degree_ - 1][i] = width_; });
    for (int j = 1; j + 1 < degree_; ++j) {
      for_each_lane([&](int i) { delta_[j][i] = width_ * (kSplineFloor<S> + share() * inner_.e[j - 1][i] * inner_.inverse_sum[i]); });
    }
  }

  void evaluate(const Lanes<S>& at, Lanes<S>& value, Lanes<S>& slope) const {
    Lanes<S> b[kMost], u, c, sum;
    basis(at, degree_ - 1, of_slope_, b, u);
    for_each_lane([&](int i) {
      c[i] = -bound_;
      value[i] = sum[i] = 0;
    });
    for (int j = 0; j < degree_; ++j) {
      for_each_lane([&](int i) {
        value[i] += b[j][i] * (c[i] + u[i] * delta_[j][i]);  // two neighbours of degree M make one of degree M − 1
        sum[i] += b[j][i] * delta_[j][i];
        c[i] += delta_[j][i];
      });
    }
    for_each_lane([&](int i) { slope[i] = sum[i] / width_; });
  }

  void slopes(const Lanes<S>& at, Lanes<S>& slope, Lanes<S>& curvature) const {
    Lanes<S> b[kMost], u, sum, rise;
    for_each_lane([&](int i) { sum[i] = rise[i] = 0; });
    basis(at, degree_ - 1, of_slope_, b, u);
    for (int j = 0; j < degree_; ++j) {
      for_each_lane([&](int i) { sum[i] += b[j][i] * delta_[j][i]; });
    }
    basis(at, degree_ - 2, of_curvature_, b, u);
    for (int j = 0; j + 1 < degree_; ++j) {
      for_each_lane([&](int i) { rise[i] += b[j][i] * (delta_[j + 1][i] - delta_[j][i]); });
    }
    const S factor = static_cast<S>(degree_ - 1) / (2 * bound_ * width_);
    for_each_lane([&](int i) {
      slope[i] = sum[i] / width_;
      curvature[i] = rise[i] * factor;
    });
  }

  void backward(const Lanes<S>& at, const Lanes<S>& dvalue, const Lanes<S>& dslope, S* dphi, Index stride) const {
    Lanes<S> b[kMost], u, above, mean, draw;
    basis(at, degree_ - 1, of_slope_, b, u);
    for_each_lane([&](int i) {
      above[i] = b[degree_ - 1][i];
      mean[i] = 0;
    });
    for (int j = degree_ - 2; j > 0; --j) {  // b becomes ∂L/∂(δ/w)
      for_each_lane([&](int i) {
        const S here = b[j][i];
        b[j][i] = dvalue[i] * (above[i] + u[i] * here) * width_ + dslope[i] * here;
        mean[i] += b[j][i] * inner_.e[j - 1][i] * inner_.inverse_sum[i];
        above[i] += here;
      });
    }
    for (int j = 1; j + 1 < degree_; ++j) {
      for_each_lane([&](int i) { draw[i] = share() * inner_.e[j - 1][i] * inner_.inverse_sum[i] * (b[j][i] - mean[i]); });
      draw.store(dphi + (j - 1) * stride, count_);
    }
  }

 private:
  static constexpr int kMost = static_cast<int>(Bernstein<S>::kMostBins);

  S share() const { return (1 - kSplineFloor<S>) * static_cast<S>(degree_ - 2); }

  /// b[k] = C(degree, k) uᵏ (1 − u)^(degree − k), and u.
  void basis(const Lanes<S>& at, int degree, const Binomials& binomials, Lanes<S>* b, Lanes<S>& u) const {
    Lanes<S> rest, power;
    for_each_lane([&](int i) {
      u[i] = (bound_ + at[i]) / (2 * bound_);
      rest[i] = (bound_ - at[i]) / (2 * bound_);
      power[i] = 1;
    });
    for (int k = degree; k >= 0; --k) {
      for_each_lane([&](int i) {
        b[k][i] = power[i] * binomials[static_cast<std::size_t>(k)];
        power[i] *= rest[i];
      });
    }
    for_each_lane([&](int i) { power[i] = u[i]; });
    for (int k = 1; k <= degree; ++k) {
      for_each_lane([&](int i) {
        b[k][i] *= power[i];
        power[i] *= u[i];
      });
    }
  }

  int degree_, count_;
  S bound_, width_;
  const Binomials &of_slope_, &of_curvature_;
  SoftmaxSide<S, 0> inner_;  // of the increments but the first and the last
  Lanes<S> delta_[kMost];
};

}  // namespace

template <class S> Bernstein<S>::Bernstein(Index bins, double bound) : bins_(bins), bound_(static_cast<S>(bound)) {
  BIJECT_EXPECT(bins >= kFewestBins && bins <= kMostBins && bound > 0);
  set_binomials<S>(static_cast<int>(bins) - 1, of_slope_);
  set_binomials<S>(static_cast<int>(bins) - 2, of_curvature_);
}

template <class S>
void Bernstein<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  forward_with_tails(bound_, x, z, logdet, [&](Index first, int count) {
    return Polynomial<S>(bins_, bound_, of_slope_, of_curvature_, phi, first, count);
  });
}

template <class S>
void Bernstein<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  inverse_with_tails(bound_, z, x, logdet, [&](Index first, int count) {
    return Polynomial<S>(bins_, bound_, of_slope_, of_curvature_, phi, first, count);
  });
}

template <class S>
void Bernstein<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                            Out<S> dphi) const {
  backward_with_tails(bound_, x, dz, dlogdet, dx, dphi, [&](Index first, int count) {
    return Polynomial<S>(bins_, bound_, of_slope_, of_curvature_, phi, first, count);
  });
}

template class Bernstein<float>;
template class Bernstein<double>;

}  // namespace biject
