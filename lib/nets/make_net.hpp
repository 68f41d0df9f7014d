#pragma once

#include "nets/conditioner.hpp"
#include "nets/net_shape.hpp"

namespace biject {

/// The network of that style: residual if it has blocks, plain otherwise.
template <class S> ConditionerPtr<S> make_net(Plan& plan, const NetShape& shape, const NetStyle& style);

}  // namespace biject
