#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/types.hpp"
#include "data/cell_reader.hpp"
#include "data/column_selection.hpp"
#include "data/csv_options.hpp"

namespace biject {

class CsvFile;

/// Streams rows of numbers out of files read one after the other, in constant memory.
///
/// Columns are found by name in each file, in any order; further columns are ignored. A file without header
/// is matched by the names x1…xd if all names are among those, else by position if it has as many columns as
/// there are names (or as the first file).
///
/// A selection is one of the first file, and further files are matched with that by name. The columns of
/// `only` stand for the names, one for each in the order of the selection; what is left by `without` alone is
/// still matched by name, as if the other columns did not exist.
///
/// Throws Error data (place and hint), usage (selection), io, limit. The constructor has opened the first
/// file and found its columns.
class RowReader {
 public:
  RowReader(std::vector<std::string> names, std::vector<std::string> paths, CsvOptions options,
            TableColumns columns = {});
  /// For a first file that is open already, with rows not yet taken.
  RowReader(std::unique_ptr<CsvFile> first, std::vector<std::string> names,
            std::vector<std::string> further_paths, CsvOptions options, TableColumns columns = {});
  ~RowReader();
  RowReader(RowReader&&) noexcept;
  RowReader& operator=(RowReader&&) noexcept;

  /// Goes to the next row; false after the last one. What the accessors gave before is no longer valid.
  bool next();

  std::span<const double> values() const { return values_; }     // D numbers, finite, in the order of names
  double weight() const { return weight_; }                      // ≥ 0; 1 without a weights column
  std::span<const std::string> names() const { return names_; }  // D: as the first file calls them
  std::string_view text() const;  // the row as it stands in the file, without its line end
  std::string place() const;      // FILE:LINE

  /// Whether another row has arrived completely, so that next() would not wait for input (unless the options
  /// leave that row out). After false, show what is ready before calling next().
  bool next_is_ready() const;

  /// Of the file at hand. Before the first next(), and until the first file ends, that is the first file.
  std::string_view header_text() const;          // as it stands, or the names x1…xd joined by the delimiter
  std::span<const std::string> columns() const;  // all, used or not
  bool has_header() const;
  char delimiter() const;

  /// From now on it is an error if a file's header differs from the first one's: for who passes lines
  /// through.
  void require_same_headers() { must_have_same_headers_ = true; }

  Error no_rows_error() const;  // for who needs at least one row

  std::uint64_t rows_read() const { return rows_read_; }  // skipped ones included
  const SkippedRows& skipped() const { return skipped_; }

 private:
  bool open_next();
  bool is_header(std::span<const std::string> first_row) const;
  void name_columns();
  void choose_columns();
  std::vector<Index> find_names(std::span<const std::string> present) const;
  void match_columns();
  bool read_cells();

  std::vector<std::string> names_;
  std::vector<std::string> paths_;  // still to come, the next one last
  CsvOptions options_;
  TableColumns columns_;  // weights: selects one column in each file
  CellReader cells_;
  std::unique_ptr<CsvFile> file_;
  std::vector<Index> fields_;               // D: where in a record the column stands
  Index weight_field_ = -1;                 // -1: none
  std::vector<std::string> first_columns_;  // of the first file
  std::string first_header_;
  bool must_have_same_headers_ = false;
  std::vector<double> values_;
  double weight_ = 1;
  std::uint64_t rows_read_ = 0;
  SkippedRows skipped_;
};

}  // namespace biject
