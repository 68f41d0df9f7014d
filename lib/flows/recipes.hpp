#pragma once

#include "bijectors/chain.hpp"
#include "flows/spec.hpp"

namespace biject {

/// The recipes of the catalogue: each appends the layers of one flow to an empty chain.
///
/// Between layers features are mixed as spec.mix says; `lu` is a reversal followed by an LU linear map. The last linear map
/// starts as the whitening of the data, and all layers before it start as the identity, so that training begins at the Gaussian fit and
/// can only improve on it.
template <class S> void gaussian(const FlowSpec& spec, Chain<S>& chain);
template <class S> void nice(const FlowSpec& spec, Chain<S>& chain);
template <class S> void realnvp(const FlowSpec& spec, Chain<S>& chain);
template <class S> void maf(const FlowSpec& spec, Chain<S>& chain);
template <class S> void nsf(const FlowSpec& spec, Chain<S>& chain);
template <class S> void nsf_coupling(const FlowSpec& spec, Chain<S>& chain);

}  // namespace biject
