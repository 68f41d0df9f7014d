#include "data/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
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

// Rows as they come, in pieces that are given back one by one while the matrix fills: reading a table needs
// hardly more than the table.
class RowStore {
 public:
  RowStore(Index cols, bool has_weights)
      : width_(cols + (has_weights ? 1 : 0)),
        rows_per_piece_(std::max<Index>(1, (Index{1} << 17) / width_)) {}

  void add(std::span<const double> values, double weight) {
    if (rows_ % rows_per_piece_ == 0) {
      pieces_.emplace_back().reserve(static_cast<std::size_t>(rows_per_piece_ * width_));
    }
    pieces_.back().insert(pieces_.back().end(), values.begin(), values.end());
    if (std::cmp_less(values.size(), width_)) pieces_.back().push_back(weight);
    ++rows_;
  }
  Index rows() const { return rows_; }

  void move_into(Table& table) {
    const Index cols = static_cast<Index>(table.names.size());
    table.values.resize(rows_, cols);
    table.weights.resize(width_ > cols ? rows_ : 0);
    for (Index begin = 0; begin < rows_; begin += rows_per_piece_) {
      const std::vector<double>& piece = pieces_.front();
      const Index count = std::min(rows_per_piece_, rows_ - begin);
      for (Index i = 0; i < count; ++i) {
        const double* row = piece.data() + i * width_;
        for (Index j = 0; j < cols; ++j) table.values(begin + i, j) = row[j];
        if (width_ > cols) table.weights(begin + i) = row[cols];
      }
      pieces_.pop_front();
    }
  }

 private:
  Index width_, rows_per_piece_, rows_ = 0;
  std::deque<std::vector<double>> pieces_;
};

Table take_rows(RowReader reader, std::vector<std::string> names, bool has_weights,
                const std::string& place) {
  Table table;
  table.names = std::move(names);
  table.has_header = reader.has_header();
  RowStore store(static_cast<Index>(table.names.size()), has_weights);
  while (reader.next()) store.add(reader.values(), reader.weight());
  if (store.rows() == 0) throw reader.no_rows_error();
  store.move_into(table);
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
        is_explicit_(!columns.only.empty() && !is_inverted_selection(columns.only)) {
    select(columns);
    judge();
    refuse_equal_names();
  }

  const std::vector<Index>& chosen() const { return chosen_; }
  const std::string& weights() const { return weights_; }  // its name in all files; empty: none
  std::vector<SkippedColumn> take_skipped() { return std::move(skipped_); }

 private:
  void select(const TableColumns& columns);
  void judge();
  void refuse_equal_names() const;

  CsvFile& file_;
  CellReader cells_;
  bool is_explicit_;  // the columns were asked for one by one: then none may be left out
  std::vector<Index> chosen_;
  std::string weights_;
  std::vector<SkippedColumn> skipped_;
};

void ColumnChoice::select(const TableColumns& columns) {
  chosen_ = file_.select(columns);
  if (!columns.weights.empty()) {
    const std::vector<Index> weights = file_.select({columns.weights, "", ""});
    if (weights.size() != 1) {
      throw Error(ErrorKind::usage, "", "--weights takes one column, not '" + columns.weights + "'");
    }
    std::erase(chosen_, weights.front());
    weights_ = unique_name(file_.columns(), weights.front());
  }
  if (chosen_.empty()) throw Error(ErrorKind::usage, file_.name(), "no column is left to fit");
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
  const Index first = chosen_.front();
  std::erase_if(chosen_, [&](Index column) {
    const Evidence& found = evidence[static_cast<std::size_t>(column)];
    if (found.has_number) return false;
    const std::string name = unique_name(file_.columns(), column);
    if (is_explicit_ && found.has_value()) {
      fail(column, fmt::format("column '{}' was selected but holds text", name),
           "leave it out of the selection");
    }
    if (!is_explicit_) skipped_.push_back({name, found.has_value() ? "text" : "no values"});
    return !is_explicit_;
  });
  if (chosen_.empty()) fail(first, "no column holds numbers; this is the first cell", "");
}

void ColumnChoice::refuse_equal_names() const {
  if (is_explicit_) return;  // name[k] was said
  for (const Index column : chosen_) {
    const std::string& name = file_.columns()[static_cast<std::size_t>(column)];
    const auto has_name = [&](Index other) {
      return file_.columns()[static_cast<std::size_t>(other)] == name;
    };
    if (std::ranges::count_if(chosen_, has_name) > 1) {
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
      paths[0], options, [&](auto first_row) { return names_columns(first_row, columns.only, cells); });
  const std::string place = first->name();
  ColumnChoice choice(*first, columns, options);
  std::vector<std::string> names;
  for (const Index column : choice.chosen()) names.push_back(unique_name(first->columns(), column));

  std::vector<std::string> further(paths.begin() + 1, paths.end());
  RowReader reader(std::move(first), names, std::move(further), options, {"", "", choice.weights()});
  Table table = take_rows(std::move(reader), std::move(names), !choice.weights().empty(), place);
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
  std::vector<Index> constant;
  for (Index column = 0; column < table.cols(); ++column) {
    bool has_value = false, varies = false;
    double value = 0;
    for (Index i = 0; i < table.rows() && !varies; ++i) {
      if (table.weights.size() > 0 && table.weights(i) <= 0) continue;
      varies = has_value && table.values(i, column) != value;
      value = table.values(i, column);
      has_value = true;
    }
    if (!varies) constant.push_back(column);
  }
  return constant;
}

Table keep_columns(Table table, std::span<const Index> columns) {
  std::vector<std::string> names;
  Matrix<double> values(table.rows(), static_cast<Index>(columns.size()));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names.push_back(table.names[static_cast<std::size_t>(columns[i])]);
    values.col(static_cast<Index>(i)) = table.values.col(columns[i]);
  }
  table.names = std::move(names);
  table.values = std::move(values);
  return table;
}

}  // namespace biject
