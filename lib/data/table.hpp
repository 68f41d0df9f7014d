#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/types.hpp"
#include "data/column_selection.hpp"
#include "data/csv_options.hpp"
#include "data/row_blocks.hpp"

namespace biject {

struct SkippedColumn {
  std::string name, reason;  // reason: "text", "no values"
};

/// Numbers in memory.
struct Table {
  std::vector<std::string> names;  // D
  std::vector<bool> is_given;      // D: columns to condition on
  RowBlocks values;                // n × D
  Vector<double> weights;  // n × 1, or 0 × 1 if there is no weights column; finite, ≥ 0, at least one > 0
  std::vector<SkippedColumn> skipped_columns;  // columns that were not selected away but hold no numbers
  SkippedRows skipped_rows;
  bool has_header = false;  // of the first file: whether its first row was taken for a header

  Index rows() const { return values.rows(); }
  Index cols() const { return values.cols(); }
};

/// Reads files one after the other; the columns of further files are matched by name with those of the first.
/// The column of weights is no feature.
///
/// Given columns need not be in `only`. One that is not stands before the first selected column that comes later in the
/// file: the table keeps the order of the file unless `only` asks for another. It is an error if no column is left
/// beside the given ones, and if what is given was to be left out or is the weight.
///
/// A column is text if none of its cells in the first 1000 rows is a number: left out if nobody asked for it,
/// an error if it was selected. In other columns every cell must be a number (or missing, as the options
/// say). Throws Error data (place and hint), usage (selection), io, limit (a line too long). A table has at
/// least one row and one column.
Table read_table(std::span<const std::string> paths, const TableColumns& columns, const CsvOptions& options);

/// The same for columns that are known, in this order: the rows that a model could score. `weights` may be
/// empty.
Table read_table_like(std::span<const std::string> names, const std::string& weights,
                      std::span<const std::string> paths, const CsvOptions& options);

/// The columns of a table that hold a single value (on rows of positive weight); they have no density.
std::vector<Index> constant_columns(const Table& table);

/// The same table with these columns only, in this order. `table` gives up its memory.
Table keep_columns(Table table, std::span<const Index> columns);

}  // namespace biject
