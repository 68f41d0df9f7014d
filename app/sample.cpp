#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "command.hpp"
#include "core/error.hpp"
#include "data/csv_writer.hpp"
#include "help_text.hpp"
#include "model/model_file.hpp"
#include "output.hpp"
#include "train/engine.hpp"
#include "values.hpp"

namespace biject {
namespace {

constexpr Index kChunkRows = 24 * kShardRows;
constexpr Index kMostRows = std::numeric_limits<Index>::max();  // twice that still fits the counter of draws

/// What was meant.
struct SampleOptions {
  std::uint64_t rows = 1000, skip = 0, seed = 0;
  double temperature = 1;
};

class Sample final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.group("Rows")
        .value("-n,--rows", "N", rows_, "how many; 0 gives the header alone [1000]")
        .value("-s,--seed", "N", seed_, "the same seed gives the same rows [0]")
        .value("--skip", "K", skip_, "begin with draw number K + 1 of the seed [0]")
        .value("--temperature", "T", temperature_,
               "factor on the noise: below 1 closer to the middle, above wider [1]")
        .toggle("--double", double_, "compute in float64, even if the model was trained in float32");
    flags.group("Output")
        .value("-o,--output", "FILE", output_, "write there instead of to standard output")
        .toggle("--with-log-prob", with_log_prob_,
                "add the column log_prob, the log-density of the row as printed")
        .toggle("--no-output-header", no_header_, "no header line");
  }

  int run(const Settings& settings, const std::vector<std::string>& files) override {
    const auto options = meant();
    if (files.empty()) return explain(kSample);
    const auto& path = only_file(files, "sample");
    Output output(output_, files);
    const auto model = load_model(path);
    if (model.spec.context > 0)
      throw Error(ErrorKind::usage, path, "the model is conditional; it has no draws without a condition");
    settings.say_more(fmt::format("seed {}, rows {} to {} of its stream", options.seed, options.skip + 1,
                                  options.skip + options.rows));
    ThreadPool pool(settings.threads);
    Engine engine(model, double_, pool);
    write(model, options, engine, output);
    output.commit();
    return 0;
  }

 private:
  SampleOptions meant() const {
    SampleOptions options;
    if (const auto rows = as_count(rows_, 0, kMostRows)) options.rows = static_cast<std::uint64_t>(*rows);
    if (const auto skip = as_count(skip_, 0, kMostRows)) options.skip = static_cast<std::uint64_t>(*skip);
    options.seed = as_seed(seed_).value_or(options.seed);
    options.temperature = as_real(temperature_, above(0, 1000)).value_or(options.temperature);
    return options;
  }

  void write(const Model& model, const SampleOptions& options, Engine& engine, const Output& output) const {
    CsvWriter writer(output.descriptor(), output.name());
    if (!no_header_) {
      for (const auto& column : model.columns) writer.text(column.name);
      if (with_log_prob_) writer.text("log_prob");
      writer.end_line();
    }
    const auto columns = static_cast<Index>(model.columns.size());
    Matrix<double> values(static_cast<Index>(std::min<std::uint64_t>(options.rows, kChunkRows)), columns);
    std::vector<double> log_probs(static_cast<std::size_t>(values.rows()));
    for (std::uint64_t first = 0; first < options.rows;) {
      const auto rows = static_cast<Index>(std::min<std::uint64_t>(options.rows - first, kChunkRows));
      engine.sample(options.seed, options.skip + first, options.temperature, values.topRows(rows));
      if (with_log_prob_)
        engine.log_prob(values.topRows(rows), std::span(log_probs).first(static_cast<std::size_t>(rows)));
      for (Index row = 0; row < rows; ++row) {
        for (Index column = 0; column < columns; ++column) writer.number(values(row, column));
        if (with_log_prob_) writer.number(log_probs[static_cast<std::size_t>(row)]);
        writer.end_line();
      }
      first += static_cast<std::uint64_t>(rows);
    }
    writer.flush();
  }

  Value rows_, seed_, skip_, temperature_, output_;
  bool with_log_prob_ = false, no_header_ = false, double_ = false;
};

}  // namespace

const CommandRow kSample{
    .name = "sample",
    .summary = "draw new rows from a model",
    .usage = "[OPTIONS] MODEL",
    .description =
        "Prints independent draws from the density of the model as CSV, in the units of the table that it "
        "was trained "
        "on. The same model and seed give the same rows, and row i is the same row whatever the number of "
        "rows and of "
        "threads. Rows stream out in constant memory, in the shortest form that reads back as the same "
        "number.",
    .examples =
        "biject sample model.flow -n 1000 > new.csv\n"
        "biject sample model.flow -n 1e6 -s 42 -o new.csv\n"
        "biject sample model.flow -n 5 --skip 1000 --with-log-prob",
    .make = [] { return std::unique_ptr<Command>(new Sample); },
};

}  // namespace biject
