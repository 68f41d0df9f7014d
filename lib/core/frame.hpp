#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "core/arena.hpp"
#include "core/layout.hpp"
#include "core/rng.hpp"
#include "core/workspace.hpp"

namespace biject {

/// What a layer asks for while it is constructed: parameters, under a name made of the scopes that are open, and scratch.
class Plan {
 public:
  /// Prefixes the names of all parameters added during its life with `name` and a dot.
  class Scope {
   public:
    Scope(Plan& plan, std::string_view name) : plan_(plan), length_(plan.prefix_.size()) {
      plan.prefix_.append(name).push_back('.');
    }
    ~Scope() { plan_.prefix_.resize(length_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Plan& plan_;
    std::size_t length_;
  };

  Slot parameter(std::string_view name, Index rows, Index cols = 1) {
    return params_.add(prefix_ + std::string(name), rows, cols);
  }
  const Tensor& masked_parameter(std::string_view name, Index rows, std::vector<Index> prefix) {
    return params_.add_masked(prefix_ + std::string(name), rows, std::move(prefix));
  }
  ScratchLayout& scratch() { return scratch_; }
  const ScratchLayout& scratch() const { return scratch_; }
  const Layout& params() const { return params_; }

 private:
  Layout params_;
  ScratchLayout scratch_;
  std::string prefix_;
};

/// Randomness of a training step. Row i of the shard draws the numbers of row first_row + i, whatever the shard.
struct Noise {
  std::uint64_t seed = 0;
  std::uint64_t first_row = 0;
  Rng of(Stream stream) const { return Rng(seed, stream); }
};

/// What every computation is given. forward leaves in scratch what the backward on the same frame needs.
template <class S> struct Frame {
  const Arena<S>& theta;
  In<S> context;                 // n × C; C may be 0
  Workspace<S>& scratch;
  /// Set while training, else null. Dropout and random estimates of log-determinants draw from it; layers that
  /// iterate take a fixed number of steps if it is set, as a gradient needs, and go to their full accuracy if not.
  const Noise* noise = nullptr;
};

inline constexpr Index kMostBlockRows = 256;  // see Gradient

/// Where backward puts its results besides dx: both are added to.
template <class S> struct Gradient {
  Arena<S>& theta;
  Out<S> context;  // n × C
  /// Layers that sum by blocks (sums_by_block) add to each number of theta once for every so many rows, at most kMostBlockRows, the
  /// sum over these rows: what theta then holds is, to the bit, what comes of a backward for each block into a theta of its own and
  /// of adding these up.
  Index block = std::numeric_limits<Index>::max();
};

/// body(first, count) for each block of n rows.
template <class S, class F> void for_each_block(const Gradient<S>& grad, Index n, F&& body) {
  for (Index first = 0; first < n; first += std::min(grad.block, n - first)) body(first, std::min(grad.block, n - first));
}

}  // namespace biject
