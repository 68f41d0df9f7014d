#include "nets/make_net.hpp"

#include "nets/mlp.hpp"
#include "nets/residual_net.hpp"

namespace biject {

template <class S> ConditionerPtr<S> make_net(Plan& plan, const NetShape& shape, const NetStyle& style) {
  const Plan::Scope scope(plan, "net");
  if (style.blocks > 0) return std::make_unique<ResidualNet<S>>(plan, shape, style);
  return std::make_unique<Mlp<S>>(plan, shape, style);
}

template ConditionerPtr<float> make_net<float>(Plan&, const NetShape&, const NetStyle&);
template ConditionerPtr<double> make_net<double>(Plan&, const NetShape&, const NetStyle&);

}  // namespace biject
