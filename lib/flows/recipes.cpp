#include "flows/recipes.hpp"

#include <algorithm>

#include "bijectors/actnorm.hpp"
#include "bijectors/block_autoregressive.hpp"
#include "bijectors/continuous.hpp"
#include "bijectors/contractive_residual.hpp"
#include "bijectors/coupling.hpp"
#include "bijectors/elementwise.hpp"
#include "bijectors/inverse_autoregressive.hpp"
#include "bijectors/lu_linear.hpp"
#include "bijectors/planar.hpp"
#include "bijectors/radial.hpp"
#include "bijectors/sylvester.hpp"
#include "flows/mixing.hpp"
#include "maps/affine.hpp"
#include "maps/shift.hpp"

namespace biject {

namespace {

constexpr Index kOdeSteps = 8;      // of the fixed-step integrator, in training
constexpr Index kMostRank = 32;     // of a Sylvester layer
constexpr Index kFewestBlockUnits = 4;  // of one column in a block autoregressive layer

template <class S> void scale_by_context(const FlowSpec& spec, Chain<S>& chain) {
  if (spec.context == 0) return;
  chain.template add<Elementwise<S>>("context", spec.features, spec.context, std::make_unique<Affine<S>>(), style_of(spec));
}

template <class S> void whiten(const FlowSpec& spec, Chain<S>& chain) {
  chain.template add<LuLinear<S>>("lu", spec.features, LuLinear<S>::Start::whiten);
}

/// layers × Layer, whose rows' numbers are a network of the context.
template <class Layer, class S, class... Args> void layers_of(const FlowSpec& spec, Chain<S>& chain, const char* name, Args... args) {
  scale_by_context(spec, chain);
  for (Index i = 0; i < spec.layers; ++i) {
    chain.template add<Layer>(name, spec.features, spec.context, context_style_of(spec), args...);
  }
  whiten(spec, chain);
}

}  // namespace

template <class S> void gaussian(const FlowSpec& spec, Chain<S>& chain) {
  whiten(spec, chain);
  if (spec.context > 0) chain.template add<Elementwise<S>>("shift", spec.features, spec.context, std::make_unique<Shift<S>>());
}

template <class S> void glow(const FlowSpec& spec, Chain<S>& chain) {
  for (Index i = 0; i < spec.layers; ++i) {
    chain.template add<ActNorm<S>>("actnorm", spec.features);
    chain.template add<Coupling<S>>("coupling", spec.features, spec.context, std::make_unique<Affine<S>>(), style_of(spec));
    mix(spec, chain, i + 1 == spec.layers);
  }
}

template <class S> void iaf(const FlowSpec& spec, Chain<S>& chain) {
  for (Index i = 0; i < spec.layers; ++i) {
    chain.template add<InverseAutoregressive<S>>("inverse", spec.features, spec.context, std::make_unique<Affine<S>>(), style_of(spec));
    mix(spec, chain, i + 1 == spec.layers);
  }
}

template <class S> void planar(const FlowSpec& spec, Chain<S>& chain) { layers_of<Planar<S>>(spec, chain, "planar"); }

template <class S> void radial(const FlowSpec& spec, Chain<S>& chain) { layers_of<Radial<S>>(spec, chain, "radial"); }

template <class S> void sylvester(const FlowSpec& spec, Chain<S>& chain) {
  layers_of<Sylvester<S>>(spec, chain, "sylvester", std::min(spec.features, kMostRank));
}

template <class S> void bnaf(const FlowSpec& spec, Chain<S>& chain) {
  const Index units = std::max(kFewestBlockUnits, (spec.hidden.front() + spec.features - 1) / spec.features);
  for (Index i = 0; i < spec.layers; ++i) {
    chain.template add<BlockAutoregressive<S>>("block", spec.features, spec.context, units, std::ssize(spec.hidden));
    mix(spec, chain, i + 1 == spec.layers);
  }
}

template <class S> void residual(const FlowSpec& spec, Chain<S>& chain) {
  scale_by_context(spec, chain);
  for (Index i = 0; i < spec.layers; ++i) {
    chain.template add<ContractiveResidual<S>>("residual", spec.features, spec.context, spec.hidden);
    mix(spec, chain, i + 1 == spec.layers);
  }
}

template <class S> void cnf(const FlowSpec& spec, Chain<S>& chain) {
  scale_by_context(spec, chain);
  for (Index i = 0; i < spec.layers; ++i) {
    chain.template add<Continuous<S>>("continuous", spec.features, spec.context, spec.hidden, kOdeSteps);
    mix(spec, chain, i + 1 == spec.layers);
  }
}

// Whitened first, because the loss is measured where the paths run; training leaves that layer as it starts.
template <class S> void flow_matching(const FlowSpec& spec, Chain<S>& chain) {
  whiten(spec, chain);
  chain.template add<Continuous<S>>("continuous", spec.features, spec.context, spec.hidden, kOdeSteps);
}

template void gaussian<float>(const FlowSpec&, Chain<float>&);
template void gaussian<double>(const FlowSpec&, Chain<double>&);
template void glow<float>(const FlowSpec&, Chain<float>&);
template void glow<double>(const FlowSpec&, Chain<double>&);
template void iaf<float>(const FlowSpec&, Chain<float>&);
template void iaf<double>(const FlowSpec&, Chain<double>&);
template void planar<float>(const FlowSpec&, Chain<float>&);
template void planar<double>(const FlowSpec&, Chain<double>&);
template void radial<float>(const FlowSpec&, Chain<float>&);
template void radial<double>(const FlowSpec&, Chain<double>&);
template void sylvester<float>(const FlowSpec&, Chain<float>&);
template void sylvester<double>(const FlowSpec&, Chain<double>&);
template void bnaf<float>(const FlowSpec&, Chain<float>&);
template void bnaf<double>(const FlowSpec&, Chain<double>&);
template void residual<float>(const FlowSpec&, Chain<float>&);
template void residual<double>(const FlowSpec&, Chain<double>&);
template void cnf<float>(const FlowSpec&, Chain<float>&);
template void cnf<double>(const FlowSpec&, Chain<double>&);
template void flow_matching<float>(const FlowSpec&, Chain<float>&);
template void flow_matching<double>(const FlowSpec&, Chain<double>&);

}  // namespace biject
