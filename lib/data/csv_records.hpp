#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "data/byte_source.hpp"
#include "data/field_splitter.hpp"
#include "data/text_blocks.hpp"

namespace io {
class LineReader;
}

namespace biject {

/// One row of a file as it stands there, without its line end.
struct Record {
  std::string_view text;
  std::uint64_t line = 0;  // of its first line, from 1
};

/// FILE:LINE:COL of a byte of a record; COL counts characters from 1.
std::string place_in_record(const std::string& name, const Record& record, std::size_t offset);

/// What to throw for a fault that FieldSplitter found in a record.
Error quote_error(const std::string& name, const Record& record, QuoteFault fault, std::size_t offset);

/// The records of a file. Lines come from the CSV package's io::LineReader, which is given one block of whole
/// lines at a time; a quoted field that spans lines is put together again here.
///
/// Blank lines (empty, or spaces only) before a record are records of their own, those at the end of the file
/// are not.
class CsvRecords {
 public:
  explicit CsvRecords(std::unique_ptr<ByteSource> source);
  ~CsvRecords();

  /// The lines that arrived first, for a guess at the delimiter. Before the first next() only.
  std::string_view first_block();
  void set_delimiter(char delimiter) { splitter_ = FieldSplitter(delimiter); }

  /// False at the end of the file. Throws Error data for faults of quoting, limit for a line that is too
  /// long.
  bool next();
  const Record& record() const { return record_; }  // valid until next()
  bool next_is_ready() const;  // whether next() would return without reading from the source

  const std::string& name() const { return blocks_.name(); }

 private:
  bool load(std::size_t keep_from, std::uint64_t line);
  std::optional<std::string_view> next_line();
  bool read_record();

  TextBlocks blocks_;
  FieldSplitter splitter_;
  std::unique_ptr<io::LineReader> lines_;
  const char* base_ = nullptr;  // where lines_ keeps its copy of the block
  bool has_quotes_ = false;     // the block, anywhere
  std::size_t position_ = 1;    // in the block: behind the last line taken
  std::uint64_t line_ = 0;      // lines taken
  std::uint64_t blank_ = 0;     // blank lines still to be handed out before record_at_hand_
  bool has_record_at_hand_ = false;
  Record record_at_hand_, record_;
};

}  // namespace biject
