#pragma once

#include <memory>
#include <type_traits>

#include "bijectors/autoregressive.hpp"
#include "bijectors/coupling.hpp"
#include "bijectors/elementwise.hpp"
#include "flows/catalogue.hpp"
#include "flows/mixing.hpp"

namespace biject {

/// The product (scheme) × (map of one real) × (network): how a map becomes a flow, and a row of the catalogue.

/// The map that a spec asks for: its constructor takes (bins, half width of an interval), (bins) or nothing.
template <template <class> class M, class S> MapPtr<S> make_map(const FlowSpec& spec) {
  if constexpr (std::is_constructible_v<M<S>, Index, double>) {
    return std::make_unique<M<S>>(spec.bins, spec.tail);
  } else if constexpr (std::is_constructible_v<M<S>, Index>) {
    return std::make_unique<M<S>>(spec.bins);
  } else {
    return std::make_unique<M<S>>();
  }
}

/// layers × (map under the scheme, mixing).
template <template <class> class M, class S> void map_flow(const FlowSpec& spec, Chain<S>& chain) {
  const std::string scheme = scheme_of(spec);
  for (Index i = 0; i < spec.layers; ++i) {
    if (scheme == "coupling") {
      const bool is_flipped = spec.mix == "none" && i % 2 == 1;  // nothing else would change the other half
      chain.template add<Coupling<S>>("coupling", spec.features, spec.context, make_map<M, S>(spec), style_of(spec), is_flipped);
    } else if (scheme == "elementwise") {
      chain.template add<Elementwise<S>>("elementwise", spec.features, spec.context, make_map<M, S>(spec),
                                          context_style_of(spec));
    } else {
      chain.template add<Autoregressive<S>>("autoregressive", spec.features, spec.context, make_map<M, S>(spec), style_of(spec));
    }
    mix(spec, chain, i + 1 == spec.layers);
  }
}

/// A row of that flow, from what only its author knows.
template <template <class> class M> constexpr FlowRow row_of_map(FlowRow row) {
  row.build_float = map_flow<M, float>;
  row.build_double = map_flow<M, double>;
  row.map_float = make_map<M, float>;
  row.map_double = make_map<M, double>;
  if constexpr (requires { M<float>::kFewestBins; }) row.fewest_bins = M<float>::kFewestBins;
  if constexpr (requires { M<float>::kMostBins; }) row.most_bins = M<float>::kMostBins;
  return row;
}

}  // namespace biject
