#include "train/defaults.hpp"

#include <algorithm>

namespace biject {

TrainOptions default_options(const FlowSpec&, Index rows) {
  TrainOptions options;
  options.batch_size = rows < 2000 ? 128 : rows < 10'000 ? 256 : 512;
  options.learning_rate = 1e-3;
  options.epochs = std::clamp<Index>(4'000'000 / std::max<Index>(rows, 1), 20, 400);
  options.patience = 30;
  return options;
}

}  // namespace biject
