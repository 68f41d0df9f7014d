#pragma once

#include <vector>

#include "core/types.hpp"

namespace biject {

/// Masks as degrees (Germain et al. 2015, MADE: masked autoencoder for distribution estimation, section 4).
///
/// The degree of a hidden unit is the number of inputs that it may depend on: input i (from 0) reaches units of degree > i.
/// Units are sorted by degree, so that what a unit sees is a prefix of the layer before it, masks are block-triangular and a
/// mask is one number per column. A network without masks is the case of one degree.

/// Degrees of `width` hidden units of a network whose outputs see the first visible[o] inputs (not falling): spread evenly over
/// the degrees that some output can use. A unit of degree 0 sees context alone; without context there is none, unless no
/// output sees any input.
std::vector<Index> hidden_degrees(Index width, const std::vector<Index>& visible, bool has_context);

/// For each of `degrees` (not falling), how many of the sorted `available` degrees are not above it.
std::vector<Index> prefixes(const std::vector<Index>& degrees, const std::vector<Index>& available);

/// Degrees of the inputs themselves: 1 … inputs.
std::vector<Index> input_degrees(Index inputs);

}  // namespace biject
