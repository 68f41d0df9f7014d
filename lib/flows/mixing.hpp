#pragma once

#include "bijectors/chain.hpp"
#include "flows/spec.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// The style of the networks that a spec describes.
NetStyle style_of(const FlowSpec& spec);
/// Of networks whose only input is the context: linear without context, where there is nothing to compute.
NetStyle context_style_of(const FlowSpec& spec);

/// Appends what stands after a layer: spec.mix; `lu` is a reversal followed by an LU linear map. The last one starts so that the data come
/// out with mean 0 and covariance 1 (with mean 0 and variance 1 if mix only reorders). With everything before it starting
/// as the identity, training begins at the Gaussian fit and can only improve on it.
template <class S> void mix(const FlowSpec& spec, Chain<S>& chain, bool is_last);

}  // namespace biject
