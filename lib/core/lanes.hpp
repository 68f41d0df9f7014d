#pragma once

#include <algorithm>

#include "core/register.hpp"
#include "core/types.hpp"

namespace biject {

/// Samples that elementwise code handles at a time: one AVX-512 register of float. Loops over lanes have this constant length,
/// so the compiler turns them into vector instructions, and a sample is computed the same way wherever it stands.
inline constexpr int kLanes = 16;

template <class S> struct Lanes {
  alignas(kAlignment) S value[kLanes];

  S& operator[](int lane) { return value[lane]; }
  const S& operator[](int lane) const { return value[lane]; }

  /// The `count` numbers at p; lanes beyond them repeat a harmless zero.
  static Lanes load(const S* p, int count) {
    Lanes result;
    if (count == kLanes) {
      for_each_register([&](Index i) { Register<S>::at(result.value + i) = Register<S>::at(p + i); });
    } else {
      for (int i = 0; i < kLanes; ++i) result[i] = i < count ? p[i] : S(0);
    }
    return result;
  }
  void store(S* p, int count) const {
    if (count == kLanes) {
      for_each_register([&](Index i) { Register<S>::at(p + i) = Register<S>::at(value + i); });
    } else {
      std::copy_n(value, count, p);
    }
  }
  void add_to(S* p, int count) const {
    if (count == kLanes) {
      for_each_register([&](Index i) { Register<S>::at(p + i) += Register<S>::at(value + i); });
    } else {
      for (int i = 0; i < count; ++i) p[i] += value[i];
    }
  }

 private:
  // Not number by number: the compiler unrolls so short a loop before it thinks of vectors, and then moves some numbers one by one.
  template <class F> static void for_each_register(F&& move) {
    for (Index i = 0; i < kLanes; i += Register<S>::kLanes) move(i);
  }
};

/// n rounded up to whole groups of lanes.
constexpr Index whole_lane_groups(Index n) { return (n + kLanes - 1) / kLanes * kLanes; }

/// Calls body(first, count) for consecutive groups of at most kLanes of n samples.
template <class F> inline void for_each_lane_group(Index n, F&& body) {
  for (Index first = 0; first < n; first += kLanes) body(first, static_cast<int>(std::min<Index>(kLanes, n - first)));
}

}  // namespace biject
