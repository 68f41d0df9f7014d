#pragma once

#include <string>
#include <vector>

#include "flows/catalogue.hpp"
#include "laws/check_laws.hpp"

/// One list of things for one list of laws: every part on its own and every row of the catalogue.
namespace laws {

/// The parts: each bijector, with each map and each kind of network, with and without context, with one column and with several.
template <class S> std::vector<Case<S>> parts();

/// A small member of every row of the catalogue.
inline biject::FlowSpec small_spec(const biject::FlowRow& row, biject::Index features, biject::Index context,
                                   std::string_view component_flow = {}) {
  biject::FlowSpec spec = biject::default_spec(row, 1000, features, context, component_flow);
  const std::string options = biject::options_of(spec);
  if (biject::lists(options, "layers")) spec.layers = 2;
  if (biject::lists(options, "hidden")) spec.hidden = {12, 12};
  if (biject::lists(options, "component-flow")) spec.components = 3;
  spec.activation = "tanh";  // smooth, so that a Taylor remainder has an order
  return spec;
}

template <class S> void build_row(const biject::FlowRow& row, const biject::FlowSpec& spec, biject::Chain<S>& chain) {
  if constexpr (std::is_same_v<S, float>) {
    row.build_float(spec, chain);
  } else {
    row.build_double(spec, chain);
  }
}

template <class S> std::vector<Case<S>> rows_of_the_catalogue() {
  std::vector<Case<S>> cases;
  for (const biject::FlowRow& row : biject::catalogue()) {
    if (row.build_float == nullptr) continue;  // a mixture is no bijection
    for (const auto& [features, context] : {std::pair<biject::Index, biject::Index>{1, 0}, {2, 0}, {5, 0}, {1, 2}, {4, 3}}) {
      const biject::FlowSpec spec = small_spec(row, features, context);
      cases.push_back({std::string(row.name) + " D=" + std::to_string(features) + " C=" + std::to_string(context), features,
                       context, [&row, spec](biject::Chain<S>& chain) { build_row<S>(row, spec, chain); }});
      if (row.name == "cnf" || row.name == "flow-matching") {  // a differential equation, followed to 1e-10 a step
        cases.back().tolerances.round_trip = cases.back().tolerances.logdet_cancels = 1e-7;
      }
    }
  }
  return cases;
}

}  // namespace laws

#include "bijectors/actnorm.hpp"
#include "bijectors/autoregressive.hpp"
#include "bijectors/block_autoregressive.hpp"
#include "bijectors/coupling.hpp"
#include "bijectors/elementwise.hpp"
#include "bijectors/householder.hpp"
#include "bijectors/inverse_autoregressive.hpp"
#include "bijectors/lu_linear.hpp"
#include "bijectors/permutation.hpp"
#include "bijectors/planar.hpp"
#include "bijectors/qr_linear.hpp"
#include "bijectors/radial.hpp"
#include "bijectors/sylvester.hpp"

