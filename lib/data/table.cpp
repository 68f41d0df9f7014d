#include "data/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/error.hpp"
#include "data/cell_error.hpp"
#include "data/cell_reader.hpp"
#include "data/column_selection.hpp"
#include "data/csv_file.hpp"
#include "data/row_reader.hpp"

namespace biject {

namespace {

constexpr std::size_t kRowsToJudge = 1000;  // by which a column is found to be text

Table take_rows(RowReader reader, std::vector<std::string> names, bool has_weights,
                const std::string& place) {
  Table table;
  table.names = std::move(names);
  table.is_given.assign(table.names.size(), false);
  table.has_header = reader.has_header();
  table.values = RowBlocks(std::ssize(table.names));
  std::vector<double> weights;
  while (reader.next()) {
    table.values.add(reader.values());
    if (has_weights) weights.push_back(reader.weight());
  }
  if (table.rows() == 0) throw reader.no_rows_error();
  table.weights = Vector<double>::Map(weights.data(), std::ssize(weights));
  table.skipped_rows = reader.skipped();
  if (has_weights && table.weights.maxCoeff() <= 0) {
    throw Error(ErrorKind::data, place, "all weights are zero", "at least one row needs a weight above zero");
  }
  return table;
}

// What the first rows say about a column.
struct Evidence {
  bool has_number = false;
  std::string text, place;  // of the first cell that is neither a number nor missing
  bool has_value() const { return has_number || !place.empty(); }
};

// Decides which columns of a first file are features.
class ColumnChoice {
 public:
  ColumnChoice(CsvFile& file, const TableColumns& columns, const CsvOptions& options)
      : file_(file),
        cells_(options),
        has_given_(!columns.given.empty()),
        features_are_explicit_(!columns.only.empty() && !is_inverted_selection(columns.only)),
        given_are_explicit_(has_given_ && !is_inverted_selection(columns.given)),
        is_given_(file.columns().size(), false) {
    select(columns);
    judge();
    refuse_equal_names();
  }

  const std::vector<Index>& chosen() const { return chosen_; }
  bool is_given(Index column) const { return is_given_[static_cast<std::size_t>(column)]; }
  const std::string& weights() const { return weights_; }  // its name in all files; empty: none
  std::vector<SkippedColumn> take_skipped() { return std::move(skipped_); }

 private:
  void select(const TableColumns& columns);
  std::vector<Index> select_given(const TableColumns& columns, const std::vector<Index>& weights) const;
  void judge();
  void refuse_equal_names() const;

  const std::string& literal_name(Index column) const {
    return file_.columns()[static_cast<std::size_t>(column)];
  }
  // Asked for one by one: then none may be left out.
  bool is_explicit(Index column) const {
    return is_given(column) ? given_are_explicit_ : features_are_explicit_;
  }
  bool has_any(bool given) const {
    return std::ranges::any_of(chosen_, [&](Index column) { return is_given(column) == given; });
  }

