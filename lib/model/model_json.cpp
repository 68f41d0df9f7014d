#include "model/model_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "model/object_reader.hpp"
#include "model/strict_json.hpp"

namespace biject {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::model, where, what);
}

// The fields of a struct in the order in which they are written. Reading and writing both walk this list, and
// the structured binding stops compiling when a field is added to the struct but not here.

template <class Spec, class Visit>
void visit_flow(Spec& spec, Visit&& visit) {
  auto& [flow, features, context, scheme, layers, hidden, blocks, bins, tail, mix, base, components, component_flow, dropout,
         activation] = spec;
  visit("flow", flow);
  visit("features", features);
  visit("context", context);
  visit("scheme", scheme);
  visit("layers", layers);
  visit("hidden", hidden);
  visit("blocks", blocks);
  visit("bins", bins);
  visit("tail", tail);
  visit("mix", mix);
  visit("base", base);
  visit("components", components);
  visit("component_flow", component_flow);
  visit("dropout", dropout);
  visit("activation", activation);
}

template <class Record, class Visit>
void visit_training(Record& record, Visit&& visit) {
  auto& [seed, rows, validation_rows, rows_skipped, batch_size, learning_rate, weight_decay, clip, schedule,
         averaged, epochs, best_epoch, rejected_steps, stop, seconds, train, validation, gaussian] = record;
  visit("seed", seed);
  visit("rows", rows);
  visit("validation_rows", validation_rows);
  visit("rows_skipped", rows_skipped);
  visit("batch_size", batch_size);
  visit("learning_rate", learning_rate);
  visit("weight_decay", weight_decay);
  visit("clip", clip);
  visit("schedule", schedule);
  visit("averaged", averaged);
  visit("epochs", epochs);
  visit("best_epoch", best_epoch);
  visit("rejected_steps", rejected_steps);
  visit("stop", stop);
}

template <class Summary, class Visit>
void visit_summary(Summary& summary, Visit&& visit) {
  auto& [mean, standard_error, rows] = summary;
  visit("mean", mean);
  visit("standard_error", standard_error);
  visit("rows", rows);
}

template <class Record, class Visit>
void visit_metrics(Record& record, Visit&& visit) {
  visit("train", record.train);
  visit("validation", record.validation);
  visit("gaussian", record.gaussian);
}

struct ObjectWriter {
  ordered_json object = ordered_json::object();
  template <class Value>
  void operator()(const char* key, const Value& value) {
    object[key] = value;
  }
};

ordered_json write_metrics(const TrainingRecord& record) {
  auto metrics = ordered_json::object();
  visit_metrics(record, [&](const char* key, const LogProbSummary& summary) {
    ObjectWriter writer;
    visit_summary(summary, writer);
    metrics[key] = std::move(writer.object);
  });
  return metrics;
}

json parse_part(const Metadata& metadata, const std::string& key, const std::string& where) {
  return parse_strict(metadata_text(metadata, key, where), key, where);
}

void read_columns(Model& model, const Metadata& metadata, const std::string& where) {
  const json columns = parse_part(metadata, "columns", where);
  if (!columns.is_array()) refuse(where, "columns is not a JSON list");
  for (const json& entry : columns) {
    Column& column = model.columns.emplace_back();
    ObjectReader reader(entry, fmt::format("column {}", model.columns.size()), Part::density, where);
    std::string kind;
    reader("name", column.name);
    reader("kind", kind);
    reader("given", column.is_given);
    reader("min", column.minimum);
    reader("max", column.maximum);
    reader.finish();
    if (kind != "real") {
      refuse(where, fmt::format("column {}: unknown kind {}", quote(column.name), quote(kind)));
    }
  }
}

void read_preprocessing(Model& model, const Metadata& metadata, const std::string& where) {
  const json object = parse_part(metadata, "preprocessing", where);
  ObjectReader reader(object, "preprocessing", Part::density, where);
  std::string kind;
  std::vector<double> mean, scale;
  reader("kind", kind);
  reader("mean", mean);
  reader("scale", scale);
  reader.finish();
  if (kind != "zscore") refuse(where, "preprocessing: unknown kind " + quote(kind));
  if (mean.size() != model.columns.size() || scale.size() != model.columns.size()) {
    refuse(where, fmt::format("preprocessing: {} means and {} scales for {} columns", mean.size(),
                              scale.size(), model.columns.size()));
  }
  for (std::size_t i = 0; i < mean.size(); ++i) {
    model.columns[i].mean = mean[i];
    model.columns[i].scale = scale[i];
  }
}

void read_training(TrainingRecord& record, const Metadata& metadata, const std::string& where) {
  const json training = parse_part(metadata, "training", where),
             metrics = parse_part(metadata, "metrics", where);
  ObjectReader reader(training, "training", Part::record, where);
  visit_training(record, reader);
  if (reader.has("seconds")) reader("seconds", record.seconds);
  ObjectReader metrics_reader(metrics, "metrics", Part::record, where);
  visit_metrics(record, [&](const char* key, LogProbSummary& summary) {
    ObjectReader summary_reader(metrics_reader.field(key), std::string("metrics: ") + key, Part::record,
                                where);
    visit_summary(summary, summary_reader);
  });
}

