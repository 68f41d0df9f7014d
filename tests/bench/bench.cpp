// Rows per second of training, scoring and sampling one flow on random data. Not a test.
//
//     biject_bench FLOW D HIDDEN BLOCKS LAYERS MIX BATCH THREADS [SECONDS]
//     biject_bench maf 43 512,512 0 5 reverse 512 1 1
//
// With SECONDS: so long for each of the three, in five blocks that take turns, and the medians as one line of JSON. Without: does what
// lines of standard input ask for, "train 0.4", "score 0.4" or "sample 0.4", and answers each block with a line of JSON, after a first
// one about the flow; meanwhile it sleeps, so that tests/bench/compare can let it and other programs take turns.
//
// float32, bins 8, tail 3: the sizes at which the Python libraries are timed. BATCH is that of training.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "flows/catalogue.hpp"
#include "flows/flow.hpp"
#include "train/sharded.hpp"
#include "train/trainer.hpp"

using namespace biject;

namespace {

constexpr Index kBatches = 16;        // of an epoch of training
constexpr Index kManyRows = 10'000;   // scored or sampled at once
constexpr int kRounds = 5;
constexpr std::array kPhases = {"train", "score", "sample"};

struct Block {
  std::string phase;
  double seconds = 0;  // at least
};

struct Done {
  std::string phase;
  Index rows = 0;
  double seconds = 0;
};

Matrix<float> random(Index rows, Index cols) {
  const Rng rng(1, Stream::sample);
  Matrix<float> x(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) {
      x(i, j) = static_cast<float>(0.9 * rng.normal(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(j)));
    }
  }
  return x;
}

/// Does blocks one after the other, as long as there are more. Training is not called but calls: the trainer asks now and then whether
/// it shall stop, which is where its blocks begin and end. So they are whole steps of the trainer itself, shuffles of the rows included,
/// and it stays warm while others have their turn.
class Bench {
 public:
  using Next = std::function<std::optional<Block>()>;
  using Answer = std::function<void(const Done&)>;

  Bench(const FlowSpec& spec, Index batch_size, ThreadPool& pool)
      : flow_(spec), theta_(flow_.params()), pool_(pool), batch_size_(batch_size), sharded_(flow_, pool),
        training_{random(kBatches * batch_size, spec.features), RowMatrix<float>(kBatches * batch_size, 0), {}},
        x_(random(kManyRows, spec.features)), drawn_(kManyRows, spec.features), nothing_(kManyRows, 0), logp_(kManyRows) {
    flow_.init(theta_, Rng(0, Stream::init), training_.x, training_.context);
  }

  const Flow<float>& flow() const { return flow_; }

