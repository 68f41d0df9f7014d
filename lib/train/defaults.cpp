#include "train/defaults.hpp"

#include <algorithm>

#include "flows/catalogue.hpp"

namespace biject {

TrainOptions default_options(const FlowSpec& spec, Index rows) {
  const FlowRow &row = *find_flow(spec.flow), &parts = *row_of_parts(spec);
  TrainOptions options;
  options.batch_size = rows < 2000 ? 128 : rows < 10'000 ? 256 : 512;
  options.learning_rate = parts.learning_rate;
  // About ten million rows of training, which is one to three minutes on two cores, within bounds that small and huge tables need.
  const auto budget = static_cast<Index>(10'000'000 / (&parts == &row ? row.cost : row.cost * parts.cost));
  options.epochs = std::clamp<Index>(budget / std::max<Index>(rows, 1), 30, 400);
  if (row.objective == Objective::matching) options.judge_every = 10;  // one likelihood costs as much as many epochs
  options.patience = 30;
  return options;
}

}  // namespace biject
