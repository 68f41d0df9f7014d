#include "data/csv_writer.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/number.hpp"

namespace biject {

namespace {

constexpr std::size_t kBlock = std::size_t{1} << 16;

}  // namespace

void write_all(int descriptor, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw Error(ErrorKind::io, name, "cannot write: " + std::generic_category().message(errno));
    }
  }
}

void CsvText::begin_cell() {
  if (!at_line_start_) bytes_.push_back(delimiter_);
  at_line_start_ = false;
}

void CsvText::text(std::string_view text) {
  begin_cell();
  // Blanks at the ends are quoted too: readers, ours among them, trim them otherwise.
  const char special[] = {delimiter_, '"', '\n', '\r', '\0'};
  const bool has_outer_blank =
      text.starts_with(' ') || text.starts_with('\t') || text.ends_with(' ') || text.ends_with('\t');
  if (!text.empty() && !has_outer_blank && text.find_first_of(special) == std::string_view::npos) {
    bytes_.append(text);
    return;
  }
  bytes_.push_back('"');
  for (const char c : text) {
    if (c == '"') bytes_.push_back('"');
    bytes_.push_back(c);
  }
  bytes_.push_back('"');
}

void CsvText::number(double value) {
  begin_cell();
  append_shortest(bytes_, value);
}

void CsvText::verbatim(std::string_view cells) {
  begin_cell();
  bytes_.append(cells);
}

void CsvText::end_line() {
  bytes_.push_back('\n');
  at_line_start_ = true;
}

CsvWriter::CsvWriter(int descriptor, std::string name, Flush flush, char delimiter)
    : descriptor_(descriptor), name_(std::move(name)), flush_(flush), text_(delimiter) {}

void CsvWriter::flush_if_due() {
  if (flush_ == Flush::line || text_.bytes().size() >= kBlock) flush();
}

void CsvWriter::end_line() {
  text_.end_line();
  flush_if_due();
}

void CsvWriter::header(std::span<const std::string> names) {
  for (const std::string& name : names) text(name);
  end_line();
}

void CsvWriter::row(std::span<const double> values) {
  for (const double value : values) number(value);
  end_line();
}

void CsvWriter::lines(const CsvText& lines) {
  text_.lines(lines);
  flush_if_due();
}

void CsvWriter::flush() {
  write_all(descriptor_, text_.bytes(), name_);
  text_.clear();
}

}  // namespace biject
