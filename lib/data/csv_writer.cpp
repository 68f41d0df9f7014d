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

CsvWriter::CsvWriter(int descriptor, std::string name, Flush flush, char delimiter)
    : descriptor_(descriptor), name_(std::move(name)), flush_(flush), delimiter_(delimiter) {
  buffer_.reserve(2 * kBlock);
}

void CsvWriter::begin_cell() {
  if (!at_line_start_) buffer_.push_back(delimiter_);
  at_line_start_ = false;
}

void CsvWriter::text(std::string_view text) {
  begin_cell();
  // Blanks at the ends are quoted too: readers, ours among them, trim them otherwise.
  const char special[] = {delimiter_, '"', '\n', '\r', '\0'};
  const bool has_outer_blank =
      text.starts_with(' ') || text.starts_with('\t') || text.ends_with(' ') || text.ends_with('\t');
  if (!text.empty() && !has_outer_blank && text.find_first_of(special) == std::string_view::npos) {
    buffer_.append(text);
    return;
  }
  buffer_.push_back('"');
  for (const char c : text) {
    if (c == '"') buffer_.push_back('"');
    buffer_.push_back(c);
  }
  buffer_.push_back('"');
}

void CsvWriter::number(double value) {
  begin_cell();
  append_shortest(buffer_, value);
}

void CsvWriter::verbatim(std::string_view cells) {
  begin_cell();
  buffer_.append(cells);
}

void CsvWriter::end_line() {
  buffer_.push_back('\n');
  at_line_start_ = true;
  if (flush_ == Flush::line || buffer_.size() >= kBlock) flush();
}

void CsvWriter::header(std::span<const std::string> names) {
  for (const std::string& name : names) text(name);
  end_line();
}

void CsvWriter::row(std::span<const double> values) {
  for (const double value : values) number(value);
  end_line();
}

void CsvWriter::flush() {
  write_all(descriptor_, buffer_, name_);
  buffer_.clear();
}

}  // namespace biject
