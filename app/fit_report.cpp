#include "fit_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "describe.hpp"
#include "options.hpp"
#include "terminal.hpp"

namespace biject {
namespace {

std::string path_as_typed(const std::string& path) {
  return quoted(path.starts_with('-') ? "./" + path : path);
}

std::string compared(const Model& model) {
  const auto& training = model.training;
  const auto gaussian = model.spec.context > 0 ? "conditional Gaussian" : "Gaussian";
  const double gain = training.validation.mean - training.gaussian.mean;
  if (!std::isfinite(gain)) return "";
  if (std::abs(gain) < 5e-5) return fmt::format(", as a {} has it", gaussian);
  return fmt::format(", {:.4f} nats {} than a {}", std::abs(gain), gain > 0 ? "better" : "worse", gaussian);
}

}  // namespace

std::string describe_use(const Table& table, const std::vector<std::string>& constant) {
  std::vector<std::string> skipped;
  for (const auto& column : table.skipped_columns)
    skipped.push_back(fmt::format("{} ({})", column.name, column.reason));
  for (const auto& name : constant) skipped.push_back(name + " (constant)");
  const auto used = static_cast<std::size_t>(table.cols());
  const bool is_conditional = std::ranges::find(table.is_given, true) != table.is_given.end();
  const auto density = is_conditional ? ": " + describe_density(table.names, table.is_given) : "";
  auto text = skipped.empty() ? fmt::format("using {}{}", plural(table.cols(), "column"),
                                            is_conditional ? density : ": " + listed(table.names))
                              : fmt::format("using {} of {} columns{}; skipped {}", used, used + skipped.size(),
                                            density, listed(skipped));
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
  auto text = fmt::format("{}, {} to train on and {} held out; {}{}\n",
                          plural(training.rows + training.validation_rows, "row"), training.rows,
                          training.validation_rows, plural(std::ssize(model.columns), "column"),
                          model.spec.context > 0 ? ": " + describe_density(model.columns) : "");
  text += fmt::format("{} with {}\n", model.spec.flow, plural(plan.parameters, "parameter"));
  text += training.best_epoch ? fmt::format("best epoch {} of {}", training.best_epoch, training.epochs)
                              : fmt::format("no epoch of {} was better than the start", training.epochs);
  text += fmt::format("; stopped: {}\n", describe_stop(training.stop));
  text += fmt::format("validation log_prob {} nats{}\n", describe(training.validation), compared(model));
  const auto size = describe_bytes(static_cast<double>(bytes));
  if (path.empty()) return text + fmt::format("wrote the model to standard output ({})", size);
  text += fmt::format("wrote {} ({}); next: biject sample {} -n 1000", escaped(path), size, path_as_typed(path));
  std::vector<Column> given;
  std::ranges::copy_if(model.columns, std::back_inserter(given), &Column::is_given);
  return given.empty() ? text : text + ' ' + where_flags(given);
}

std::string describe_dry_run(const FitData& data, const FitPlan& plan, double epoch_seconds) {
  auto text = fmt::format("rows               {} to train on, {} to validate\n", plan.train_rows,
                          plan.validation_rows);
  const bool is_conditional = plan.spec.context > 0;
  text += fmt::format("columns            {}: {}\n", data.names.size(),
                      is_conditional ? describe_density(data.names, data.is_given) : listed(data.names));
  text += fmt::format("flow               {}\n", describe(plan.spec));
  text += fmt::format("parameters         {}\n", plan.parameters);
  text += fmt::format("memory             about {}\n", describe_bytes(plan.memory_bytes));
  text += fmt::format("seconds per epoch  {:.3g}\n", epoch_seconds);
  text += fmt::format("at most            {} epochs, {}\n", plan.options.epochs,
                      describe_seconds(epoch_seconds * static_cast<double>(plan.options.epochs)));
  return text;
}

}  // namespace biject
