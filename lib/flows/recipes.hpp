#pragma once

#include "bijectors/chain.hpp"
#include "flows/spec.hpp"

namespace biject {

/// The recipes of the catalogue that are not the product of map_flow.hpp: each appends the layers of one flow to an empty chain.
template <class S> void gaussian(const FlowSpec& spec, Chain<S>& chain);
template <class S> void glow(const FlowSpec& spec, Chain<S>& chain);

}  // namespace biject
