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

bool has_open_quote(std::string_view text) {
  return std::ranges::count(text, '"') % 2 != 0;
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
  has_quotes_ = block.find('"') != std::string_view::npos;
  return true;
}

// The block holds no NUL, so that the C strings of LineReader are whole lines.
std::optional<std::string_view> CsvRecords::next_line() {
  const char* text = lines_ ? lines_->next_line() : nullptr;
  if (!text) return std::nullopt;
  ++line_;
  const std::string_view block = blocks_.block();
  const std::string_view line = block.substr(static_cast<std::size_t>(text - base_), std::strlen(text));
  position_ = static_cast<std::size_t>(line.data() - block.data()) + line.size();
  position_ += block[position_] == '\r' ? 2 : 1;
  return line;
}

bool CsvRecords::read_record() {
  auto line = next_line();
  while (!line) {
    if (!load(blocks_.block().size(), line_)) return false;
    line = next_line();
  }
  for (;;) {
    if (line->size() > kMaxLine) {
      throw Error(ErrorKind::limit, fmt::format("{}:{}", name(), line_),
                  fmt::format("a line is longer than {} bytes", kMaxLine));
    }
    record_at_hand_ = {*line, line_};
    if (!has_quotes_ || !has_open_quote(*line)) return true;

    // An odd number of quotes: a field goes on in the next line, unless a quote is misplaced.
    if (const QuoteFault fault = splitter_.split(record_at_hand_.text); fault != QuoteFault::unclosed) {
      throw quote_error(name(), record_at_hand_, fault, splitter_.fault_offset());
    }
    const char* begin = line->data();
    bool is_open = true;
    while (is_open && (line = next_line())) {
      if (has_open_quote(*line)) is_open = false;
      record_at_hand_.text = {begin, line->data() + line->size()};
    }
    if (!is_open) return true;

    // The same record again, with more lines behind it. The error first: load moves the text.
    splitter_.split(record_at_hand_.text);
    const Error unclosed =
        quote_error(name(), record_at_hand_, QuoteFault::unclosed, splitter_.fault_offset());
    const auto begin_in_block = static_cast<std::size_t>(begin - blocks_.block().data());
    if (record_at_hand_.text.size() > kMaxLine || !load(begin_in_block, record_at_hand_.line - 1)) throw unclosed;
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
