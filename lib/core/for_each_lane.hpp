#pragma once

#include "core/lanes.hpp"

namespace biject {

/// body(i) for every lane: like the plain loop, of which it makes sure that it is turned into vector instructions as a whole.
///
/// The compiler unrolls a plain loop with a short body completely, before it thinks of vectors, and then gathers some of the lanes in
/// vectors and leaves others alone. Multiplications and additions are fused differently in the two, so that the last bit of a
/// sample depends on its lane.
template <class F> inline void for_each_lane(F&& body) {
#pragma GCC unroll 1
  for (int i = 0; i < kLanes; ++i) body(i);
}

}  // namespace biject
