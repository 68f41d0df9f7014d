#pragma once

#include "flows/spec.hpp"
#include "train/trainer.hpp"

namespace biject {

/// The training options that `fit` uses where the user said nothing, by the flow and the number of rows to train on.
TrainOptions default_options(const FlowSpec& spec, Index rows);

}  // namespace biject