void read_quantiles(Model& model, const Metadata& metadata, const std::string& where) {
  const json pairs = parse_part(metadata, "log_prob_quantiles", where);
  const auto is_pair = [](const json& pair) {
    return pair.is_array() && pair.size() == 2 && pair[0].is_number() && pair[1].is_number();
  };
  if (!pairs.is_array() || !std::ranges::all_of(pairs, is_pair)) {
    refuse(where, "log_prob_quantiles is not a list of pairs of numbers");
  }
  for (const json& pair : pairs) model.quantiles.emplace_back(pair[0].get<double>(), pair[1].get<double>());
}

bool is_utf8(const std::string& text) {
  try {
    return !json(text).dump().empty();
  } catch (const json::type_error&) {
    return false;
  }
}

void check_column(const Column& column, const std::string& where) {
  const auto wrong = [&](const char* what) {
    refuse(where, fmt::format("column {}: {}", quote(column.name), what));
  };
  if (!is_utf8(column.name)) {
    throw Error(ErrorKind::data, where, fmt::format("column {}: its name is not UTF-8", quote(column.name)),
                "convert the table, for instance with iconv -f latin1 -t utf-8");
  }
  if (!std::isfinite(column.mean)) wrong("its mean is not finite");
  if (!std::isfinite(column.scale) || column.scale <= 0) wrong("its scale is not a positive finite number");
  if (!std::isfinite(column.minimum) || !std::isfinite(column.maximum)) wrong("its range is not finite");
}

}  // namespace

const std::string& metadata_text(const Metadata& metadata, const std::string& key, const std::string& where) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) refuse(where, fmt::format("header: the metadata has no {}", key));
  return found->second;
}

std::vector<std::pair<std::string, std::string>> describe_model(const Model& model, bool with_seconds) {
  ObjectWriter flow, training;
  visit_flow(model.spec, flow);
  visit_training(model.training, training);
  if (with_seconds) training("seconds", model.training.seconds);
  auto columns = ordered_json::array(), quantiles = ordered_json::array();
  ordered_json preprocessing{{"kind", "zscore"}, {"mean", json::array()}, {"scale", json::array()}};
  for (const Column& column : model.columns) {
    columns.push_back({{"name", column.name},
                       {"kind", "real"},
                       {"given", column.is_given},
                       {"min", column.minimum},
                       {"max", column.maximum}});
    preprocessing["mean"].push_back(column.mean);
    preprocessing["scale"].push_back(column.scale);
  }
  for (const auto& [percent, log_prob] : model.quantiles) {
    quantiles.push_back(ordered_json::array({percent, log_prob}));
  }
  return {{"flow", flow.object.dump()},
          {"columns", columns.dump()},
          {"preprocessing", preprocessing.dump()},
          {"training", training.object.dump()},
          {"metrics", write_metrics(model.training).dump()},
          {"log_prob_quantiles", quantiles.dump()}};
}

Model read_description(const Metadata& metadata, const std::string& where) {
  Model model;
  const json flow = parse_part(metadata, "flow", where);
  ObjectReader reader(flow, "flow", Part::density, where);
  visit_flow(model.spec, reader);
  reader.finish();
  read_columns(model, metadata, where);
  read_preprocessing(model, metadata, where);

  read_training(model.training, metadata, where);
  read_quantiles(model, metadata, where);
  return model;
}

void check_description(const Model& model, const std::string& where) {
  const Index columns = static_cast<Index>(model.columns.size());
  const Index given = std::ranges::count(model.columns, true, &Column::is_given);
  if (columns - given != model.spec.features || given != model.spec.context) {
    refuse(where,
           fmt::format("{} columns of which {} given, but the flow has {} features and {} context columns",
                       columns, given, model.spec.features, model.spec.context));
  }
  std::set<std::string_view> names;
  for (const Column& column : model.columns) {
    check_column(column, where);
    if (!names.insert(column.name).second) refuse(where, "two columns have the name " + quote(column.name));
  }
  // Written so that a NaN fails.
  const auto is_quantile = [](const auto& pair) {
    return pair.first >= 0 && pair.first <= 100 && std::isfinite(pair.second);
  };
  const auto rises = [](const auto& a, const auto& b) { return a.first < b.first && a.second <= b.second; };
  const auto& quantiles = model.quantiles;
  const auto fall =
      std::ranges::adjacent_find(quantiles, [&](const auto& a, const auto& b) { return !rises(a, b); });
  if (!std::ranges::all_of(quantiles, is_quantile) || fall != quantiles.end()) {
    refuse(where, "log_prob_quantiles are not finite numbers that rise with a percentage");
  }
}

}  // namespace biject
