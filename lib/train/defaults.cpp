#include "train/defaults.hpp"

#include <algorithm>

namespace biject {

TrainOptions default_options(const FlowSpec&, Index rows) {
  TrainOptions options;
  options.batch_size = rows < 2000 ? 128 : rows < 10'000 ? 256 : 512;
  options.learning_rate = 1e-3;
  // About ten million rows of training, which is one to three minutes on two cores, within bounds that small and huge tables need.
  options.epochs = std::clamp<Index>(10'000'000 / std::max<Index>(rows, 1), 30, 400);
  options.patience = 30;
  return options;
}

}  // namespace biject