namespace laws {

/// The maps of the catalogue's products, by name, in two sizes where they have a size. A new map comes with its row.
template <class S> std::vector<std::pair<std::string, std::function<biject::MapPtr<S>()>>> maps() {
  using namespace biject;
  std::vector<std::pair<std::string, std::function<MapPtr<S>()>>> result;
  const auto has = [&](std::string_view name) { return std::ranges::any_of(result, [&](const auto& map) { return map.first == name; }); };
  for (const FlowRow& row : catalogue()) {
    MapPtr<S> (*make)(const FlowSpec&) = nullptr;
    if constexpr (std::is_same_v<S, float>) {
      make = row.map_float;
    } else {
      make = row.map_double;
    }
    if (make == nullptr) continue;
    FlowSpec spec;
    std::vector<Index> sizes{spec.bins};
    if (lists(row.options, "bins")) sizes.push_back(std::max<Index>(row.fewest_bins, 5));
    for (const Index bins : sizes) {
      spec.bins = bins;
      spec.tail = bins == 5 ? 2 : 3;
      const std::string name = std::string(row.map_name) + (lists(row.options, "bins") ? ' ' + std::to_string(bins) : "");
      if (!has(name)) result.emplace_back(name, [make, spec] { return make(spec); });
    }
  }
  return result;
}

template <class S> std::vector<Case<S>> parts() {
  using namespace biject;
  std::vector<Case<S>> cases;
  const auto sizes = {std::pair<Index, Index>{1, 0}, {4, 0}, {3, 2}};
  for (const auto& [features, context] : sizes) {
    const Index d = features, c = context;  // structured bindings cannot be captured
    const std::string size = " D=" + std::to_string(d) + " C=" + std::to_string(c);
    if (c == 0) {
      cases.push_back({"permutation" + size, d, c, [d](Chain<S>& chain) {
                         chain.append(std::make_unique<Permutation<S>>(random_order(d, 3)));
                       }});
      cases.push_back({"actnorm" + size, d, c, [d](Chain<S>& chain) { chain.template add<ActNorm<S>>("a", d); }, true});
      for (const auto start : {LuLinear<S>::Start::identity, LuLinear<S>::Start::whiten}) {
        cases.push_back({"lu" + size, d, c, [=](Chain<S>& chain) { chain.template add<LuLinear<S>>("lu", d, start); }});
      }
      for (const auto start : {QrLinear<S>::Start::identity, QrLinear<S>::Start::whiten}) {
        cases.push_back({"qr" + size, d, c, [=](Chain<S>& chain) { chain.template add<QrLinear<S>>("qr", d, start); }});
      }
      cases.push_back({"householder" + size, d, c, [d](Chain<S>& chain) { chain.template add<Householder<S>>("h", d, Index{3}); }});
    }
    const NetStyle of_context = c > 0 ? NetStyle{{6}, 0, {Activation::tanh, 0}} : NetStyle{};
    cases.push_back({"planar" + size, d, c, [=](Chain<S>& chain) { chain.template add<Planar<S>>("p", d, c, of_context); }});
    cases.push_back({"radial" + size, d, c, [=](Chain<S>& chain) { chain.template add<Radial<S>>("r", d, c, of_context); }});
    cases.push_back({"sylvester" + size, d, c, [=](Chain<S>& chain) {
                       chain.template add<Sylvester<S>>("s", d, c, of_context, std::max<Index>(1, d - 1));
                     }});
    for (const Index hidden_layers : {Index{1}, Index{3}}) {
      cases.push_back({"block autoregressive " + std::to_string(hidden_layers) + size, d, c,
                       [=](Chain<S>& chain) { chain.template add<BlockAutoregressive<S>>("b", d, c, Index{4}, hidden_layers); }, true});
    }
    for (const auto& [name, make] : maps<S>()) {
      const auto map = make;
      cases.push_back({"elementwise " + name + size, d, c,
                       [=](Chain<S>& chain) { chain.template add<Elementwise<S>>("e", d, c, map()); }, true});
      // Every kind of network with one map, every map with one kind of network.
      const NetStyle plain{{10, 7}, 0, {Activation::tanh, 0}}, linear{{}, 0, {}}, residual{{9}, 2, {Activation::tanh, 0}};
      const NetStyle silenced{{10, 7}, 0, {Activation::tanh, 0.3}}, silenced_residual{{9}, 2, {Activation::tanh, 0.3}};
      for (const auto& [net, style] : {std::pair{"mlp", plain}, {"linear", linear}, {"residual", residual},
                                       {"dropout mlp", silenced}, {"dropout residual", silenced_residual}}) {
        const NetStyle s = style;
        if (name != "affine" && std::string_view(net) != "dropout mlp") continue;
        const std::string what = name + ' ' + net + size;
        cases.push_back({"coupling " + what, d, c,
                         [=](Chain<S>& chain) { chain.template add<Coupling<S>>("c", d, c, map(), s); }, true});
        cases.push_back({"flipped coupling " + what, d, c,
                         [=](Chain<S>& chain) { chain.template add<Coupling<S>>("c", d, c, map(), s, true); }});
        cases.push_back({"inverse autoregressive " + what, d, c,
                         [=](Chain<S>& chain) { chain.template add<InverseAutoregressive<S>>("i", d, c, map(), s); }, true});
        cases.push_back({"autoregressive " + what, d, c,
                         [=](Chain<S>& chain) { chain.template add<Autoregressive<S>>("a", d, c, map(), s); }, true});
      }
    }
  }
  return cases;
}

}  // namespace laws
