#pragma once

#include <algorithm>
#include <vector>

#include "core/types.hpp"

namespace biject {

/// Masks as degrees (Germain et al. 2015, MADE: masked autoencoder for distribution estimation, section 4).
///
/// The degree of a hidden unit is the number of inputs that it may depend on: input i (from 0) reaches units of degree > i.
/// Units are sorted by degree, so that what a unit sees is a prefix of the layer before it, masks are block-triangular and a
/// mask is one number per column. A network without masks is the case of one degree.

/// Columns of a layer: those of some range of degrees.
struct Units {
  Index begin = 0, count = 0;
};

/// The sorted degrees, none of them negative, of the columns of a layer, to be asked often.
class Degrees {
 public:
  explicit Degrees(std::vector<Index> sorted);
  Index operator[](Index column) const { return sorted_[static_cast<std::size_t>(column)]; }
  Index size() const { return static_cast<Index>(sorted_.size()); }
  /// How many columns have this degree or a lower one.
  Index up_to(Index degree) const {
    return degree < 0 ? 0 : up_to_[static_cast<std::size_t>(std::min(degree, static_cast<Index>(up_to_.size()) - 1))];
  }
  /// Those of degree above `above`, but not above `last`.
  Units between(Index above, Index last) const { return {up_to(above), up_to(last) - up_to(above)}; }
  /// For each column, how many columns of another layer it may see: those whose degrees are not above its own.
  std::vector<Index> prefixes(const Degrees& available) const;

 private:
  std::vector<Index> sorted_, up_to_;
};

/// Degrees of `width` hidden units of a network whose outputs see the first visible[o] inputs (not falling): spread evenly over
/// the degrees that some output can use. A unit of degree 0 sees context alone; without context there is none, unless no
/// output sees any input.
Degrees hidden_degrees(Index width, const std::vector<Index>& visible, bool has_context);

/// Degrees of the inputs themselves: 1 … inputs.
Degrees input_degrees(Index inputs);

/// One step of a masked pass: units of degrees (done, now] become known, and the outputs that see as many inputs.
///
/// Steps of neighbouring degrees form a group. What its units get from all that was known before the group is computed at once, in one
/// product, and a step adds the little that its group has found since: a unit at a time, the products would be too thin to be fast.
/// Where there are few degrees, groups are single steps, whose product reads what this step itself has found, too.
struct MaskedStep {
  Index done, now;      // degrees: before this step, after it
  Index before, group;  // … before its group, after the group
  Index known;          // … that the product for the group reads
  bool begins_group() const { return before == done; }
  bool is_group() const { return known == now; }  // by itself: its product leaves nothing to add
};
/// The step that reveals output `first`, the leftmost one of its degree.
MaskedStep masked_step(const Degrees& outputs, Index first);

}  // namespace biject
