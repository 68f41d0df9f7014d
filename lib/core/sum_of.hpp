#pragma once

#include "core/lanes.hpp"

namespace biject {

/// In lanes, as the compiler may not reorder a floating-point sum by itself; the order depends on the number of values alone, whereas
/// that of Eigen's sum depends on the expression too.
template <class S> S sum_of(VectorIn<S> values) {
  Lanes<S> lanes{};
  const S* p = values.data();
  Index i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += p[i + lane];  // plain: for_each_lane keeps these sums in memory
  }
  S sum = 0;
  for (; i < values.size(); ++i) sum += p[i];
  for (int lane = 0; lane < kLanes; ++lane) sum += lanes[lane];
  return sum;
}

}  // namespace biject
