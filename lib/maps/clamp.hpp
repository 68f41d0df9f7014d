#pragma once

namespace biject {

/// The value held within [low, high]; NaN stays NaN. Internal to this folder.
template <class S> inline S clamp(S value, S low, S high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

}  // namespace biject
