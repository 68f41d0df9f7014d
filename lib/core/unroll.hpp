#pragma once

#include <utility>

namespace biject {

/// f(0) … f(count − 1) with constants for arguments, one after the other: what a plain loop carries from one turn to the next lies in
/// memory, here it stays in registers.
template <int count, class F> [[gnu::always_inline]] inline void unroll(F f) {
  [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, i>{}), ...);
  }(std::make_integer_sequence<int, count>{});
}

}  // namespace biject
