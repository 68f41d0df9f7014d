#pragma once

#include "core/types.hpp"

namespace biject {

/// Most bins a spline may have: what one sample needs of them is kept on the stack, for a group of samples at a time.
inline constexpr Index kMostSplineBins = 64;

}  // namespace biject
