#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "flows/flow.hpp"
#include "train/thread_pool.hpp"

namespace biject {

struct TrainOptions {
  Index epochs = 500;              // upper bound, and the length of the cosine schedule
  Index batch_size = 512;
  double learning_rate = 1e-3;
  std::string schedule = "cosine"; // cosine: to zero over `epochs`, after a short warm-up; constant
  double weight_decay = 0;         // decoupled, per step, times the rate; matrices only
  double clip = 5;                 // bound on the global norm of the gradient; 0: none
  bool average = true;             // exponential moving average of the weights, judged beside the raw ones
  Index judge_every = 1;           // epochs from one validation to the next; on_epoch reports these epochs alone
  Index patience = 30;             // epochs without a better validation log_prob; 0: never stop early
  double seconds = 0;              // wall-clock limit; 0: none
  std::uint64_t seed = 0;
};

enum class StopReason { patience, epochs, time, interrupted, diverged };
std::string_view to_string(StopReason reason);

/// What happened in one epoch. All log_probs are means over rows in the units that the trainer was given.
struct EpochReport {
  Index epoch = 0, epochs = 0;                    // 1-based, upper bound
  double train = 0, validation = 0, best = 0;     // best: of validation so far
  bool is_best = false, is_average = false;       // the best is of this epoch; and of the averaged weights
  double rate = 0, seconds = 0;                   // seconds since the start of training
  double rows_per_second = 0;                     // of the epoch's training steps
  Index rejected_steps = 0;                       // so far
};

struct TrainHooks {
  std::function<void(const EpochReport&)> on_epoch;    // may be empty
  std::function<bool()> should_stop;                   // asked after every batch; true: interrupted. May be empty
};

struct TrainResult {
  StopReason stop = StopReason::epochs;
  Index epochs = 0, best_epoch = 0, rejected_steps = 0;
  bool averaged = false;
  double train = 0, validation = 0;                    // mean log_prob of the epoch that was kept
  double seconds = 0;
};

/// Rows to train on or to judge by. weights: empty, or rows × 1, non-negative with a positive sum.
template <class S> struct Rows {
  RowMatrix<S> x, context;   // rows × D, rows × C
  Vector<S> weights;
};

/// Maximises the mean log density by Adam. theta holds the start and, at the end, the best parameters by validation.
/// Byte for byte the same result with any number of threads. Diverging is a result, not an exception.
template <class S>
TrainResult train(const Flow<S>& flow, Arena<S>& theta, const Rows<S>& training, const Rows<S>& validation,
                  const TrainOptions& options, ThreadPool& pool, const TrainHooks& hooks);

}  // namespace biject
