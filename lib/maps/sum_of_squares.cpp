#include "maps/sum_of_squares.hpp"

#include <cmath>
#include <cstdlib>

#include "core/error.hpp"
#include "core/for_each_lane.hpp"
#include "maps/linear_tails.hpp"

namespace biject {

namespace {

template <class S> constexpr S kFloor = S(1e-3);
template <class S> constexpr S kStart = S(0.1);

template <class S> class Squares {
 public:
  Squares(Index bins, S bound, const In<S>& phi, Index first, int count)
      : degree_(static_cast<int>(bins)), count_(count), bound_(bound) {
    const S* raw = phi.data() + first;
    for (int k = 0; k < 2; ++k) {
      for (int l = 0; l <= degree_; ++l) a_[k][l] = Lanes<S>::load(raw + place(k, l) * phi.outerStride(), count);
    }
    const S one = std::sqrt(1 - kFloor<S>);
    for_each_lane([&](int i) { a_[0][0][i] += one; });
  }

  void slopes(const Lanes<S>& at, Lanes<S>& slope, Lanes<S>& curvature) const {
    Lanes<S> t[kTerms], p[2], u, second, before, rise[2];
    chebyshev(at, degree_, t);
    squared(t, p);
    for_each_lane([&](int i) {
      u[i] = at[i] / bound_;
      rise[0][i] = rise[1][i] = before[i] = 0;
      second[i] = 1;  // U₀, and U₋₁ before it
    });
    for (int l = 1; l <= degree_; ++l) {
      const S number = static_cast<S>(l);
      for_each_lane([&](int i) {
        rise[0][i] += a_[0][l][i] * (number * second[i]);
        rise[1][i] += a_[1][l][i] * (number * second[i]);
        const S next = 2 * u[i] * second[i] - before[i];
        before[i] = second[i];
        second[i] = next;
      });
    }
    for_each_lane([&](int i) {
      slope[i] = kFloor<S> + p[0][i] * p[0][i] + p[1][i] * p[1][i];
      curvature[i] = 2 * (p[0][i] * rise[0][i] + p[1][i] * rise[1][i]) / bound_;
    });
  }

  void backward(const Lanes<S>& at, const Lanes<S>& dvalue, const Lanes<S>& dslope, S* dphi, Index stride) const {
    Lanes<S> t[kTerms], j[kTerms], p[2], sum;
    chebyshev(at, 2 * degree_ + 1, t);
    squared(t, p);
    for (int m = 0; m <= 2 * degree_ + 1; ++m) j[m] = t[m];
    integrate(j);
    dvalue.store(dphi, count_);
    for (int k = 0; k < 2; ++k) {
      for (int l = 0; l <= degree_; ++l) {
        for_each_lane([&](int i) { sum[i] = 0; });
        for (int m = 0; m <= degree_; ++m) {
          const int high = l + m, low = std::abs(l - m);
          for_each_lane([&](int i) { sum[i] += a_[k][m][i] * (j[high][i] + j[low][i]); });
        }
        for_each_lane([&](int i) { sum[i] = dvalue[i] * bound_ * sum[i] + dslope[i] * 2 * p[k][i] * t[l][i]; });
        sum.store(dphi + place(k, l) * stride, count_);
      }
    }
  }

 protected:
  static constexpr int kMost = static_cast<int>(SumOfSquares<S>::kMostBins), kTerms = 2 * kMost + 2;

  Index place(int k, int l) const { return 1 + k * (degree_ + 1) + l; }

  /// t[m] = Tₘ(u), m up to `last`.
  void chebyshev(const Lanes<S>& at, int last, Lanes<S>* t) const {
    for_each_lane([&](int i) {
      t[0][i] = 1;
      t[1][i] = at[i] / bound_;
    });
    for (int m = 2; m <= last; ++m) {
      for_each_lane([&](int i) { t[m][i] = 2 * t[1][i] * t[m - 1][i] - t[m - 2][i]; });
    }
  }

  /// In place of Tₘ, m up to 2r + 1: Jₘ, m up to 2r.
  void integrate(Lanes<S>* t) const {
    Lanes<S> before = t[0], here = t[1];
    for (int m = 0; m <= 2 * degree_; ++m) {
      const S above = 1 / static_cast<S>(2 * (m + 1)), below = m > 1 ? 1 / static_cast<S>(2 * (m - 1)) : S(0);
      // At u = 0 the two terms are ± 1 over 2(m ± 1) if m is odd, and 0 if it is even.
      const S at_zero = m % 2 == 0 || m == 1 ? S(0) : (m % 4 == 3 ? above + below : -above - below);
      for_each_lane([&](int i) {
        const S after = t[m + 1][i];
        const S integral = m == 0 ? here[i] : (m == 1 ? here[i] * here[i] / 2 : above * after - below * before[i] - at_zero);
        if (m > 0) before[i] = here[i];
        if (m > 0) here[i] = after;
        t[m][i] = integral;
      });
    }
  }

  void squared(const Lanes<S>* t, Lanes<S>* p) const {
    for (int k = 0; k < 2; ++k) {
      for_each_lane([&](int i) { p[k][i] = 0; });
      for (int l = 0; l <= degree_; ++l) {
        for_each_lane([&](int i) { p[k][i] += a_[k][l][i] * t[l][i]; });
      }
    }
  }

  int degree_, count_;
  S bound_;
  Lanes<S> a_[2][kMost + 1];
};

/// With g multiplied out, for its integral.
template <class S> class ExpandedSquares : public Squares<S> {
 public:
  ExpandedSquares(Index bins, S bound, const In<S>& phi, Index first, int count)
      : Squares<S>(bins, bound, phi, first, count), c_(Lanes<S>::load(phi.data() + first, count)) {
    for (int m = 0; m <= 2 * degree_; ++m) {
      for_each_lane([&](int i) { q_[m][i] = m == 0 ? kFloor<S> : S(0); });
    }
    for (int k = 0; k < 2; ++k) {
      for (int l = 0; l <= degree_; ++l) {
        add_product(l, l, S(0.5), k);
        for (int j = 0; j < l; ++j) add_product(l, j, S(1), k);
      }
    }
  }

  void evaluate(const Lanes<S>& at, Lanes<S>& value, Lanes<S>& slope) const {
    Lanes<S> t[kTerms], p[2];
    this->chebyshev(at, 2 * degree_ + 1, t);
    this->squared(t, p);
    this->integrate(t);
    for_each_lane([&](int i) {
      value[i] = 0;
      slope[i] = kFloor<S> + p[0][i] * p[0][i] + p[1][i] * p[1][i];
    });
    for (int m = 0; m <= 2 * degree_; ++m) {
      for_each_lane([&](int i) { value[i] += q_[m][i] * t[m][i]; });
    }
    for_each_lane([&](int i) { value[i] = c_[i] + bound_ * value[i]; });
  }

 private:
  using Squares<S>::kMost, Squares<S>::kTerms, Squares<S>::degree_, Squares<S>::bound_, Squares<S>::a_;

  /// factor · aₖₗ aₖⱼ (Tₗ₊ⱼ + T|ₗ₋ⱼ|).
  void add_product(int l, int j, S factor, int k) {
    Lanes<S>&high = q_[l + j], &low = q_[l - j];
    for_each_lane([&](int i) {
      const S product = factor * a_[k][l][i] * a_[k][j][i];
      high[i] += product;
      low[i] += product;
    });
  }

  Lanes<S> c_;
  Lanes<S> q_[2 * kMost + 1];  // g = Σₘ qₘ Tₘ
};

}  // namespace

template <class S> SumOfSquares<S>::SumOfSquares(Index bins, double bound) : bins_(bins), bound_(static_cast<S>(bound)) {
  BIJECT_EXPECT(bins >= kFewestBins && bins <= kMostBins && bound > 0);
}

template <class S> void SumOfSquares<S>::init(VectorOut<S> phi) const {
  phi.setZero();
  phi(1 + (bins_ + 1) + 1) = kStart<S>;  // a₂₁
}

template <class S>
void SumOfSquares<S>::forward(In<S> phi, VectorIn<S> x, VectorOut<S> z, VectorOut<S> logdet) const {
  forward_with_tails(bound_, x, z, logdet,
                     [&](Index first, int count) { return ExpandedSquares<S>(bins_, bound_, phi, first, count); });
}

template <class S>
void SumOfSquares<S>::inverse(In<S> phi, VectorIn<S> z, VectorOut<S> x, VectorOut<S> logdet) const {
  inverse_with_tails(bound_, z, x, logdet,
                     [&](Index first, int count) { return ExpandedSquares<S>(bins_, bound_, phi, first, count); });
}

template <class S>
void SumOfSquares<S>::backward(In<S> phi, VectorIn<S> x, VectorIn<S> dz, VectorIn<S> dlogdet, VectorOut<S> dx,
                               Out<S> dphi) const {
  backward_with_tails(bound_, x, dz, dlogdet, dx, dphi,
                      [&](Index first, int count) { return Squares<S>(bins_, bound_, phi, first, count); });
}

template class SumOfSquares<float>;
template class SumOfSquares<double>;

}  // namespace biject
