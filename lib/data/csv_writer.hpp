#pragma once

#include <span>
#include <string>
#include <string_view>

namespace biject {

/// Lines of CSV in memory.
///
/// Numbers appear in the shortest form that reads back as the same double; texts are quoted where RFC 4180
/// needs it.
class CsvText {
 public:
  explicit CsvText(char delimiter = ',') : delimiter_(delimiter) {}

  /// Cells of the line at hand, from left to right; end_line() ends it.
  void text(std::string_view text);  // quoted if it must be
  void number(double value);
  void verbatim(std::string_view cells);  // one or more cells that are CSV already
  void end_line();

  void lines(const CsvText& lines) { bytes_.append(lines.bytes_); }  // whole lines that are here already
  std::string_view bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  void begin_cell();
  char delimiter_;
  bool at_line_start_ = true;
  std::string bytes_;
};

/// When a CsvWriter hands its bytes to the system: after every line (somebody is watching) or when 64 KiB
/// have come together.
enum class Flush { line, block };

/// Writes CSV, as CsvText has it, to a file descriptor that stays the caller's. Throws Error io with `name` as its
/// place. Call flush() at the end: destruction does not write, because it could not report a failure.
class CsvWriter {
 public:
  CsvWriter(int descriptor, std::string name, Flush flush = Flush::block, char delimiter = ',');

  void text(std::string_view text) { text_.text(text); }
  void number(double value) { text_.number(value); }
  void verbatim(std::string_view cells) { text_.verbatim(cells); }
  void end_line();

  void header(std::span<const std::string> names);  // a whole line
  void row(std::span<const double> values);         // a whole line
  void lines(const CsvText& lines);

  /// Writes out what has come together. After an Error the writer is of no further use.
  void flush();

 private:
  void flush_if_due();
  int descriptor_;
  std::string name_;
  Flush flush_;
  CsvText text_;
};

/// Writes all bytes to a descriptor whatever interrupts it. Throws Error io at `name`.
void write_all(int descriptor, std::string_view bytes, const std::string& name);

}  // namespace biject
