#pragma once

#include "core/types.hpp"

namespace biject {

/// Bytes of a register of the instruction set that is compiled for.
#if defined(__AVX512F__)
inline constexpr int kRegisterBytes = 64;
#elif defined(__AVX__)
inline constexpr int kRegisterBytes = 32;
#else
inline constexpr int kRegisterBytes = 16;
#endif

/// What is computed as a whole, and where it may lie in memory.
template <class S> struct Register {
  typedef S Value __attribute__((vector_size(kRegisterBytes)));
  typedef S InMemory __attribute__((vector_size(kRegisterBytes), aligned(alignof(S)), may_alias));
  static constexpr Index kLanes = kRegisterBytes / static_cast<Index>(sizeof(S));

  static const InMemory& at(const S* p) { return *reinterpret_cast<const InMemory*>(p); }
  static InMemory& at(S* p) { return *reinterpret_cast<InMemory*>(p); }
};

}  // namespace biject
