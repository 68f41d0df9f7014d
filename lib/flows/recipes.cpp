#include "flows/recipes.hpp"

#include "bijectors/elementwise.hpp"
#include "bijectors/lu_linear.hpp"
#include "flows/mixing.hpp"
#include "maps/shift.hpp"

namespace biject {

template <class S> void gaussian(const FlowSpec& spec, Chain<S>& chain) {
  chain.template add<LuLinear<S>>("lu", spec.features, LuLinear<S>::Start::whiten);
  if (spec.context > 0) chain.template add<Elementwise<S>>("shift", spec.features, spec.context, std::make_unique<Shift<S>>());
}

template void gaussian<float>(const FlowSpec&, Chain<float>&);
template void gaussian<double>(const FlowSpec&, Chain<double>&);

}  // namespace biject
