#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "core/error.hpp"
#include "data/column_selection.hpp"
#include "data/row_reader.hpp"
#include "help_text.hpp"
#include "model/model_file.hpp"
#include "output.hpp"
#include "row_chunk.hpp"
#include "summary.hpp"
#include "train/engine.hpp"
#include "values.hpp"

namespace biject {
namespace {

/// What was meant.
struct ScoreOptions {
  bool appends = false, summarizes = false, is_json = false, in_double = false;
  TableColumns columns;
  std::string name = "log_prob", units = "nats", buffer = "auto";
};

/// The swapped pair is the likeliest reason why a model is none.
Model load_model_of(const std::vector<std::string>& files) {
  try {
    return load_model(files.front());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model || files.size() < 2 || files[1] == "-") throw;
    try {
      load_model_header(files[1]);
    } catch (const Error&) {
      throw error;
    }
    throw Error(error.kind(), error.where(), error.what(),
                fmt::format("the model stands first: biject score {} {}", files[1], files[0]),
                error.excerpt());
  }
}

/// "reading a for x, b for y": what stands in the place of the model's columns.
std::string describe_places(std::span<const std::string> names, std::span<const std::string> present) {
  std::vector<std::string> pairs;
  for (std::size_t i = 0; i < names.size(); ++i)
    pairs.push_back(fmt::format("{} for {}", present[i], names[i]));
  return "reading " + list_of(pairs);
}

/// Rows to score, with their weights, and their texts if they are to be passed through.
struct ScoreChunk : RowChunk {
  std::vector<double> weights;
  std::vector<std::string> texts;  // none or one for each row

  ScoreChunk(Index columns, bool keeps_text, char delimiter)
      : RowChunk(capacity_for(columns), columns, delimiter),
        weights(log_probs.size()),
        texts(keeps_text ? log_probs.size() : 0) {}

