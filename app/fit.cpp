#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "command.hpp"
#include "core/error.hpp"
#include "data/table.hpp"
#include "describe.hpp"
#include "epoch_log.hpp"
#include "fit_flags.hpp"
#include "fit_report.hpp"
#include "help_text.hpp"
#include "model/model_file.hpp"
#include "output.hpp"
#include "progress.hpp"
#include "signals.hpp"
#include "train/fit.hpp"

namespace biject {
namespace {

constexpr int kSignalStatus = 128;  // what a shell adds to the number of a signal

/// The table without columns that hold one value, and their names: left over, they are dropped; asked for, they are
/// an error.
std::pair<Table, std::vector<std::string>> without_constants(Table table, const FitOptions& options) {
  std::vector<std::string> names;
  std::vector<bool> is_constant(table.names.size(), false);
  for (const Index column : constant_columns(table)) {
    is_constant[static_cast<std::size_t>(column)] = true;
    names.push_back(table.names[static_cast<std::size_t>(column)]);
  }
  if (names.empty()) return {std::move(table), std::move(names)};
  std::vector<Index> others;
  std::array<bool, 2> is_left{};  // a feature; a given column
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    if (is_constant[i]) continue;
    others.push_back(static_cast<Index>(i));
    is_left[table.is_given[i]] = true;
  }
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    const bool is_given = table.is_given[i], was_asked_for = is_given ? options.gives_by_name : options.selects_by_name;
    if (!is_constant[i] || (is_left[is_given] && !was_asked_for)) continue;
    throw Error(ErrorKind::data, "",
                is_given ? fmt::format("given column '{}' is constant: there is nothing to learn from it", table.names[i])
                         : fmt::format("column '{}' is constant and has no density", table.names[i]),
                fmt::format("leave it out of --{}", is_given ? "given" : "columns"));
  }
  return {keep_columns(std::move(table), others), std::move(names)};
}

class Fit final : public Command {
 public:
  void declare(Flags& flags) override { flags_.declare(flags); }

  int run(const Settings& settings, const std::vector<std::string>& files) override {
    const auto paths = input_files(files);
    if (paths.empty()) return explain(kFit);
    const auto options = meant(flags_);
    if (!flags_.output && !flags_.dry_run)
      throw Error(ErrorKind::usage, "", "fit needs a file for the model", "-o model.flow");
    auto inputs = paths;
    if (!options.validation_file.empty()) inputs.push_back(options.validation_file);
    if (std::ranges::count(inputs, "-") > 1)
      throw Error(ErrorKind::usage, "", "standard input is asked for data and for validation",
                  "name a file for one of them");

    Output output(flags_.output, inputs);  // opened now: training for a folder that is not there would be sad
    if (!flags_.dry_run && output.is_stdout() && output.is_terminal())
      throw Error(ErrorKind::usage, "", "a model does not belong on a terminal", "-o model.flow");
    EpochLog log(flags_.dry_run ? Value{} : flags_.log, flags_.output, inputs);
    return with_place(name_of(paths), [&] { return fit_table(settings, options, paths, output, log); });
  }

 private:
  int fit_table(const Settings& settings, const FitOptions& options, const std::vector<std::string>& paths,
                Output& output, EpochLog& log) const {
    auto [data, skipped] = read(settings, options, paths);
    const Index given = std::ranges::count(data.is_given, true);
    const auto plan = plan_fit(options.request, data.values.rows(),
                               data.validation ? data.validation->rows() : 0, data.values.cols() - given, given);
    ThreadPool pool(settings.threads);
    if (flags_.dry_run) {
      Output report;
      report.write(describe_dry_run(data, plan, measure_epoch_seconds(data, plan, options.request, pool)));
      report.commit();
      return 0;
    }

    settings.say(describe_plan(plan));
    settings.say_more(fmt::format("seed {}, {}", options.request.seed, plural(pool.threads(), "thread")));
    log.begin();
    const PoliteStop stop;
    auto model = train(settings, std::move(data), plan, options.request, pool, log);
    const bool is_interrupted = model.training.stop == to_string(StopReason::interrupted);
    const int status = is_interrupted ? kSignalStatus + PoliteStop::signal() : 0;
    if (is_interrupted && model.training.best_epoch == 0) {
      settings.say("interrupted before any epoch was better than the start; nothing to write");
      return status;
    }
    model.training.rows_skipped = skipped;
    const auto bytes = serialize(model);
    output.write(bytes);
    output.commit();
    settings.say(describe_result(model, plan, output.is_stdout() ? "" : output.name(), bytes.size()));
    return status;
  }