  /// False if rows may have been miscounted.
  bool run(const Next& next, const Answer& answer) {
    const Rows<float> validation{random(1, flow_.spec().features), RowMatrix<float>(1, 0), {}};
    TrainOptions options;
    options.epochs = 1'000'000;
    options.batch_size = batch_size_;
    options.learning_rate = 1e-4;
    options.average = false;            // the libraries have none
    options.judge_every = options.epochs;
    options.patience = 0;
    TrainHooks hooks;
    hooks.should_stop = [&] { return ++calls_, is_over(next, answer); };
    const TrainResult result = train(flow_, theta_, training_, validation, options, pool_, hooks);
    return result.rejected_steps == 0 && result.epochs == (calls_ - 1) / kCallsPerEpoch + 1;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr Index kCallsPerEpoch = kBatches + 1;  // before each batch, and after the last

  static double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

  Index trained_rows() const { return (calls_ - 1 - (calls_ - 1) / kCallsPerEpoch) * batch_size_; }

  bool is_over(const Next& next, const Answer& answer) {
    if (block_) {
      const Done done{"train", trained_rows() - rows_before_, since(start_)};
      if (done.seconds < block_->seconds || done.rows == 0) return false;
      answer(done);
    }
    while ((block_ = next())) {
      start_ = Clock::now();
      if (block_->phase == "train") {
        rows_before_ = trained_rows();
        return false;
      }
      Done done{block_->phase};
      do {
        if (done.phase == "score") {
          sharded_.log_prob(theta_, x_, nothing_, logp_);
        } else {
          sharded_.sample(theta_, Rng(1, Stream::sample), 0, 1, nothing_, drawn_);
        }
        done.rows += kManyRows;
        done.seconds = since(start_);
      } while (done.seconds < block_->seconds);
      answer(done);
    }
    return true;
  }

  Flow<float> flow_;
  Arena<float> theta_;
  ThreadPool& pool_;
  Index batch_size_;
  ShardedFlow<float> sharded_;
  Rows<float> training_;
  RowMatrix<float> x_;
  Matrix<float> drawn_, nothing_;
  Vector<float> logp_;
  Index calls_ = 0, rows_before_ = 0;
  std::optional<Block> block_;
  Clock::time_point start_;
};

/// Parameters with and without those that a mask forbids, and [rows, columns, numbers stored] of each matrix: what its product with one
/// row of samples needs.
std::string description(const Layout& layout, int threads) {
  Index all = 0;
  std::string matrices;
  for (const Tensor& tensor : layout.tensors()) {
    all += tensor.rows * tensor.cols;
    if (tensor.cols == 1) continue;
    Index stored = 0;
    for (const Panel& panel : tensor.panels) stored += panel.slot.rows * panel.slot.cols;
    matrices += fmt::format("{}[{}, {}, {}]", matrices.empty() ? "" : ", ", tensor.rows, tensor.cols, stored);
  }
  return fmt::format(R"({{"parameters": {}, "unmasked": {}, "threads": {}, "matrices": [{}]}})", all, layout.free_count(), threads, matrices);
}

bool answer_requests(Bench& bench, int threads) {
  fmt::print("{}\n", description(bench.flow().params(), threads));
  std::fflush(stdout);
  const auto next = []() -> std::optional<Block> {
    Block block;
    if (!(std::cin >> block.phase >> block.seconds)) return {};
    if (std::ranges::find(kPhases, block.phase) != kPhases.end()) return block;
    fmt::print(stderr, "biject_bench: '{}' is none of train, score, sample\n", block.phase);
    std::exit(2);
  };
  return bench.run(next, [](const Done& done) {
    fmt::print("{{\"phase\": \"{}\", \"rows\": {}, \"seconds\": {}}}\n", done.phase, done.rows, done.seconds);
    std::fflush(stdout);
  });
}

bool print_medians(Bench& bench, double seconds, Index batch_size, int threads) {
  std::size_t begun = 0;
  const auto next = [&]() -> std::optional<Block> {
    if (begun == kRounds * kPhases.size()) return {};
    return Block{kPhases[begun++ % kPhases.size()], seconds / kRounds};
  };
  std::map<std::string, std::vector<double>> rates;
  if (!bench.run(next, [&](const Done& done) { rates[done.phase].push_back(static_cast<double>(done.rows) / done.seconds); })) return false;
  const auto median = [&](const char* phase) {
    std::ranges::sort(rates[phase]);
    return rates[phase][kRounds / 2];
  };
  const FlowSpec& spec = bench.flow().spec();
  fmt::print(R"({{"flow": "{}", "D": {}, "hidden": "{}", "batch": {}, "threads": {}, "parameters": {}, "train": {:.0f}, "score": {:.0f}, "sample": {:.0f}}})" "\n",
             spec.flow, spec.features, fmt::join(spec.hidden, ","), batch_size, threads, bench.flow().params().free_count(),
             median("train"), median("score"), median("sample"));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 9 || find_flow(argv[1]) == nullptr) {
    fmt::print(stderr, "usage: biject_bench FLOW D HIDDEN BLOCKS LAYERS MIX BATCH THREADS [SECONDS]\n");
    return 2;
  }
  FlowSpec spec = default_spec(*find_flow(argv[1]), 10'000, std::atol(argv[2]), 0);
  spec.hidden.clear();
  std::istringstream widths(argv[3]);
  for (std::string width; std::getline(widths, width, ',');) spec.hidden.push_back(std::stol(width));
  spec.blocks = std::atol(argv[4]);
  spec.layers = std::atol(argv[5]);
  spec.mix = argv[6];
  spec.dropout = 0;
  if (spec.flow.starts_with("nsf")) spec.tail = 3;
  const Index batch_size = std::atol(argv[7]);
  ThreadPool pool(std::atoi(argv[8]));

  Bench bench(spec, batch_size, pool);
  const bool good = argc > 9 ? print_medians(bench, std::atof(argv[9]), batch_size, pool.threads()) : answer_requests(bench, pool.threads());
  if (!good) fmt::print(stderr, "biject_bench: the trainer rejected steps, or asks whether to stop at other times than this program thinks\n");
  return good ? 0 : 1;
}
