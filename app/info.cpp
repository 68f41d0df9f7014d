#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "command.hpp"
#include "core/error.hpp"
#include "describe.hpp"
#include "flows/flow.hpp"
#include "help_text.hpp"
#include "model/model_file.hpp"
#include "output.hpp"
#include "terminal.hpp"

namespace biject {
namespace {

using Json = nlohmann::ordered_json;

Index parameter_count(const Model& model) {
  return Flow<float>(model.spec).params().free_count();
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, " × "));
}

// --- text ------------------------------------------------------------------------------------------

std::string line(std::string_view name, const std::string& value) {
  return fmt::format("{:<16}{}\n", name, value);
}

std::string columns_text(const std::vector<Column>& columns) {
  std::size_t width = 4;
  for (const auto& column : columns) width = std::max(width, width_of(escaped(column.name)));
  const auto padded = [&](const std::string& name) {
    return name + std::string(width - width_of(name), ' ');
  };
  auto text = fmt::format("\n  {}  {:>14}{:>14}{:>14}{:>14}\n", padded("name"), "mean", "deviation",
                          "minimum", "maximum");
  for (const auto& column : columns)
    text += fmt::format("  {}  {:>14.6g}{:>14.6g}{:>14.6g}{:>14.6g}{}\n", padded(escaped(column.name)),
                        column.mean, column.scale, column.minimum, column.maximum,
                        column.is_given ? "  given" : "");
  return text;
}

std::string training_text(const TrainingRecord& training) {
  auto text = line(
      "rows", fmt::format("{} to train on, {} held out{}", training.rows, training.validation_rows,
                          training.rows_skipped ? fmt::format(", {} skipped", training.rows_skipped) : ""));
  text += line("seed", fmt::to_string(training.seed));
  text += line("optimizer",
               fmt::format("batch {}, rate {} ({}), decay {}, clip {}", training.batch_size,
                           training.learning_rate, training.schedule, training.weight_decay, training.clip));
  text += line("epochs",
               fmt::format("best {} of {}{}: {}", training.best_epoch, training.epochs,
                           training.averaged ? ", averaged weights" : "", describe_stop(training.stop)));
  if (training.rejected_steps) text += line("rejected steps", fmt::to_string(training.rejected_steps));
  if (training.seconds > 0) text += line("time", describe_seconds(training.seconds));
  return text;
}

std::string text(const ModelHeader& header, const std::string& path) {
  const auto& model = header.model;
  auto text = line(
      "model", fmt::format("{}, {}", escaped(path), describe_bytes(static_cast<double>(header.file_bytes))));
  text +=
      line("made by", fmt::format("biject {}, format {}", escaped(header.biject_version), kFormatVersion));
  text += line("flow", describe(model.spec));
  text += line("parameters",
               fmt::format("{} ({})", parameter_count(model), model.is_double ? "float64" : "float32"));
  const bool is_conditional = model.spec.context > 0;
  if (is_conditional) text += line("density", describe_density(model.columns));
  text += line("columns", is_conditional ? fmt::format("{}, {} of them given", model.columns.size(), model.spec.context)
                                         : fmt::to_string(model.columns.size()));
  text += columns_text(model.columns) + '\n';
  text += training_text(model.training);
  text += "\nlog_prob, mean ± standard error, nats, density in the units of the file\n";
  text += line("training", describe(model.training.train));
  text += line("validation", describe(model.training.validation));
  text += line("Gaussian", fmt::format("{}{} on the same validation rows", describe(model.training.gaussian),
                                       is_conditional ? ", conditional too," : ""));
  return text + '\n' + line("digest", escaped(header.digest));
}

// --- JSON ------------------------------------------------------------------------------------------

Json json(const LogProbSummary& summary) {
  return {{"mean", summary.mean}, {"standard_error", summary.standard_error}, {"rows", summary.rows}};
}

Json json(const FlowSpec& spec) {
  return {{"name", spec.flow},     {"features", spec.features}, {"context", spec.context},
          {"layers", spec.layers}, {"hidden", spec.hidden},     {"blocks", spec.blocks},
          {"bins", spec.bins},     {"tail", spec.tail},         {"mix", spec.mix},
          {"base", spec.base},     {"dropout", spec.dropout},   {"activation", spec.activation}};
}

