#pragma once

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "data/column_selection.hpp"
#include "data/csv_options.hpp"
#include "data/csv_records.hpp"
#include "data/field_splitter.hpp"

namespace biject {

/// Whether a first row, given as trimmed fields, names columns. Asked only if the options leave it open.
using HeaderTest = std::function<bool(std::span<const std::string> first_row)>;

class CellReader;

/// The first row is a header if a selected field of it is no number. The selection is made of names or of
/// numbers: it is tried on the row as if that were the header. Empty means every field.
bool names_columns(std::span<const std::string> first_row, const std::string& selection,
                   const CellReader& cells);

/// One CSV file: its delimiter, its column names, and its rows split into fields.
class CsvFile {
 public:
  /// Opens the file and reads its first row. Throws Error io, data (no row at all; a column without name).
  CsvFile(const std::string& path, const CsvOptions& options, const HeaderTest& is_header);

  const std::string& name() const { return records_.name(); }  // of the file, in errors
  std::span<const std::string> columns() const { return columns_; }
  bool has_header() const { return has_header_; }
  std::string_view header_text() const { return header_text_; }  // as it stands, or x1,x2,…
  char delimiter() const { return splitter_.delimiter(); }

  /// The columns that are meant. Throws Error usage at this file.
  std::vector<Index> select(const TableColumns& columns) const;

  /// For a file without header: calls its columns by these names, one for each.
  void rename_columns(std::span<const std::string> names);

  /// Splits up to `rows` rows ahead without taking them; they come again from next(). The visitor gets their
  /// fields.
  void look_ahead(std::size_t rows, const std::function<void(const Record&, std::span<const Field>)>& visit);

  bool next();  // false at the end
  const Record& record() const { return record_; }
  std::span<const Field> fields() const { return splitter_.fields(); }
  bool has_right_field_count() const { return fields().size() == columns_.size(); }
  bool next_is_ready() const { return !ahead_.empty() || records_.next_is_ready(); }

  std::string place() const;                   // FILE:LINE of the row at hand
  std::string place(std::size_t field) const;  // FILE:LINE:COL
  Error field_count_error() const;             // of the row at hand
  Error no_rows_error(const SkippedRows& skipped) const;

  /// "-d semicolon", if the first row is one column that would fall apart at another delimiter; else empty.
  const std::string& delimiter_hint() const { return delimiter_hint_; }

 private:
  struct Stored {
    std::string text;
    std::uint64_t line;
  };
  void split(const Record& record);
  void take_header(std::vector<std::string> names);

  CsvRecords records_;
  FieldSplitter splitter_;
  std::vector<std::string> columns_;
  bool has_header_ = false;
  bool is_detected_ = false;  // nobody said whether there is a header
  std::string header_text_, delimiter_hint_;
  std::uint64_t first_line_ = 1;
  std::deque<Stored> ahead_;
  Stored taken_;  // keeps the text of a row that was looked at before
  Record record_;
};

}  // namespace biject
