#include "data/csv_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>  // the CSV package forgets it

#define CSV_IO_NO_THREAD
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-truncation"
#include <libfccp/csv.h>
#pragma GCC diagnostic pop

#include "data/utf8.hpp"

namespace biject {

namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(' ') == std::string_view::npos;
}

std::size_t count_quotes(std::string_view text) {
  if (text.find('"') == std::string_view::npos) return 0;
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '"'));
}

}  // namespace

std::string place_in_record(const std::string& name, const Record& record, std::size_t offset) {
  const std::string_view before = record.text.substr(0, offset);
  const auto line = record.line + static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("{}:{}:{}", name, line, 1 + count_characters(before.substr(line_begin)));
}

Error quote_error(const std::string& name, const Record& record, QuoteFault fault, std::size_t offset) {
  const std::string place = place_in_record(name, record, offset);
  std::string excerpt(record.text.substr(offset, 60));
  excerpt.resize(std::min(excerpt.find('\n'), excerpt.size()));
  const std::string hint =
      "a field with quotes in it is quoted as a whole, and its quotes are doubled: \"5\"\" pipe\"";
  if (fault == QuoteFault::stray) {
    return Error(ErrorKind::data, place, "a quote inside a field that is not quoted", hint, excerpt);
  }
  if (fault == QuoteFault::trailing) {
    return Error(ErrorKind::data, place, "text after a closing quote", hint, excerpt);
  }
  return Error(ErrorKind::data, place, "a quote that is never closed", hint, excerpt);
}

CsvRecords::CsvRecords(std::unique_ptr<ByteSource> source) : blocks_(std::move(source)) {}
CsvRecords::~CsvRecords() = default;

std::string_view CsvRecords::first_block() {
  if (!lines_ && !load(1, 0)) return {};
  return blocks_.block().substr(1);
}

bool CsvRecords::load(std::size_t keep_from, std::uint64_t line) {
  position_ = 1;
  line_ = line;
  if (!blocks_.next(keep_from, line)) return false;
  const std::string_view block = blocks_.block();
  lines_ = std::make_unique<io::LineReader>("", block.data(), block.data() + block.size());
  // LineReader takes EF BB BF for a byte-order mark at the beginning of every block. Hence the '\n' in front:
  // the first line is empty, and its place tells where the copy begins.
  base_ = lines_->next_line();
  return true;
}

// The block holds no NUL, so that the C strings of LineReader are whole lines.
const char* CsvRecords::next_line() {
  const char* line = lines_ ? lines_->next_line() : nullptr;
  if (!line) return nullptr;
  ++line_;
  const std::string_view block = blocks_.block();
  position_ = static_cast<std::size_t>(line - base_) + std::strlen(line);
  position_ += block[position_] == '\r' ? 2 : 1;
  return line;
}

bool CsvRecords::read_record() {
  const char* line = next_line();
  while (!line) {
    if (!load(blocks_.block().size(), line_)) return false;
    line = next_line();
  }
  for (;;) {
    const std::size_t begin = static_cast<std::size_t>(line - base_);
    const std::uint64_t first_line = line_;
    std::size_t length = std::strlen(line);
    if (length > kMaxLine) {
      throw Error(ErrorKind::limit, fmt::format("{}:{}", name(), first_line),
                  fmt::format("a line is longer than {} bytes", kMaxLine));
    }
    const std::string_view text = blocks_.block().substr(begin);
    bool is_open = count_quotes(text.substr(0, length)) % 2 != 0;
    record_at_hand_ = {text.substr(0, length), first_line};
    if (!is_open) return true;

    // An odd number of quotes: a field goes on in the next line, unless a quote is misplaced.
    if (const QuoteFault fault = splitter_.split(record_at_hand_.text); fault != QuoteFault::unclosed) {
      throw quote_error(name(), record_at_hand_, fault, splitter_.fault_offset());
    }
    while (is_open && (line = next_line())) {
      const std::size_t line_begin = static_cast<std::size_t>(line - base_) - begin;
      length = line_begin + std::strlen(line);
      is_open = count_quotes(text.substr(line_begin, length - line_begin)) % 2 == 0;
    }
    record_at_hand_.text = text.substr(0, length);
    if (!is_open) return true;

    // The same record again, with more lines behind it. The error first: load moves the text.
    splitter_.split(record_at_hand_.text);
    const Error unclosed =
        quote_error(name(), record_at_hand_, QuoteFault::unclosed, splitter_.fault_offset());
    if (length > kMaxLine || !load(begin, first_line - 1)) throw unclosed;
    line = next_line();
  }
}

bool CsvRecords::next() {
  if (!has_record_at_hand_) {
    blank_ = 0;
    do {
      if (!read_record()) return false;
    } while (is_blank(record_at_hand_.text) && ++blank_ > 0);
    has_record_at_hand_ = true;
  }
  if (blank_ > 0) {
    record_ = {{}, record_at_hand_.line - blank_--};
    return true;
  }
  record_ = record_at_hand_;
  has_record_at_hand_ = false;
  return true;
}

bool CsvRecords::next_is_ready() const {
  if (has_record_at_hand_) return true;
  bool is_inside_quotes = false, has_content = false;  // blank lines wait for the row behind them
  for (const char c : blocks_.block().substr(position_)) {
    if (c == '"') is_inside_quotes = !is_inside_quotes;
    if (c == '\n' && has_content && !is_inside_quotes) return true;
    if (c != '\n' && c != '\r' && c != ' ') has_content = true;
  }
  return false;
}

}  // namespace biject
