#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "command.hpp"
#include "core/error.hpp"
#include "data/column_selection.hpp"
#include "data/csv_writer.hpp"
#include "data/row_reader.hpp"
#include "help_text.hpp"
#include "model/model_file.hpp"
#include "output.hpp"
#include "summary.hpp"
#include "train/engine.hpp"
#include "values.hpp"

namespace biject {
namespace {

// Enough shards for many threads, few enough that the first lines of a slow stream appear soon.
constexpr Index kChunkRows = 24 * kShardRows;

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

/// Rows that wait to be scored together, and their texts if they are to be passed through.
class Chunk {
 public:
  Chunk(Index columns, bool keeps_text)
      : values_(kChunkRows, columns), scores_(kChunkRows), keeps_text_(keeps_text) {
    texts_.resize(keeps_text ? kChunkRows : 0);
  }
  void add(const RowReader& reader) {
    const auto row = reader.values();
    for (Index c = 0; c < values_.cols(); ++c) values_(rows_, c) = row[static_cast<std::size_t>(c)];
    if (keeps_text_) texts_[static_cast<std::size_t>(rows_)] = reader.text();
    weights_.push_back(reader.weight());
    ++rows_;
  }
  bool is_full() const { return rows_ == kChunkRows; }
  Index rows() const { return rows_; }
  void score(Engine& engine) {
    engine.log_prob(values_.topRows(rows_), std::span(scores_).first(static_cast<std::size_t>(rows_)));
  }
  double score(Index row) const { return scores_[static_cast<std::size_t>(row)]; }
  double weight(Index row) const { return weights_[static_cast<std::size_t>(row)]; }
  const std::string& text(Index row) const { return texts_[static_cast<std::size_t>(row)]; }
  void clear() {
    rows_ = 0;
    weights_.clear();
  }

 private:
  Matrix<double> values_;
  std::vector<double> scores_, weights_;
  std::vector<std::string> texts_;
  Index rows_ = 0;
  bool keeps_text_;
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
    Engine engine(model, options.in_double, pool);

    std::vector<std::string> names;
    for (const auto& column : model.columns) names.push_back(column.name);
    RowReader reader(names, paths, csv, options.columns);
    if (!options.columns.only.empty()) settings.say(describe_places(names, reader.names()));
    with_place(name_of(paths), [&] {
      if (options.summarizes)
        summarize(options, model, reader, engine, output);
      else
        score(options, model, reader, engine, output);
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

  /// Hands chunks of scored rows to `use` while they come in; the last row of a chunk is the last one that
  /// has arrived if the output is live. Error data if there is no row at all.
  template <class Use>
  static void score_chunks(RowReader& reader, Engine& engine, Chunk& chunk, bool is_live, const Use& use) {
    const auto finish = [&] {
      if (chunk.rows() == 0) return;
      chunk.score(engine);
      use(chunk);
      chunk.clear();
    };
    while (reader.next()) {
      chunk.add(reader);
      if (chunk.is_full() || (is_live && !reader.next_is_ready())) finish();
    }
    finish();
  }

  static void score(const ScoreOptions& options, const Model& model, RowReader& reader, Engine& engine,
                    Output& output) {
    const bool is_live = options.buffer == "lines" || (options.buffer == "auto" && output.is_terminal());
    CsvWriter writer(output.descriptor(), output.name(), Flush::block,
                     options.appends ? reader.delimiter() : ',');
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
      if (options.appends) writer.verbatim(header);
      writer.text(options.name);
      writer.end_line();
      has_header = true;
    };
    Chunk chunk(static_cast<Index>(model.columns.size()), options.appends);
    score_chunks(reader, engine, chunk, is_live, [&](const Chunk& scored) {
      if (!has_header) write_header();  // not before: bad input leaves nothing on standard output
      for (Index row = 0; row < scored.rows(); ++row) {
        if (options.appends) writer.verbatim(scored.text(row));
        writer.number(in_units(scored.score(row), options));
        writer.end_line();
      }
      if (is_live) writer.flush();
    });
    if (reader.rows_read() == 0) throw reader.no_rows_error();
    if (!has_header) write_header();
    writer.flush();
  }

  static void summarize(const ScoreOptions& options, const Model& model, RowReader& reader, Engine& engine,
                        Output& output) {
    ScoreSummary summary;
    Chunk chunk(static_cast<Index>(model.columns.size()), false);
    score_chunks(reader, engine, chunk, false, [&](const Chunk& scored) {
      for (Index row = 0; row < scored.rows(); ++row)
        summary.add(in_units(scored.score(row), options), scored.weight(row));
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
