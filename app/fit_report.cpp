#include "fit_report.hpp"

#include <fmt/format.h>

#include <cmath>

#include "describe.hpp"
#include "options.hpp"
#include "terminal.hpp"

namespace biject {
namespace {

constexpr std::size_t kMostNames = 12;  // a table may have thousands of columns

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == kMostNames) return text + fmt::format(", … ({} in all)", names.size());
    text += (i ? ", " : "") + escaped(names[i]);
  }
  return text;
}

/// A file name as it can be pasted into a shell.
std::string quoted(const std::string& path) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+,:@%-";
  if (path.find_first_not_of(plain) == path.npos) return path.starts_with('-') ? "./" + path : path;
  std::string text = "'";
  for (const char c : escaped(path)) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + '\'';
}

std::string compared(const TrainingRecord& training) {
  const double gain = training.validation.mean - training.gaussian.mean;
  if (!std::isfinite(gain)) return "";
  if (std::abs(gain) < 5e-5) return ", as a Gaussian has it";
  return fmt::format(", {:.4f} nats {} than a Gaussian", std::abs(gain), gain > 0 ? "better" : "worse");
}

}  // namespace

std::string describe_use(const Table& table, const std::vector<std::string>& constant) {
  std::vector<std::string> skipped;
  for (const auto& column : table.skipped_columns)
    skipped.push_back(fmt::format("{} ({})", column.name, column.reason));
  for (const auto& name : constant) skipped.push_back(name + " (constant)");
  const auto used = static_cast<std::size_t>(table.cols());
  auto text =
      skipped.empty()
          ? fmt::format("using {}: {}", plural(table.cols(), "column"), listed(table.names))
          : fmt::format("using {} of {} columns; skipped {}", used, used + skipped.size(), listed(skipped));
  if (table.skipped_rows.total()) text += '\n' + describe(table.skipped_rows);
  return text;
}

std::string describe_plan(const FitPlan& plan) {
  const auto& options = plan.options;
  return fmt::format("{}\nepochs {}, patience {}, batch {}, rate {} ({}), decay {}, clip {}, averaging {}",
                     describe(plan.spec), options.epochs, options.patience, options.batch_size,
                     options.learning_rate, options.schedule, options.weight_decay, options.clip,
                     options.average ? "on" : "off");
}

std::string describe_result(const Model& model, const FitPlan& plan, const std::string& path,
                            std::size_t bytes) {
  const auto& training = model.training;
  auto text = fmt::format("{}, {} to train on and {} held out; {}\n",
                          plural(training.rows + training.validation_rows, "row"), training.rows,
                          training.validation_rows, plural(std::ssize(model.columns), "column"));
  text += fmt::format("{} with {}\n", model.spec.flow, plural(plan.parameters, "parameter"));
  text += training.best_epoch ? fmt::format("best epoch {} of {}", training.best_epoch, training.epochs)
                              : fmt::format("no epoch of {} was better than the start", training.epochs);
  text += fmt::format("; stopped: {}\n", describe_stop(training.stop));
  text += fmt::format("validation log_prob {} nats{}\n", describe(training.validation), compared(training));
  const auto size = describe_bytes(static_cast<double>(bytes));
  text += path.empty() ? fmt::format("wrote the model to standard output ({})", size)
                       : fmt::format("wrote {} ({}); next: biject sample {} -n 1000", escaped(path), size,
                                     quoted(path));
  return text;
}

std::string describe_dry_run(const FitData& data, const FitPlan& plan, double epoch_seconds) {
  auto text = fmt::format("rows               {} to train on, {} to validate\n", plan.train_rows,
                          plan.validation_rows);
  text += fmt::format("columns            {}: {}\n", data.names.size(), listed(data.names));
  text += fmt::format("flow               {}\n", describe(plan.spec));
  text += fmt::format("parameters         {}\n", plan.parameters);
  text += fmt::format("memory             about {}\n", describe_bytes(plan.memory_bytes));
  text += fmt::format("seconds per epoch  {:.3g}\n", epoch_seconds);
  text += fmt::format("at most            {} epochs, {}\n", plan.options.epochs,
                      describe_seconds(epoch_seconds * static_cast<double>(plan.options.epochs)));
  return text;
}

}  // namespace biject
