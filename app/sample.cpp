#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "command.hpp"
#include "conditions.hpp"
#include "core/error.hpp"
#include "help_text.hpp"
#include "model/model_file.hpp"
#include "output.hpp"
#include "row_chunk.hpp"
#include "train/engine.hpp"
#include "values.hpp"

namespace biject {
namespace {

constexpr Index kMostRows = std::numeric_limits<Index>::max();  // twice that still fits the counter of draws

/// What was meant.
struct SampleOptions {
  std::uint64_t rows = 1000;  // for each condition
  std::uint64_t skip = 0, seed = 0;
  double temperature = 1;
};

/// Draws to make together: one row for each, with its given values, and consecutive numbers.
struct SampleChunk : RowChunk {
  std::uint64_t first = 0;  // number of the first row in the stream of the seed

  using RowChunk::RowChunk;
  /// Room for at most `count` more rows under a condition; returns how many.
  std::uint64_t add(std::uint64_t count, std::span<const double> condition) {
    const auto added = static_cast<Index>(std::min(count, static_cast<std::uint64_t>(values.rows() - rows)));
    for (Index column = 0; column < values.cols(); ++column)
      values.col(column).segment(rows, added).setConstant(condition[static_cast<std::size_t>(column)]);
    rows += added;
    return static_cast<std::uint64_t>(added);
  }
};

class Sample final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.group("Rows")
        .value("-n,--rows", "N", rows_,
               "how many; with --given FILE, for each of its rows; 0 gives the header alone [1000; 1 for FILE]")
        .value("-s,--seed", "N", seed_, "the same seed gives the same rows [0]")
        .value("--skip", "K", skip_,
               "begin with draw number K + 1 of the seed; with --given FILE, leave out the first K rows [0]")
        .value("--temperature", "T", temperature_,
               "factor on the noise: below 1 closer to the middle, above wider [1]")
        .toggle("--double", double_, "compute in float64, even if the model was trained in float32");
    condition_.declare(flags);
    flags.group("Output")
        .value("-o,--output", "FILE", output_, "write there instead of to standard output")
        .toggle("--with-log-prob", with_log_prob_,
                "add the column log_prob, the log-density of the row as printed")
        .toggle("--no-output-header", no_header_, "no header line");
    condition_.csv.declare(flags);
  }

  int run(const Settings& settings, const std::vector<std::string>& files) override {
    const auto options = meant();
    const auto given = biject::meant(condition_);
    if (files.empty()) return explain(kSample);
    const auto& path = only_file(files, "sample");
    auto inputs = files;
    if (!given.file.empty()) inputs.push_back(given.file);
    Output output(output_, inputs);
    const auto model = load_model(path);
    Conditions conditions(given, model, path);
    if (!conditions.file())
      settings.say_more(fmt::format("seed {}, rows {} to {} of its stream", options.seed, options.skip + 1,
                                    options.skip + options.rows));
    ThreadPool pool(settings.threads);
    Engine engine(model, double_, pool.threads());
    write(model, options, conditions, engine, pool, output);
    output.commit();
    if (const auto* file = conditions.file(); file && file->skipped().total()) settings.say(describe(file->skipped()));
    if (const auto note = conditions.outside_note(); !note.empty()) settings.say(note);
    return 0;
  }

 private:
  SampleOptions meant() const {
    SampleOptions options;
    if (condition_.given) options.rows = 1;
    if (const auto rows = as_count(rows_, 0, kMostRows)) options.rows = static_cast<std::uint64_t>(*rows);
    if (const auto skip = as_count(skip_, 0, kMostRows)) options.skip = static_cast<std::uint64_t>(*skip);
    options.seed = as_seed(seed_).value_or(options.seed);
    options.temperature = as_real(temperature_, above(0, 1000)).value_or(options.temperature);
    return options;
  }

