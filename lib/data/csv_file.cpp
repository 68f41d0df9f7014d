#include "data/csv_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "data/cell_reader.hpp"

namespace biject {

namespace {

struct NamedDelimiter {
  char character;
  std::string_view word;
};
constexpr std::array kUsualDelimiters = {NamedDelimiter{',', "comma"}, NamedDelimiter{'\t', "tab"},
                                         NamedDelimiter{';', "semicolon"}, NamedDelimiter{'|', "pipe"}};

// Fields that every one of the first lines has with this delimiter; 0 if they differ.
std::size_t common_field_count(std::string_view block, char delimiter) {
  constexpr int kMostLines = 100;
  FieldSplitter splitter(delimiter);
  std::size_t common = 0;
  for (int line = 0; line < kMostLines && !block.empty(); ++line) {
    std::string_view text = block.substr(0, block.find('\n'));
    block.remove_prefix(text.size() + 1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) continue;
    if (splitter.split(text) != QuoteFault::none) return common;  // a field may go on in the next line
    if (common != 0 && splitter.fields().size() != common) return 0;
    common = splitter.fields().size();
  }
  return common;
}

char choose_delimiter(const std::string& path, const CsvOptions& options, CsvRecords& records) {
  if (options.delimiter == Delimiter::given) return options.delimiter_char;
  if (options.delimiter == Delimiter::by_name) return path.ends_with(".tsv") ? '\t' : ',';
  char best = ',';
  std::size_t most = 1;
  for (const auto& [character, word] : kUsualDelimiters) {
    if (const std::size_t count = common_field_count(records.first_block(), character); count > most) {
      most = count;
      best = character;
    }
  }
  return best;
}

std::string hint_at_delimiter(std::string_view row, char delimiter) {
  std::string_view best;
  std::size_t most = 0;
  for (const auto& [character, word] : kUsualDelimiters) {
    const auto count = static_cast<std::size_t>(std::ranges::count(row, character));
    if (character != delimiter && count > most) {
      most = count;
      best = word;
    }
  }
  return best.empty() ? std::string() : fmt::format("-d {}", best);
}

std::vector<std::string> numbered_names(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i <= count; ++i) names.push_back(fmt::format("x{}", i));
  return names;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

bool names_columns(std::span<const std::string> first_row, const std::string& selection,
                   const CellReader& cells) {
  const std::string all = "1-";
  std::vector<Index> selected;
  try {
    selected = select_columns(selection.empty() ? all : selection, first_row);
  } catch (const Error&) {  // it may fit x1, x2, … or nothing; whoever selects for good will say so
    selected = select_columns(all, first_row);
  }
  return std::ranges::any_of(selected, [&](Index column) {
    return cells.read(first_row[static_cast<std::size_t>(column)]).kind >= CellKind::not_a_number;
  });
}

CsvFile::CsvFile(const std::string& path, const CsvOptions& options, const HeaderTest& is_header)
    : records_(options.open(path)) {
  const char delimiter = choose_delimiter(path, options, records_);
  splitter_ = FieldSplitter(delimiter);
  records_.set_delimiter(delimiter);
  if (!records_.next()) throw Error(ErrorKind::data, name(), "the file is empty: no header, no data rows");
  split(records_.record());
  first_line_ = record_.line;
  if (record_.text.empty()) throw Error(ErrorKind::data, place(), "a blank line where the header should be");
  if (fields().size() == 1) delimiter_hint_ = hint_at_delimiter(record_.text, delimiter);

  std::vector<std::string> first_row;
  for (const Field& field : fields())
    first_row.emplace_back(field.is_quoted ? field.text : trim_blanks(field.text));
  is_detected_ = options.header == Header::detect;
  has_header_ = is_detected_ ? is_header(first_row) : options.header == Header::present;
  if (has_header_) {
    take_header(std::move(first_row));
  } else {
    ahead_.push_back({std::string(record_.text), record_.line});
    columns_ = numbered_names(first_row.size());
    header_text_ = fmt::format("{}", fmt::join(columns_, std::string(1, delimiter)));
  }
}

void CsvFile::take_header(std::vector<std::string> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) {
      throw Error(ErrorKind::data, place(i), fmt::format("column {} has no name in the header", i + 1),
                  "give it a name (pandas writes its index so: use to_csv(…, index=False))");
    }
    if (has_control_character(names[i])) {
      throw Error(ErrorKind::data, place(i),
                  fmt::format("the name of column {} has a control character in it", i + 1), delimiter_hint_,
                  names[i]);
    }
  }
  header_text_ = record_.text;
  columns_ = std::move(names);
}