  void add(const RowReader& reader) {
    const auto row = reader.values();
    for (Index c = 0; c < values.cols(); ++c) values(rows, c) = row[static_cast<std::size_t>(c)];
    const auto i = static_cast<std::size_t>(rows++);
    if (!texts.empty()) texts[i] = reader.text();
    weights[i] = reader.weight();
  }
};

class Score final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.group("Input")
        .value("-c,--columns", "SEL", columns_,
               "these columns stand for those of the model, one for each in its order [found by name]")
        .value("-C,--not-columns", "SEL", not_columns_, "leave these columns out before looking for names");
    flags.group("Output")
        .value("-o,--output", "FILE", output_, "write there instead of to standard output")
        .toggle("-a,--append", append_, "pass every line through and add the log-density as last column")
        .value("--name", "NAME", name_, "name of the column [log_prob]")
        .value("--units", "UNITS", units_, "nats or bits [nats]")
        .toggle("--summary", summary_,
                "rows, mean with standard error, quantiles, bits per dimension instead of a column")
        .toggle("--json", json_, "with --summary: as JSON")
        .value("--weights", "COL", weights_, "with --summary: weight the rows by this column")
        .value("--buffer", "WHEN", buffer_,
               "lines: a line out as soon as a line is in; block: many at once; auto: lines on a terminal "
               "[auto]")
        .toggle("--double", double_, "compute in float64, even if the model was trained in float32");
    csv_.declare(flags);
  }

  int run(const Settings& settings, const std::vector<std::string>& files) override {
    const auto options = meant();
    const auto csv = csv_.options();
    if (files.empty()) return explain(kScore);
    const auto paths = input_files({files.begin() + 1, files.end()});
    if (paths.empty()) return explain(kScore);
    Output output(output_, files);
    const auto model = load_model_of(files);
    ThreadPool pool(settings.threads);
    Engine engine(model, options.in_double, pool.threads());

    std::vector<std::string> names;
    for (const auto& column : model.columns) names.push_back(column.name);
    RowReader reader(names, paths, csv, options.columns);
    if (!options.columns.only.empty()) settings.say(describe_places(names, reader.names()));
    with_place(name_of(paths), [&] {
      if (options.summarizes)
        summarize(options, model, reader, engine, pool, output);
      else
        score(options, model, reader, engine, pool, output);
    });
    output.commit();
    if (reader.skipped().total()) settings.say(describe(reader.skipped()));
    return 0;
  }

 private:
  ScoreOptions meant() const {
    const auto contradict = [](std::string_view a, std::string_view b) {
      throw Error(ErrorKind::usage, "", fmt::format("{} and {} contradict each other", a, b),
                  "keep one of them");
    };
    const auto needs_summary = [](std::string_view flag) {
      throw Error(ErrorKind::usage, "", fmt::format("{} needs --summary", flag),
                  "biject score --help explains it");
    };
    if (summary_ && append_) contradict("--summary", "--append");
    if (summary_ && name_) contradict("--summary", "--name");
    if (summary_ && buffer_) contradict("--summary", "--buffer");
    if (json_ && !summary_) needs_summary("--json");
    if (weights_ && !summary_) needs_summary("--weights");
    ScoreOptions options;
    options.appends = append_;
    options.summarizes = summary_;
    options.is_json = json_;
    options.in_double = double_;
    options.columns = {as_text(columns_).value_or(""), as_text(not_columns_).value_or(""),
                       as_text(weights_).value_or("")};
    options.name = as_text(name_).value_or(options.name);
    options.units = as_word(units_, "nats bits").value_or(options.units);
    options.buffer = as_word(buffer_, "auto lines block").value_or(options.buffer);
    return options;
  }

  /// From nats; bits are more, and even the lowest density stays a number.
  static double in_units(double log_prob, const ScoreOptions& options) {
    if (options.units == "nats") return log_prob;
    return std::max(log_prob / std::numbers::ln2, std::numeric_limits<double>::lowest());
  }

  /// Scores all rows; `finish` does what is left to do for a part of a chunk, on any thread, and `use` gets the chunks in
  /// order. The last row of a chunk is the last one that has arrived if the output is live.
  template <class Finish, class Use>
  static void score_chunks(RowReader& reader, Engine& engine, ThreadPool& pool, const ScoreChunk& empty, bool is_live,
                           const Finish& finish, const Use& use) {
    // A live stream waits for rows while nothing else is left to do, so that everything is told before it waits.
    Pipeline<ScoreChunk> pipeline(pool, chunks(is_live ? 1 : Pipeline<ScoreChunk>::depth(pool), empty));
    pipeline.run(
        [&](ScoreChunk& chunk) {
          chunk.rows = 0;
          while (!chunk.is_full() && reader.next()) {
            chunk.add(reader);
            if (is_live && !reader.next_is_ready()) break;
          }
          return chunk.parts();
        },
        [&](int lane, ScoreChunk& chunk, int number) {
          const auto part = chunk.part(number);
          engine.log_prob(lane, chunk.values_of(part), chunk.log_probs_of(part));
          finish(chunk, number);
        },
        use);
  }

  static void score(const ScoreOptions& options, const Model& model, RowReader& reader, Engine& engine, ThreadPool& pool,
                    Output& output) {
    const bool is_live = options.buffer == "lines" || (options.buffer == "auto" && output.is_terminal());
    const char delimiter = options.appends ? reader.delimiter() : ',';
    CsvWriter writer(output.descriptor(), output.name(), Flush::block, delimiter);
    if (options.appends) {
      reader.require_same_headers();
      if (std::ranges::find(reader.columns(), options.name) != reader.columns().end())
        throw Error(ErrorKind::usage, "",
                    fmt::format("--append: the table has a column '{}' already", options.name),
                    fmt::format("--name {}_2", options.name));
    }
    const std::string header(options.appends ? reader.header_text() : "");
    bool has_header = false;
    const auto write_header = [&] {
      if (std::exchange(has_header, true)) return;
      if (options.appends) writer.verbatim(header);
      writer.text(options.name);
      writer.end_line();
    };
    score_chunks(
        reader, engine, pool, ScoreChunk(std::ssize(model.columns), options.appends, delimiter), is_live,
        [&](ScoreChunk& chunk, int number) {
          CsvText& lines = chunk.begin_lines(number);
          const auto [first, rows] = chunk.part(number);
          for (auto row = static_cast<std::size_t>(first); row < static_cast<std::size_t>(first + rows); ++row) {
            if (options.appends) lines.verbatim(chunk.texts[row]);
            lines.number(in_units(chunk.log_probs[row], options));
            lines.end_line();
          }
        },
        [&](const ScoreChunk& chunk) {
          write_header();  // not before: bad input leaves nothing on standard output
          chunk.write_lines(writer);
          if (is_live) writer.flush();
        });
    if (reader.rows_read() == 0) throw reader.no_rows_error();
    write_header();
    writer.flush();
  }

  static void summarize(const ScoreOptions& options, const Model& model, RowReader& reader, Engine& engine,
                        ThreadPool& pool, Output& output) {
    ScoreSummary summary;
    score_chunks(
        reader, engine, pool, ScoreChunk(std::ssize(model.columns), false, ','), false, [](ScoreChunk&, int) {},
        [&](const ScoreChunk& chunk) {
          for (std::size_t row = 0; row < static_cast<std::size_t>(chunk.rows); ++row)
            summary.add(in_units(chunk.log_probs[row], options), chunk.weights[row]);
        });
    if (summary.size() == 0) throw reader.no_rows_error();
    if (summary.total_weight() <= 0)
      throw Error(ErrorKind::data, "", "all weights are zero", "at least one row needs a weight above zero");
    const auto features = static_cast<double>(model.spec.features);
    output.write(options.is_json ? summary.json(options.units, features)
                                 : summary.text(options.units, features));
  }

  Value output_, name_, units_, buffer_, columns_, not_columns_, weights_;
  bool append_ = false, summary_ = false, json_ = false, double_ = false;
  CsvFlags csv_;
};

}  // namespace

const CommandRow kScore{
    .name = "score",
    .summary = "log-density of each row of a table",
    .usage = "[OPTIONS] MODEL [CSV…]",
    .description =
        "Prints one column, log_prob: the natural logarithm of the density that the model gives to each row, "
        "in the "
        "units of the file, one line per row in the order of the rows. It is always a finite number. Under a "
        "conditional "
        "model it is the density of the features for the given values of the row.\n\n"
        "The columns of the model are found by name, in any order; further columns are ignored. For a table "
        "that calls them otherwise, --columns says what stands for each of them. Without a "
        "file, CSV is "
        "read from standard input. Rows stream through in constant memory.",
    .examples =
        "biject score model.flow new.csv > log_prob.csv\n"
        "biject score -a model.flow day.csv | awk -F, 'NR == 1 || $NF < -15'\n"
        "tail -n +1 -F sensor.csv | biject score -a --buffer lines model.flow -\n"
        "biject score --summary model.flow test.csv",
    .make = [] { return std::unique_ptr<Command>(new Score); },
};

}  // namespace biject
