#include "conditions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/number.hpp"
#include "core/suggest.hpp"
#include "describe.hpp"
#include "terminal.hpp"

namespace biject {
namespace {

std::vector<std::string> names_of(const std::vector<Column>& columns, bool given) {
  std::vector<std::string> names;
  for (const auto& column : columns)
    if (column.is_given == given) names.push_back(column.name);
  return names;
}

/// "biject fit --given NAME": what helps somebody who wants to condition on what is no given column.
std::string how_to_give(const std::string& name) {
  return fmt::format("biject fit --given {} trains a model that can be conditioned on it", quoted(name));
}

/// For a --where that names no given column: a feature, a slip of the fingers, or nothing that is known.
Error not_given_error(const std::string& name, const std::vector<Column>& columns, const std::string& path) {
  const auto features = names_of(columns, false), given = names_of(columns, true);
  const auto density = describe_density(columns);
  const auto is_feature = [&](const std::string& text) {
    return std::ranges::find(features, text) != features.end();
  };
  if (is_feature(name))
    return {ErrorKind::usage, path,
            fmt::format("--where: '{}' is not a given column of the model, {}", name, density), how_to_give(name)};
  auto hint = did_you_mean(name, given);
  if (hint.empty())
    if (const auto feature = closest_match(name, features))
      hint = fmt::format("did you mean '{}'? {}", *feature, how_to_give(*feature));
  if (hint.empty())
    hint = given.empty() ? "biject fit --given SEL trains a model that can be conditioned"
                         : fmt::format("the given columns are {}", listed(given));
  return {ErrorKind::usage, path,
          fmt::format("--where: the model, {}, has no column '{}'", density, escaped(name, kShownWidth)), hint};
}

}  // namespace

void ConditionFlags::declare(Flags& flags) {
  flags.group("Condition")
      .values("--where", "COL=VALUE", where, "value of a given column; once for each of them")
      .value("--given", "FILE", given,
             "CSV with values of the given columns, found by name; draws --rows for each row of it");
}

ConditionOptions meant(const ConditionFlags& flags) {
  ConditionOptions options;
  options.fixed = as_assignments(flags.where);
  options.file = as_text(flags.given).value_or("");
  options.csv = flags.csv.options();
  const auto unread = flags.csv.first_given();
  if (options.file.empty() && !unread.empty())
    throw Error(ErrorKind::usage, "", fmt::format("{} is about a table, and none is read", unread),
                "sample reads a table with --given FILE");
  return options;
}

Conditions::Conditions(const ConditionOptions& options, const Model& model, const std::string& path)
    : columns_(model.columns), path_(path), values_(model.columns.size(), 0.) {
  fix(options.fixed);
  std::vector<std::size_t> open;  // given columns that are not fixed
  std::vector<Column> missing;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].is_given || std::ranges::find(options.fixed, columns_[i].name, &Assignment::name) != options.fixed.end())
      continue;
    open.push_back(i);
    missing.push_back(columns_[i]);
  }
  if (!options.file.empty()) read(options, open);
  if (!options.file.empty() || open.empty()) return;
  const auto hint = where_flags(missing);
  throw Error(ErrorKind::usage, path_,
              fmt::format("the model is {} and needs a value for {}", describe_density(columns_),
                          listed(names_of(missing, true))),
              hint + (hint.starts_with("--given") ? " with a table of values" : ", or --given FILE.csv with a table of values"));
}

void Conditions::fix(const std::vector<Assignment>& fixed) {
  for (const auto& [name, value] : fixed) {
    const auto column = std::ranges::find(columns_, name, &Column::name);
    if (column == columns_.end() || !column->is_given) throw not_given_error(name, columns_, path_);
    values_[static_cast<std::size_t>(column - columns_.begin())] = value;
  }
}

void Conditions::read(const ConditionOptions& options, const std::vector<std::size_t>& open) {
  const auto given = names_of(columns_, true);
  if (given.empty())
    throw Error(ErrorKind::usage, path_,
                fmt::format("--given: the model, {}, has no given columns", describe_density(columns_)),
                "biject fit --given SEL trains a model that can be conditioned");
  if (open.empty())
    throw Error(ErrorKind::usage, path_,
                fmt::format("--given: all given columns ({}) have a value from --where", listed(given)),
                "keep --where or --given FILE");
  std::vector<std::string> names;
  for (const auto i : open) names.push_back(columns_[i].name);
  read_ = open;
  file_ = name_of({options.file});
  reader_.emplace(names, std::vector{options.file}, options.csv);
  for (const auto& [name, value] : options.fixed) {
    const auto present = reader_->columns();
    if (std::ranges::find(present, name) == present.end()) continue;
    throw Error(ErrorKind::usage, file_,
                fmt::format("the column '{}' is here and in --where", name),
                fmt::format("leave out --where {}={}, or the column of the file", quoted(name), shortest(value)));
  }
}

bool Conditions::next() {
  if (reader_) {
    if (!reader_->next()) return false;
    for (std::size_t i = 0; i < read_.size(); ++i) values_[read_[i]] = reader_->values()[i];
  } else if (std::exchange(is_over_, true)) {
    return false;
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].is_given || (values_[i] >= columns_[i].minimum && values_[i] <= columns_[i].maximum)) continue;
    if (outside_++ == 0)
      first_outside_ = fmt::format("{} = {}, but {} to {} in the training rows", escaped(columns_[i].name),
                                   shortest(values_[i]), shortest(columns_[i].minimum), shortest(columns_[i].maximum));
    break;
  }
  return true;
}

std::string Conditions::outside_note() const {
  if (outside_ == 0) return {};
  if (!reader_) return fmt::format("the model extrapolates: {}", first_outside_);
  return fmt::format("the model extrapolates for {} of {}; the first has {}", outside_,
                     plural(static_cast<std::int64_t>(reader_->rows_read()), "row"), first_outside_);
}

Error Conditions::no_draw_error(std::span<const double> values) const {
  std::size_t farthest = 0;
  double most = -1;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const double distance = columns_[i].is_given ? std::abs(values[i] - columns_[i].mean) / columns_[i].scale : -1;
    if (distance > most) {
      most = distance;
      farthest = i;
    }
  }
  const auto& column = columns_[farthest];
  return {reader_ ? ErrorKind::data : ErrorKind::usage, reader_ ? file_ : path_,
          fmt::format("{} = {} lies too far out for a draw: the model was trained on {} to {}", column.name,
                      shortest(values[farthest]), shortest(column.minimum), shortest(column.maximum)),
          "values far from those of the training rows have no meaning for a model"};
}

}  // namespace biject
