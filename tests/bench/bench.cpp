// Rows per second of training, scoring and sampling one flow on random data. Not a test.
//
//     biject_bench FLOW D HIDDEN BLOCKS LAYERS MIX BATCH THREADS [SECONDS]
//     biject_bench maf 43 512,512 0 5 reverse 512 1
//
// Prints one JSON line. float32, bins 8, tail 3: the sizes at which the Python libraries are timed.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "flows/catalogue.hpp"
#include "flows/flow.hpp"
#include "train/sharded.hpp"
#include "train/trainer.hpp"

using namespace biject;

namespace {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

/// Median of rows per second over at least five runs of at least the given seconds in all.
template <class F> double rows_per_second(Index rows, double seconds, F&& run) {
  run();
  std::vector<double> rates;
  double spent = 0;
  while (rates.size() < 5 || spent < seconds) {
    const auto start = std::chrono::steady_clock::now();
    run();
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    rates.push_back(static_cast<double>(rows) / took);
    spent += took;
  }
  return median(rates);
}

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
  TrainOptions options;
  options.batch_size = std::atol(argv[7]);
  options.patience = 0;
  options.average = false;
  options.seconds = argc > 9 ? std::atof(argv[9]) : 1;
  options.epochs = 1'000'000;
  options.learning_rate = 1e-4;
  ThreadPool pool(std::atoi(argv[8]));

  const Flow<float> flow(spec);
  Arena<float> theta(flow.params());
  const Index rows = 16 * options.batch_size;
  const Rows<float> training{random(rows, spec.features), Matrix<float>(rows, 0), {}};
  const Rows<float> validation{random(1, spec.features), Matrix<float>(1, 0), {}};
  flow.init(theta, Rng(0, Stream::init), training.x, training.context);
  std::vector<double> rates;
  TrainHooks hooks;
  hooks.on_epoch = [&](const EpochReport& report) { rates.push_back(report.rows_per_second); };
  train(flow, theta, training, validation, options, pool, hooks);

  const Index many = 10'000;
  const Matrix<float> x = random(many, spec.features), nothing(many, 0);
  Vector<float> logp(many);
  Matrix<float> drawn(many, spec.features);
  ShardedFlow<float> sharded(flow, pool);
  const double score = rows_per_second(many, options.seconds, [&] { sharded.log_prob(theta, x, nothing, logp); });
  const double sample =
      rows_per_second(many, options.seconds, [&] { sharded.sample(theta, Rng(1, Stream::sample), 0, 1, nothing, drawn); });
  fmt::print("{{\"flow\": \"{}\", \"D\": {}, \"hidden\": \"{}\", \"batch\": {}, \"threads\": {}, \"parameters\": {}, \"train\": {:.0f}, \"score\": "
             "{:.0f}, \"sample\": {:.0f}}}\n",
             spec.flow, spec.features, argv[3], options.batch_size, pool.threads(), flow.params().free_count(), median(rates),
             score, sample);
}
