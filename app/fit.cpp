#include <fmt/format.h>

#include <algorithm>
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

/// The table without columns that hold one value: left over, they are dropped; asked for, they are an error.
std::pair<Table, std::vector<std::string>> without_constants(Table table, bool were_asked_for) {
  const auto constant = constant_columns(table);
  if (constant.empty()) return std::pair(std::move(table), std::vector<std::string>{});
  std::vector<std::string> names;
  names.reserve(constant.size());
  for (const Index column : constant) names.push_back(table.names[static_cast<std::size_t>(column)]);
  if (were_asked_for || std::ssize(constant) == table.cols())
    throw Error(ErrorKind::data, "", fmt::format("column '{}' is constant and has no density", names.front()),
                "leave it out of --columns");
  std::vector<Index> others;
  for (Index column = 0; column < table.cols(); ++column)
    if (std::ranges::find(constant, column) == constant.end()) others.push_back(column);
  return {keep_columns(std::move(table), others), std::move(names)};
}

std::vector<double> as_vector(const Vector<double>& values) {
  return {values.begin(), values.end()};
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
    const auto [data, skipped] = read(settings, options, paths);
    const auto plan = plan_fit(options.request, data.values.rows(),
                               data.validation ? data.validation->rows() : 0, data.values.cols(), 0);
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
    auto model = train(settings, data, plan, options.request, pool, log);
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
                               weights};
    auto all = read_table(paths, columns, options.csv);
    // Too few rows are an error of their own, not columns that look constant.
    plan_fit(options.request, all.rows(), 0, all.cols(), 0);
    auto [table, constant] = without_constants(std::move(all), options.selects_by_name);
    settings.say_more(table.has_header ? "the first row is a header"
                                       : "the first row is data; there is no header");
    settings.say(describe_use(table, constant));
    FitData data;
    data.names = table.names;
    data.is_given.assign(table.names.size(), false);
    data.values = std::move(table.values);
    data.weights = as_vector(table.weights);
    if (!options.validation_file.empty()) {
      const std::vector files{options.validation_file};
      auto held_out = read_table_like(data.names, weights, files, options.csv);
      data.validation = std::move(held_out.values);
      data.validation_weights = as_vector(held_out.weights);
    }
    return {std::move(data), static_cast<std::int64_t>(table.skipped_rows.total())};
  }

  static Model train(const Settings& settings, const FitData& data, const FitPlan& plan,
                     const FitRequest& request, ThreadPool& pool, EpochLog& log) {
    Progress progress(settings, request.seconds);
    progress.begin();
    return fit(data, plan, request, pool,
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
        "Defaults of the flow and of its training depend on the flow and on the size of the table, and are "
        "printed. "
        "Ctrl-C stops the training and writes the best model so far; a second one ends at once.",
    .examples =
        "biject fit data.csv -o model.flow\n"
        "biject fit data.csv -c height,weight -f maf -o model.flow\n"
        "biject fit big.csv -C id,time --missing skip --time 10m -o big.flow\n"
        "biject fit train.csv --validation test.csv --log epochs.csv -o model.flow",
    .make = [] { return std::unique_ptr<Command>(new Fit); },
};

}  // namespace biject
