#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/types.hpp"

namespace biject {

/// The words that some fields of a spec may hold, separated by spaces.
inline constexpr std::string_view kSchemes = "autoregressive coupling elementwise";
inline constexpr std::string_view kMixings = "lu qr householder permute reverse none";
inline constexpr std::string_view kBases = "normal student laplace logistic mixture made-mog uniform";

inline constexpr Index kMostComponents = 64;

/// Everything structural about a flow, as plain values: together with the parameters it is the flow.
struct FlowSpec {
  std::string flow = "nsf";            // name of a row of the catalogue
  Index features = 0;                  // D
  Index context = 0;                   // C
  std::string scheme = "";             // of kSchemes; empty: the flow's own
  Index layers = 5;                    // transformations, mixing not counted
  std::vector<Index> hidden{64, 64};   // widths of the conditioner; one width if blocks > 0
  Index blocks = 0;                    // residual blocks; 0: a plain network
  Index bins = 8;                      // K: bins of a spline, degree of a polynomial, kernels or units of other maps
  double tail = 5;                     // half width of the interval on which a map bends, in standard deviations
  std::string mix = "lu";              // of kMixings: what stands between layers
  std::string base = "normal";         // of kBases
  Index components = 8;                // of a mixture: of flows, or of Gaussians in the base
  std::string component_flow = "maf";  // of the flow `mixture`: a row of the catalogue
  double dropout = 0;                  // probability that a hidden unit is silenced in a training step
  std::string activation = "relu";     // relu, tanh
  bool operator==(const FlowSpec&) const = default;
};

/// Throws Error (ErrorKind::usage) that names the field if a value is out of range, unknown, one that this flow does not read and
/// that differs from the default, or one that makes no sense with the others. Every size is bounded, so that a spec from
/// a hostile file cannot ask for more than a few gigabytes.
void check(const FlowSpec& spec);

}  // namespace biject