std::vector<Index> CsvFile::select(const TableColumns& columns) const {
  try {
    return select_columns(columns, columns_);
  } catch (const Error& error) {
    std::string what = error.what();
    if (!has_header_) what += " (no header was found: the columns are numbered x1, x2, …)";
    throw Error(error.kind(), name(), what, delimiter_hint_.empty() ? error.hint() : delimiter_hint_);
  }
}

void CsvFile::rename_columns(std::span<const std::string> names) {
  BIJECT_EXPECT(!has_header_ && names.size() == columns_.size());
  columns_.assign(names.begin(), names.end());
}

void CsvFile::split(const Record& record) {
  record_ = record;
  const QuoteFault fault = splitter_.split(record_.text);
  if (fault != QuoteFault::none) throw quote_error(name(), record_, fault, splitter_.fault_offset());
}

void CsvFile::look_ahead(std::size_t rows,
                         const std::function<void(const Record&, std::span<const Field>)>& visit) {
  while (ahead_.size() < rows && records_.next()) {
    ahead_.push_back({std::string(records_.record().text), records_.record().line});
  }
  for (const Stored& stored : ahead_) {
    split({stored.text, stored.line});
    visit(record_, fields());
  }
}

bool CsvFile::next() {
  if (ahead_.empty()) {
    if (!records_.next()) return false;
    split(records_.record());
    return true;
  }
  taken_ = std::move(ahead_.front());
  ahead_.pop_front();
  split({taken_.text, taken_.line});
  return true;
}

std::string CsvFile::place() const {
  return fmt::format("{}:{}", name(), record_.line);
}

std::string CsvFile::place(std::size_t field) const {
  return place_in_record(name(), record_, fields()[field].offset);
}

Error CsvFile::field_count_error() const {
  std::string excerpt(record_.text.substr(0, 80));
  if (record_.text.empty()) {
    return Error(ErrorKind::data, place(),
                 fmt::format("a blank line between rows of {} fields", columns_.size()),
                 "--bad-rows skip leaves such lines out");
  }
  const std::size_t found = fields().size();
  std::string what =
      fmt::format("the row has {} field{}, but {} in line {} has {}", found, found == 1 ? "" : "s",
                  has_header_ ? "the header" : "the first row", first_line_, columns_.size());
  std::string hint = "--bad-rows skip leaves such rows out";
  if (!delimiter_hint_.empty()) {
    hint = delimiter_hint_;
  } else if (record_.text.starts_with('#')) {
    hint = "comments are not read: grep -v '^#' FILE | biject …";
  } else if (is_detected_ && !has_header_) {
    what += " (no header was found: that row is numbers only)";
  }
  return Error(ErrorKind::data, place(), what, hint, excerpt);
}

Error CsvFile::no_rows_error(const SkippedRows& skipped) const {
  if (skipped.total() > 0) {
    std::vector<std::string> reasons;
    const auto add = [&](std::uint64_t count, std::string_view reason) {
      if (count > 0)
        reasons.push_back(fmt::format("{} row{} {}", count, count == 1 ? " has" : "s have", reason));
    };
    add(skipped.missing, "a missing cell");
    add(skipped.field_count, "a wrong number of fields");
    add(skipped.not_a_number, "a cell that is not a number");
    return Error(ErrorKind::data, name(), fmt::format("no data rows are left: {}", fmt::join(reasons, ", ")));
  }
  return Error(ErrorKind::data, name(), "no data rows",
               has_header_ ? "--no-header if the first row is data" : "");
}

}  // namespace biject
