#pragma once

#include <vector>

#include "core/arena.hpp"
#include "core/layout.hpp"

namespace biject {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;  // decoupled: θ ← θ − rate·weight_decay·θ, for matrices only
};

/// Adam (Kingma, Ba 2015, algorithm 1) with decoupled weight decay (Loshchilov, Hutter 2019, algorithm 2). One step counter for all
/// parameters. The parameter range is cut in slices that depend on the layout alone; each can be updated by another thread.
template <class S> class Adam {
 public:
  Adam(const Layout& layout, AdamOptions options);

  int slices() const { return static_cast<int>(slices_.size()); }
  Index slice_begin(int slice) const { return slices_[static_cast<std::size_t>(slice)].begin; }
  Index slice_end(int slice) const { return slices_[static_cast<std::size_t>(slice)].end; }

  /// Begins step number 1, 2, …: call once, before the slices.
  void begin_step();
  /// θ ← θ − rate·(m̂ / (√v̂ + ε) + decay·θ) on one slice, for the gradient scale·grad.
  void update_slice(int slice, Arena<S>& theta, const Arena<S>& grad, double scale, double rate);
  /// All slices.
  void step(Arena<S>& theta, const Arena<S>& grad, double rate);
  /// Forgets the moments and the step counter.
  void reset();

 private:
  struct Slice {
    Index begin, end;
    bool decays;
  };
  AdamOptions options_;
  std::vector<Slice> slices_;
  Arena<S> m_, v_;
  double power1_ = 1, power2_ = 1;  // βᵗ
};

}  // namespace biject
