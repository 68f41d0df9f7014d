#pragma once

#include "core/lanes.hpp"
#include "core/types.hpp"
#include "maps/clamp.hpp"

namespace biject {

/// Runs a spline on [−B, B] down the rows: what the functions of all splines have in common. Internal to this folder.
///
/// Spline<S, K> is the spline for one group of samples; K is the number of bins if loops over them are to have a constant length, else 0:
///   Spline(bins, bound, phi, first, count)
///   forward(at, from, is_inside, to, ld)        where is_inside is 1, from the point `at` in [−B, B]; where it is 0, to = from and ld = 0
///   inverse(at, from, is_inside, to, ld)
///   backward(at, is_inside, az, al, dfrom, dphi, dstride)      az = ∂L/∂z, al = ∂L/∂ld

/// The usual number of bins has code of its own.
inline constexpr int kUnrolledBins = 8;

/// Which samples lie in [−B, B] (1 or 0), and where to look at the spline: there, or at the nearer end.
template <class S> void place_inside(const Lanes<S>& from, S bound, Lanes<S>& at, Lanes<S>& is_inside) {
  for (int i = 0; i < kLanes; ++i) {
    at[i] = clamp(from[i], -bound, bound);
    is_inside[i] = from[i] >= -bound && from[i] <= bound ? S(1) : S(0);
  }
}

template <class Spline, class S>
void forward_rows(Index bins, S bound, const In<S>& phi, const VectorIn<S>& x, VectorOut<S>& z, VectorOut<S>& logdet) {
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const Spline spline(bins, bound, phi, first, count);
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
  for_each_lane_group(z.size(), [&](Index first, int count) {
    const Spline spline(bins, bound, phi, first, count);
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
  for_each_lane_group(x.size(), [&](Index first, int count) {
    const Spline spline(bins, bound, phi, first, count);
    const auto from = Lanes<S>::load(x.data() + first, count);
    const auto az = Lanes<S>::load(dz.data() + first, count), al = Lanes<S>::load(dlogdet.data() + first, count);
    Lanes<S> at, is_inside, dfrom;
    place_inside(from, bound, at, is_inside);
    spline.backward(at, is_inside, az, al, dfrom, dphi.data() + first, dphi.outerStride());
    dfrom.store(dx.data() + first, count);
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
