#pragma once

#include <algorithm>

#include "core/for_each_lane.hpp"
#include "core/types.hpp"
#include "maps/clamp.hpp"
#include "maps/spline_limits.hpp"

namespace biject {

/// Runs a spline on [−B, B] down the rows: what the functions of all splines have in common. Internal to this folder.
///
/// Spline<S, K> is the spline for one group of samples; K is the number of bins if loops over them are to have a constant length, else 0:
///   Spline(bins, bound, phi)                    phi a PhiGroup
///   forward(at, from, is_inside, to, ld)        where is_inside is 1, from the point `at` in [−B, B]; where it is 0, to = from and ld = 0
///   inverse(at, from, is_inside, to, ld)
///   backward(at, is_inside, az, al, dfrom, dphi)               az = ∂L/∂z, al = ∂L/∂ld, dphi a PhiGradientGroup
/// It knows nothing of groups that are not whole: these are worked on in padded copies, by the same code and so with the same bits.
/// All of it is inlined into one function: only then does what a step leaves for the next stay in registers.

/// The usual number of bins has code of its own.
inline constexpr int kUnrolledBins = 8;

/// Most columns of φ that a spline may have, those of linear_rational_spline.
inline constexpr Index kMostSplineParams = 4 * kMostSplineBins;

/// φ of a whole group of samples.
template <class S> struct PhiGroup {
  const S* data;
  Index stride;  // from column to column
  Lanes<S> operator[](Index column) const { return Lanes<S>::load(data + column * stride, kLanes); }
};

/// ∂L/∂φ of a whole group of samples.
template <class S> struct PhiGradientGroup {
  S* data;
  Index stride;
  void set(Index column, const Lanes<S>& values) const { values.store(data + column * stride, kLanes); }
};

/// Room for the columns of a group that is not whole.
template <class S> class PaddedColumns {
 public:
  /// The rows from `first` on of all columns, and zeros.
  PaddedColumns(const In<S>& phi, Index first) {
    for (Index c = 0; c < phi.cols(); ++c) {
      Lanes<S>::load(phi.col(c).data() + first, static_cast<int>(phi.rows() - first)).store(numbers_ + c * kLanes, kLanes);
    }
  }
  PaddedColumns() = default;
  PhiGroup<S> phi() const { return {numbers_, kLanes}; }
  PhiGradientGroup<S> dphi() { return {numbers_, kLanes}; }
  void copy_to(Out<S>& dphi, Index first) const {
    for (Index c = 0; c < dphi.cols(); ++c) std::copy_n(numbers_ + c * kLanes, dphi.rows() - first, dphi.col(c).data() + first);
  }

 private:
  alignas(kAlignment) S numbers_[kMostSplineParams * kLanes];
};

/// Which samples lie in [−B, B] (1 or 0), and where to look at the spline: there, or at the nearer end.
template <class S> void place_inside(const Lanes<S>& from, S bound, Lanes<S>& at, Lanes<S>& is_inside) {
  for_each_lane([&](int i) {
    at[i] = clamp(from[i], -bound, bound);
    is_inside[i] = from[i] >= -bound && from[i] <= bound ? S(1) : S(0);
  });
}

/// body(first, count, φ) for all groups of samples.
template <class S, class F> void for_each_phi_group(const In<S>& phi, F&& body) {
  const Index whole = phi.rows() / kLanes * kLanes;
  for (Index first = 0; first < whole; first += kLanes) body(first, kLanes, PhiGroup<S>{phi.data() + first, phi.outerStride()});
  if (whole < phi.rows()) body(whole, static_cast<int>(phi.rows() - whole), PaddedColumns<S>(phi, whole).phi());
}

template <class Spline, class S>
void forward_rows(Index bins, S bound, const In<S>& phi, const VectorIn<S>& x, VectorOut<S>& z, VectorOut<S>& logdet) {
  for_each_phi_group(phi, [&](Index first, int count, const PhiGroup<S>& group) __attribute__((noinline, noclone, flatten)) {
    const Spline spline(bins, bound, group);
    const auto from = Lanes<S>::load(x.data() + first, count);
    Lanes<S> at, is_inside, to, ld;
    place_inside(from, bound, at, is_inside);
    spline.forward(at, from, is_inside, to, ld);
    to.store(z.data() + first, count);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class Spline, class S>
void inverse_rows(Index bins, S bound, const In<S>& phi, const VectorIn<S>& z, VectorOut<S>& x, VectorOut<S>& logdet) {
  for_each_phi_group(phi, [&](Index first, int count, const PhiGroup<S>& group) __attribute__((noinline, noclone, flatten)) {
    const Spline spline(bins, bound, group);
    const auto from = Lanes<S>::load(z.data() + first, count);
    Lanes<S> at, is_inside, to, ld;
    place_inside(from, bound, at, is_inside);
    spline.inverse(at, from, is_inside, to, ld);
    to.store(x.data() + first, count);
    ld.add_to(logdet.data() + first, count);
  });
}

template <class Spline, class S>
void backward_rows(Index bins, S bound, const In<S>& phi, const VectorIn<S>& x, const VectorIn<S>& dz, const VectorIn<S>& dlogdet,
                   VectorOut<S>& dx, Out<S>& dphi) {
  const auto run = [&](Index first, int count, const PhiGroup<S>& group, const PhiGradientGroup<S>& gradient) __attribute__((noinline, noclone, flatten)) {
    const Spline spline(bins, bound, group);
    const auto from = Lanes<S>::load(x.data() + first, count);
    const auto az = Lanes<S>::load(dz.data() + first, count), al = Lanes<S>::load(dlogdet.data() + first, count);
    Lanes<S> at, is_inside, dfrom;
    place_inside(from, bound, at, is_inside);
    spline.backward(at, is_inside, az, al, dfrom, gradient);
    dfrom.store(dx.data() + first, count);
  };
  for_each_phi_group(phi, [&](Index first, int count, const PhiGroup<S>& group) {
    if (count == kLanes) {
      run(first, count, group, {dphi.data() + first, dphi.outerStride()});
    } else {
      PaddedColumns<S> padded;
      run(first, count, group, padded.dphi());
      padded.copy_to(dphi, first);
    }
  });
}

template <template <class, int> class Spline, class S>
void spline_forward(Index bins, S bound, const In<S>& phi, const VectorIn<S>& x, VectorOut<S>& z, VectorOut<S>& logdet) {
  const auto run = bins == kUnrolledBins ? forward_rows<Spline<S, kUnrolledBins>, S> : forward_rows<Spline<S, 0>, S>;
  run(bins, bound, phi, x, z, logdet);
}

template <template <class, int> class Spline, class S>
void spline_inverse(Index bins, S bound, const In<S>& phi, const VectorIn<S>& z, VectorOut<S>& x, VectorOut<S>& logdet) {
  const auto run = bins == kUnrolledBins ? inverse_rows<Spline<S, kUnrolledBins>, S> : inverse_rows<Spline<S, 0>, S>;
  run(bins, bound, phi, z, x, logdet);
}

template <template <class, int> class Spline, class S>
void spline_backward(Index bins, S bound, const In<S>& phi, const VectorIn<S>& x, const VectorIn<S>& dz, const VectorIn<S>& dlogdet,
                     VectorOut<S>& dx, Out<S>& dphi) {
  const auto run = bins == kUnrolledBins ? backward_rows<Spline<S, kUnrolledBins>, S> : backward_rows<Spline<S, 0>, S>;
  run(bins, bound, phi, x, dz, dlogdet, dx, dphi);
}

}  // namespace biject
