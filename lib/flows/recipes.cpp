#include "flows/recipes.hpp"

#include "bijectors/actnorm.hpp"
#include "bijectors/autoregressive.hpp"
#include "bijectors/coupling.hpp"
#include "bijectors/elementwise.hpp"
#include "bijectors/lu_linear.hpp"
#include "bijectors/permutation.hpp"
#include "maps/affine.hpp"
#include "maps/rq_spline.hpp"
#include "maps/shift.hpp"

namespace biject {

namespace {

NetStyle style_of(const FlowSpec& spec) {
  return {spec.hidden, spec.blocks, {activation_of(spec.activation), spec.dropout}};
}

template <class S> void mix(const FlowSpec& spec, Chain<S>& chain, bool is_last) {
  const Index features = spec.features;
  if (spec.mix == "lu") {
    using Lu = LuLinear<S>;
    chain.append(std::make_unique<Permutation<S>>(reversed_order(features)));
    chain.template add<Lu>("lu", features, is_last ? Lu::Start::whiten : Lu::Start::identity);
  } else if (is_last) {
    chain.template add<ActNorm<S>>("actnorm", features);
  } else if (spec.mix == "reverse") {
    chain.append(std::make_unique<Permutation<S>>(reversed_order(features)));
  } else if (spec.mix == "permute") {
    chain.append(std::make_unique<Permutation<S>>(random_order(features, static_cast<std::uint64_t>(chain.size()))));
  }
}

/// layers × (transformation, mixing); make_map() gives the map of one layer.
template <class S, class MakeMap> void autoregressive(const FlowSpec& spec, Chain<S>& chain, MakeMap make_map) {
  for (Index i = 0; i < spec.layers; ++i) {
    chain.template add<Autoregressive<S>>("autoregressive", spec.features, spec.context, make_map(), style_of(spec));
    mix(spec, chain, i + 1 == spec.layers);
  }
}

template <class S, class MakeMap> void coupling(const FlowSpec& spec, Chain<S>& chain, MakeMap make_map) {
  for (Index i = 0; i < spec.layers; ++i) {
    const bool is_flipped = spec.mix == "none" && i % 2 == 1;  // nothing else would change the other half
    chain.template add<Coupling<S>>("coupling", spec.features, spec.context, make_map(), style_of(spec), is_flipped);
    mix(spec, chain, i + 1 == spec.layers);
  }
}

}  // namespace

template <class S> void gaussian(const FlowSpec& spec, Chain<S>& chain) {
  chain.template add<LuLinear<S>>("lu", spec.features, LuLinear<S>::Start::whiten);
  if (spec.context > 0) chain.template add<Elementwise<S>>("shift", spec.features, spec.context, std::make_unique<Shift<S>>());
}

template <class S> void nice(const FlowSpec& spec, Chain<S>& chain) {
  coupling(spec, chain, [] { return std::make_unique<Shift<S>>(); });
}

template <class S> void realnvp(const FlowSpec& spec, Chain<S>& chain) {
  coupling(spec, chain, [] { return std::make_unique<Affine<S>>(); });
}

template <class S> void maf(const FlowSpec& spec, Chain<S>& chain) {
  autoregressive(spec, chain, [] { return std::make_unique<Affine<S>>(); });
}

template <class S> void nsf(const FlowSpec& spec, Chain<S>& chain) {
  autoregressive(spec, chain, [&] { return std::make_unique<RqSpline<S>>(spec.bins, spec.tail); });
}

template <class S> void nsf_coupling(const FlowSpec& spec, Chain<S>& chain) {
  coupling(spec, chain, [&] { return std::make_unique<RqSpline<S>>(spec.bins, spec.tail); });
}

template void gaussian<float>(const FlowSpec&, Chain<float>&);
template void gaussian<double>(const FlowSpec&, Chain<double>&);
template void nice<float>(const FlowSpec&, Chain<float>&);
template void nice<double>(const FlowSpec&, Chain<double>&);
template void realnvp<float>(const FlowSpec&, Chain<float>&);
template void realnvp<double>(const FlowSpec&, Chain<double>&);
template void maf<float>(const FlowSpec&, Chain<float>&);
template void maf<double>(const FlowSpec&, Chain<double>&);
template void nsf<float>(const FlowSpec&, Chain<float>&);
template void nsf<double>(const FlowSpec&, Chain<double>&);
template void nsf_coupling<float>(const FlowSpec&, Chain<float>&);
template void nsf_coupling<double>(const FlowSpec&, Chain<double>&);

}  // namespace biject
