#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

namespace biject {

/// The factor on the learning rate: a linear warm-up over the first `warmup` steps, times, if is_cosine, a half cosine from 1 to 0
/// over the training (Loshchilov, Hutter 2017, SGDR, equation 5 without restarts). progress in [0, 1]; step counts from 0.
inline double schedule_factor(bool is_cosine, long step, long warmup, double progress) {
  const double rise = std::min(1., static_cast<double>(step + 1) / static_cast<double>(std::max(warmup, 1L)));
  return is_cosine ? rise * 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(progress, 0., 1.))) : rise;
}

}  // namespace biject
