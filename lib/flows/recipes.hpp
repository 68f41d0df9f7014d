#pragma once

#include "bijectors/chain.hpp"
#include "flows/spec.hpp"

namespace biject {

/// The recipes of the catalogue that are not the product of map_flow.hpp: each appends the layers of one flow to an empty chain.
///
/// With context, flows whose layers know of it only by their own few numbers start with a scale and a shift of every column that a
/// network of the context computes.
template <class S> void gaussian(const FlowSpec& spec, Chain<S>& chain);
template <class S> void glow(const FlowSpec& spec, Chain<S>& chain);
template <class S> void iaf(const FlowSpec& spec, Chain<S>& chain);
template <class S> void planar(const FlowSpec& spec, Chain<S>& chain);
template <class S> void radial(const FlowSpec& spec, Chain<S>& chain);
template <class S> void sylvester(const FlowSpec& spec, Chain<S>& chain);
template <class S> void bnaf(const FlowSpec& spec, Chain<S>& chain);
template <class S> void residual(const FlowSpec& spec, Chain<S>& chain);
template <class S> void cnf(const FlowSpec& spec, Chain<S>& chain);
template <class S> void flow_matching(const FlowSpec& spec, Chain<S>& chain);

}  // namespace biject