Json json(const TrainingRecord& training) {
  Json object{{"seed", training.seed},
              {"rows", training.rows},
              {"validation_rows", training.validation_rows},
              {"rows_skipped", training.rows_skipped},
              {"batch_size", training.batch_size},
              {"learning_rate", training.learning_rate},
              {"weight_decay", training.weight_decay},
              {"clip", training.clip},
              {"schedule", training.schedule},
              {"averaged", training.averaged},
              {"epochs", training.epochs},
              {"best_epoch", training.best_epoch},
              {"rejected_steps", training.rejected_steps},
              {"stop", training.stop}};
  if (training.seconds > 0) object["seconds"] = training.seconds;
  return object;
}

std::string json(const ModelHeader& header) {
  const auto& model = header.model;
  Json columns = Json::array(), quantiles = Json::array();
  for (const auto& c : model.columns)
    columns.push_back({{"name", c.name},
                       {"given", c.is_given},
                       {"mean", c.mean},
                       {"scale", c.scale},
                       {"minimum", c.minimum},
                       {"maximum", c.maximum}});
  for (const auto& [percent, log_prob] : model.quantiles)
    quantiles.push_back({{"percent", percent}, {"log_prob", log_prob}});
  const Json object{{"format_version", kFormatVersion},
                    {"biject_version", header.biject_version},
                    {"flow", json(model.spec)},
                    {"parameters", parameter_count(model)},
                    {"dtype", model.is_double ? "float64" : "float32"},
                    {"columns", columns},
                    {"training", json(model.training)},
                    {"metrics",
                     {{"train", json(model.training.train)},
                      {"validation", json(model.training.validation)},
                      {"gaussian", json(model.training.gaussian)}}},
                    {"log_prob_quantiles", quantiles},
                    {"file_bytes", header.file_bytes},
                    {"digest", header.digest}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

// --- other forms -----------------------------------------------------------------------------------

std::string column_names(const ModelHeader& header) {
  std::string text;
  for (const auto& column : header.model.columns) text += column.name + '\n';
  return text;
}

std::string tensor_table(const ModelHeader& header) {
  std::size_t width = 4;
  for (const auto& tensor : header.tensors) width = std::max(width, tensor.name.size());
  auto text = fmt::format("{:<{}}  {:<5}  shape\n", "name", width, "dtype");
  for (const auto& tensor : header.tensors)
    text += fmt::format("{:<{}}  {:<5}  {}\n", escaped(tensor.name), width, tensor.dtype,
                        shape_text(tensor.shape));
  return text;
}

class Info final : public Command {
 public:
  void declare(Flags& flags) override {
    flags.group("Form")
        .toggle("--json", json_, "one JSON object")
        .toggle("--columns", columns_, "the names of the columns, one on a line")
        .toggle("--weights", weights_, "a table of the tensors: name, type, shape");
  }

  int run(const Settings&, const std::vector<std::string>& files) override {
    if (json_ + columns_ + weights_ > 1)
      throw Error(ErrorKind::usage, "", "--json, --columns and --weights contradict each other",
                  "keep one of them");
    if (files.empty()) return explain(kInfo);
    const auto& path = only_file(files, "info");
    const auto header = load_model_header(path);
    const auto result = json_      ? json(header)
                        : columns_ ? column_names(header)
                        : weights_ ? tensor_table(header)
                                   : text(header, path);
    Output output;
    output.write(result);
    output.commit();
    return 0;
  }

 private:
  bool json_ = false, columns_ = false, weights_ = false;
};

}  // namespace

const CommandRow kInfo{
    .name = "info",
    .summary = "what a model is",
    .usage = "[OPTIONS] MODEL",
    .description =
        "Prints what stands in the header of a model file: its columns, its flow, how it was trained and how "
        "good it is. "
        "The parameters themselves are not read. Log-densities are means over rows in nats, in the units of "
        "the file.",
    .examples =
        "biject info model.flow\n"
        "biject info --columns model.flow | paste -sd, -\n"
        "biject info --json model.flow | jq .metrics.validation.mean",
    .make = [] { return std::unique_ptr<Command>(new Info); },
};

}  // namespace biject
