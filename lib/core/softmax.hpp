#pragma once

#include "core/for_each_lane.hpp"
#include "core/numerics.hpp"

namespace biject {

/// In place terms[k] ← e^terms[k] / Σ, Σ = Σ_k e^terms[k], of `count` > 0 terms for each of the samples; returns log Σ.
template <class S> inline Lanes<S> softmax(Lanes<S>* terms, Index count) {
  Lanes<S> most = terms[0], sum{};
  for (Index k = 1; k < count; ++k) {
    for_each_lane([&](int i) { most[i] = terms[k][i] > most[i] ? terms[k][i] : most[i]; });
  }
  for (Index k = 0; k < count; ++k) {
    for_each_lane([&](int i) {
      terms[k][i] = exp_not_high(terms[k][i] - most[i]);
      sum[i] += terms[k][i];
    });
  }
  Lanes<S> inverse;
  for_each_lane([&](int i) { inverse[i] = 1 / sum[i]; });
  for (Index k = 0; k < count; ++k) {
    for_each_lane([&](int i) { terms[k][i] *= inverse[i]; });
  }
  for_each_lane([&](int i) { most[i] += log_fast(sum[i]); });
  return most;
}

}  // namespace biject