  /// The stream of a seed is numbered, and each number has its own noise. Under one condition there is a row for
  /// every number; the conditions of a file follow each other in blocks of --rows numbers.
  void write(const Model& model, const SampleOptions& options, Conditions& conditions, Engine& engine, ThreadPool& pool,
             const Output& output) const {
    CsvWriter writer(output.descriptor(), output.name());
    bool has_header = no_header_;
    const auto write_header = [&] {
      if (std::exchange(has_header, true)) return;
      for (const auto& column : model.columns) writer.text(column.name);
      if (with_log_prob_) writer.text("log_prob");
      writer.end_line();
    };
    const bool is_file = conditions.file() != nullptr, is_live = is_file && output.is_terminal();
    const Index columns = std::ssize(model.columns), most = RowChunk::capacity_for(columns);
    const auto capacity =
        is_file ? most : static_cast<Index>(std::clamp<std::uint64_t>(options.rows, 1, static_cast<std::uint64_t>(most)));
    std::uint64_t next = options.skip, left_out = is_file ? options.skip : 0, rows_left = 0;
    const auto next_condition = [&] {  // rows_left of it are still to be drawn
      if (!conditions.next()) return false;
      const auto skipped = std::min(left_out, options.rows);
      left_out -= skipped;
      rows_left = options.rows - skipped;
      return true;
    };
    // A live stream waits for conditions while nothing else is left to do.
    Pipeline<SampleChunk> pipeline(
        pool, chunks(is_live ? 1 : Pipeline<SampleChunk>::depth(pool), SampleChunk(capacity, columns)));
    pipeline.run(
        [&](SampleChunk& chunk) {
          chunk.rows = 0;
          chunk.first = next;
          while (!chunk.is_full() && (rows_left > 0 || next_condition())) {
            rows_left -= chunk.add(rows_left, conditions.values());
            if (is_live && rows_left == 0 && chunk.rows > 0 && !conditions.next_is_ready()) break;
          }
          next += static_cast<std::uint64_t>(chunk.rows);
          return chunk.parts();
        },
        [&](int lane, SampleChunk& chunk, int number) {
          const auto part = chunk.part(number);
          auto values = chunk.values_of(part);
          engine.sample(lane, options.seed, chunk.first + static_cast<std::uint64_t>(part.first), options.temperature, values);
          if (model.spec.context > 0) check_draws(values, conditions);
          if (with_log_prob_) engine.log_prob(lane, values, chunk.log_probs_of(part));
          CsvText& lines = chunk.begin_lines(number);
          for (Index row = part.first; row < part.first + part.rows; ++row) {
            for (const double value : chunk.values.row(row)) lines.number(value);
            if (with_log_prob_) lines.number(chunk.log_probs[static_cast<std::size_t>(row)]);
            lines.end_line();
          }
        },
        [&](const SampleChunk& chunk) {
          write_header();  // not before: bad input leaves nothing on standard output
          chunk.write_lines(writer);
          if (is_live) writer.flush();
        });
    if (is_file && conditions.file()->rows_read() == 0) throw conditions.file()->no_rows_error();
    write_header();
    writer.flush();
  }

  /// A condition that is absurdly far out carries the networks beyond what their numbers can hold.
  static void check_draws(In<double> draws, const Conditions& conditions) {
    for (Index row = 0; row < draws.rows(); ++row) {
      if (draws.row(row).allFinite()) continue;
      const Vector<double> values = draws.row(row);
      throw conditions.no_draw_error(std::span(values.data(), static_cast<std::size_t>(values.size())));
    }
  }

  Value rows_, seed_, skip_, temperature_, output_;
  ConditionFlags condition_;
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
        "number.\n\n"
        "A conditional model (biject fit --given) draws its features for given values: --where says one value "
        "for a "
        "column, --given FILE has a row for each condition, and columns that --where fixes need not be in it. "
        "Given columns "
        "are printed too.",
    .examples =
        "biject sample model.flow -n 1000 > new.csv\n"
        "biject sample model.flow -n 1e6 -s 42 -o new.csv\n"
        "biject sample model.flow -n 5 --skip 1000 --with-log-prob\n"
        "biject sample price.flow -n 500 --where rooms=4 --where area=95\n"
        "biject sample price.flow -n 20 --given houses.csv -o prices.csv",
    .make = [] { return std::unique_ptr<Command>(new Sample); },
};

}  // namespace biject