  CsvFile& file_;
  CellReader cells_;
  bool has_given_, features_are_explicit_, given_are_explicit_;
  std::vector<bool> is_given_;  // one for each column of the file
  std::vector<Index> chosen_;
  std::string weights_;
  std::vector<SkippedColumn> skipped_;
};

void ColumnChoice::select(const TableColumns& columns) {
  chosen_ = file_.select(columns);
  std::vector<Index> weights;
  if (!columns.weights.empty()) {
    weights = file_.select({columns.weights, "", ""});
    if (weights.size() != 1) {
      throw Error(ErrorKind::usage, "", "--weights takes one column, not '" + columns.weights + "'");
    }
    std::erase(chosen_, weights.front());
    weights_ = unique_name(file_.columns(), weights.front());
  }
  if (has_given_) {
    const std::vector<Index> given = select_given(columns, weights);
    for (const Index column : given) is_given_[static_cast<std::size_t>(column)] = true;
    if (!chosen_.empty() && !has_any(false)) {
      const std::string last = unique_name(file_.columns(), chosen_.back());
      throw Error(ErrorKind::usage, file_.name(), "--given: every column is given, none is left to fit",
                  file_.columns().size() > 1 ? fmt::format("--given '!{0}' gives all but '{0}'", last) : "");
    }
    for (const Index column : given) {
      if (std::ranges::find(chosen_, column) != chosen_.end()) continue;
      chosen_.insert(std::ranges::find_if(chosen_, [&](Index other) { return other > column; }), column);
    }
  }
  if (!has_any(false)) throw Error(ErrorKind::usage, file_.name(), "no column is left to fit");
}

// In the order of the file, so that neighbours are put in one after the other.
std::vector<Index> ColumnChoice::select_given(const TableColumns& columns,
                                              const std::vector<Index>& weights) const {
  const auto among = [](const std::vector<Index>& some) {
    return [&some](Index column) { return std::ranges::find(some, column) != some.end(); };
  };
  std::vector<Index> given, unwanted;
  try {
    given = file_.select({columns.given, "", ""});
  } catch (const Error& error) {
    throw Error(error.kind(), error.where(), fmt::format("--given: {}", error.what()), error.hint());
  }
  std::ranges::sort(given);
  if (!columns.without.empty()) unwanted = file_.select({columns.without, "", ""});
  if (!given_are_explicit_) {  // "all but these" does not mean the weights, nor what was left out
    std::erase_if(given, among(unwanted));
    std::erase_if(given, among(weights));
  }
  const auto refuse = [&](const std::vector<Index>& others, std::string_view flag, std::string_view otherwise) {
    const auto found = std::ranges::find_if(given, among(others));
    if (found == given.end()) return;
    throw Error(ErrorKind::usage, file_.name(),
                fmt::format("--given: column '{}' {}", unique_name(file_.columns(), *found), otherwise),
                fmt::format("leave it out of --given or of {}", flag));
  };
  refuse(weights, "--weights", "holds the weights");
  refuse(unwanted, "--not-columns", "is to be left out");
  if (given.empty()) throw Error(ErrorKind::usage, file_.name(), "--given: no column is left to condition on");
  return given;
}

void ColumnChoice::judge() {
  std::vector<Evidence> evidence(file_.columns().size());
  file_.look_ahead(kRowsToJudge, [&](const Record& record, std::span<const Field> row) {
    if (row.size() != evidence.size()) return;  // a bad row: for the reader to deal with
    for (std::size_t i = 0; i < row.size(); ++i) {
      const CellKind kind = cells_.read(row[i].text).kind;
      evidence[i].has_number |= kind == CellKind::number;
      if (kind >= CellKind::not_a_number && evidence[i].place.empty()) {
        evidence[i].text = row[i].text;
        evidence[i].place = place_in_record(file_.name(), record, row[i].offset);
      }
    }
  });
  if (std::ranges::none_of(evidence, &Evidence::has_value))
    return;  // the reader says more about missing cells or rows

  const auto fail = [&](Index column, const std::string& what, const std::string& otherwise) {
    const Evidence& found = evidence[static_cast<std::size_t>(column)];
    const std::string hint = hint_at_text(file_, found.text);
    throw Error(ErrorKind::data, found.place.empty() ? file_.name() : found.place, what,
                hint.empty() ? otherwise : hint, found.text.substr(0, 60));
  };
  const auto first = [&](bool given) {
    return *std::ranges::find_if(chosen_, [&](Index column) { return is_given(column) == given; });
  };
  const Index first_feature = first(false), first_given = has_given_ ? first(true) : first_feature;
  std::erase_if(chosen_, [&](Index column) {
    const Evidence& found = evidence[static_cast<std::size_t>(column)];
    if (found.has_number) return false;
    const std::string name = unique_name(file_.columns(), column);
    if (is_explicit(column) && found.has_value()) {
      fail(column, fmt::format("column '{}' {} but holds text", name, is_given(column) ? "is given" : "was selected"),
           is_given(column) ? "leave it out of --given: a condition is a number" : "leave it out of the selection");
    }
    if (!is_explicit(column)) skipped_.push_back({name, found.has_value() ? "text" : "no values"});
    return !is_explicit(column);
  });
  if (!has_any(false)) {
    fail(first_feature, has_given_ ? "no column beside the given ones holds numbers; this is the first cell"
                                   : "no column holds numbers; this is the first cell", "");
  }
  if (has_given_ && !has_any(true)) fail(first_given, "no given column holds numbers; this is the first cell", "");
}

void ColumnChoice::refuse_equal_names() const {
  for (const Index column : chosen_) {
    if (is_explicit(column)) continue;  // name[k] was said
    const std::string& name = literal_name(column);
    if (std::ranges::count_if(chosen_, [&](Index other) { return literal_name(other) == name; }) > 1) {
      throw Error(
          ErrorKind::data, file_.name(), fmt::format("several columns are named '{}'", name),
          fmt::format("-c '{0}[1]' takes the first of them, -C '{0}[2]' leaves out the second", name));
    }
  }
}

}  // namespace

Table read_table(std::span<const std::string> paths, const TableColumns& columns, const CsvOptions& options) {
  BIJECT_EXPECT(!paths.empty());
  const CellReader cells(options);
  auto first = std::make_unique<CsvFile>(
      paths[0], options, [&](auto first_row) {
        const bool has_more = !columns.only.empty() && !columns.given.empty();  // else the first looks at all of them
        return names_columns(first_row, columns.only, cells) ||
               (has_more && names_columns(first_row, columns.given, cells));
      });
  const std::string place = first->name();
  ColumnChoice choice(*first, columns, options);
  std::vector<std::string> names;
  std::vector<bool> is_given;
  for (const Index column : choice.chosen()) {
    names.push_back(unique_name(first->columns(), column));
    is_given.push_back(choice.is_given(column));
  }

  std::vector<std::string> further(paths.begin() + 1, paths.end());
  RowReader reader(std::move(first), names, std::move(further), options, {"", "", choice.weights()});
  Table table = take_rows(std::move(reader), std::move(names), !choice.weights().empty(), place);
  table.is_given = std::move(is_given);
  table.skipped_columns = choice.take_skipped();
  return table;
}

Table read_table_like(std::span<const std::string> names, const std::string& weights,
                      std::span<const std::string> paths, const CsvOptions& options) {
  const std::vector<std::string> needed(names.begin(), names.end());
  return take_rows(RowReader(needed, {paths.begin(), paths.end()}, options, {"", "", weights}), needed,
                   !weights.empty(), paths.front());
}

std::vector<Index> constant_columns(const Table& table) {
  std::vector<bool> varies(table.names.size(), false);
  std::vector<double> value;  // of each column in the first row of positive weight
  table.values.for_each_block([&](Index first, const RowBlocks::Block& block) {
    for (Index i = 0; i < block.rows(); ++i) {
      if (table.weights.size() > 0 && table.weights(first + i) <= 0) continue;
      const auto row = block.row(i);
      if (value.empty()) value.assign(row.begin(), row.end());
      for (std::size_t j = 0; j < value.size(); ++j) {
        if (row(static_cast<Index>(j)) != value[j]) varies[j] = true;
      }
    }
  });
  std::vector<Index> constant;
  for (std::size_t j = 0; j < varies.size(); ++j) {
    if (!varies[j]) constant.push_back(static_cast<Index>(j));
  }
  return constant;
}

Table keep_columns(Table table, std::span<const Index> columns) {
  std::vector<std::string> names;
  std::vector<bool> is_given;
  for (const Index i : columns) {
    const auto column = static_cast<std::size_t>(i);
    names.push_back(table.names[column]);
    is_given.push_back(table.is_given[column]);
  }
  table.names = std::move(names);
  table.is_given = std::move(is_given);
  table.values.keep_columns(columns);
  return table;
}

}  // namespace biject