  /// What is to be fitted, and how many rows were left out.
  std::pair<FitData, std::int64_t> read(const Settings& settings, const FitOptions& options,
                                        const std::vector<std::string>& paths) const {
    const auto weights = flags_.weights.text.value_or("");
    const TableColumns columns{flags_.columns.text.value_or(""), flags_.not_columns.text.value_or(""),
                               weights, flags_.given.text.value_or("")};
    auto all = read_table(paths, columns, options.csv);
    // Too few rows are an error of their own, not columns that look constant.
    const Index given = std::ranges::count(all.is_given, true);
    plan_fit(options.request, all.rows(), 0, all.cols() - given, given);
    auto [table, constant] = without_constants(std::move(all), options);
    settings.say_more(table.has_header ? "the first row is a header"
                                       : "the first row is data; there is no header");
    settings.say(describe_use(table, constant));
    FitData data;
    data.names = table.names;
    data.is_given = table.is_given;
    data.values = std::move(table.values);
    data.weights = std::move(table.weights);
    if (!options.validation_file.empty()) {
      const std::vector files{options.validation_file};
      auto held_out = read_table_like(data.names, weights, files, options.csv);
      data.validation = std::move(held_out.values);
      data.validation_weights = std::move(held_out.weights);
    }
    return {std::move(data), static_cast<std::int64_t>(table.skipped_rows.total())};
  }

  static Model train(const Settings& settings, FitData data, const FitPlan& plan,
                     const FitRequest& request, ThreadPool& pool, EpochLog& log) {
    Progress progress(settings, request.seconds);
    progress.begin();
    return fit(std::move(data), plan, request, pool,
               {.on_epoch =
                    [&](const EpochReport& report) {
                      log.write(report);
                      progress.show(report);
                    },
                .should_stop = [] { return PoliteStop::signal() != 0; }});
  }

  FitFlags flags_;
};

}  // namespace

const CommandRow kFit{
    .name = "fit",
    .summary = "train a flow on a table and write a model",
    .usage = "[OPTIONS] CSV… -o MODEL",
    .description =
        "Reads the columns of numbers of one or more CSV files, or of standard input, and trains a "
        "normalizing flow on "
        "their rows. A share of the rows is held out; the weights that give them the highest mean "
        "log-density are "
        "written. What was used, skipped and chosen is said on standard error.\n\n"
        "With --given the model is the density of the other columns for any values of these: "
        "log p(the others | these) is what score prints, and sample draws the others for values that it is "
        "told.\n\n"
        "Defaults of the flow and of its training depend on the flow and on the size of the table, and are "
        "printed. "
        "Ctrl-C stops the training and writes the best model so far; a second one ends at once.",
    .examples =
        "biject fit data.csv -o model.flow\n"
        "biject fit data.csv -c height,weight -f maf -o model.flow\n"
        "biject fit big.csv -C id,time --missing skip --time 10m -o big.flow\n"
        "biject fit houses.csv --given rooms,area -o price.flow\n"
        "biject fit train.csv --validation test.csv --log epochs.csv -o model.flow",
    .make = [] { return std::unique_ptr<Command>(new Fit); },
};

}  // namespace biject
