#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/byte_source.hpp"

namespace biject {

enum class Header { detect, present, absent };
enum class Delimiter { by_name, detect, given };  // by_name: tab for a path ending in .tsv, else comma
enum class RowPolicy { error, skip };

/// How a text becomes a table. The defaults are those of the command line.
struct CsvOptions {
  Delimiter delimiter = Delimiter::by_name;
  char delimiter_char = ',';  // if the delimiter is given; ' ' stands for any run of spaces
  Header header = Header::detect;
  std::vector<std::string> missing_tokens = {"NA",  "N/A",  "NaN",
                                             "nan", "null", "NULL"};  // besides the empty cell
  RowPolicy missing = RowPolicy::error;   // rows with a missing cell in a column that is used
  RowPolicy bad_rows = RowPolicy::error;  // rows with a wrong number of fields or a cell that is no number
  std::uint64_t limit =
      std::numeric_limits<std::uint64_t>::max();  // rows of all files together, skipped ones included
  SourceOpener open = open_byte_source;
};

/// Sets the delimiter from one character or a word: comma tab semicolon pipe space auto. Throws Error usage.
void set_delimiter(CsvOptions& options, std::string_view text);

/// Replaces the missing tokens by a comma-separated list. An empty cell is missing whatever the list says.
void set_missing_tokens(CsvOptions& options, std::string_view list);

/// "error" or "skip", else Error usage that names `flag`.
RowPolicy parse_row_policy(std::string_view text, std::string_view flag);

/// Rows that were left out, by the first reason found.
struct SkippedRows {
  std::uint64_t missing = 0;       // a missing cell
  std::uint64_t field_count = 0;   // too few or too many fields, blank lines among them
  std::uint64_t not_a_number = 0;  // a cell that is no number, or out of range
  std::uint64_t total() const { return missing + field_count + not_a_number; }
};

}  // namespace biject
