#pragma once

#include <vector>

#include "core/types.hpp"
#include "nets/activation.hpp"

namespace biject {

/// What a layer knows of the network that it needs.
struct NetShape {
  Index inputs = 0;             // I
  Index context = 0;            // C
  std::vector<Index> visible;   // one per output: how many of the first inputs it may see; not falling
};

/// What a user says of all networks of a flow.
struct NetStyle {
  std::vector<Index> hidden;    // widths; for a residual network one width
  Index blocks = 0;             // residual blocks; 0: a plain network
  HiddenUnits units;
};

}  // namespace biject
