#include "data/cell_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "core/number.hpp"

namespace biject {

namespace {

constexpr std::size_t kExcerpt = 60;  // bytes
constexpr const char* kSkipHint = "--bad-rows skip leaves such rows out";

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool looks_missing(std::string_view text) {
  static constexpr std::array<std::string_view, 13> kHabits = {
      "?", "-", "--", ".", "*", "na", "n/a", "#n/a", "nan", "null", "nil", "none", "missing"};
  return std::ranges::find(kHabits, lower(text)) != kHabits.end();
}

bool has_decimal_comma(std::string_view text) {
  std::string with_point(text);
  const std::size_t comma = with_point.find(',');
  if (comma == std::string::npos) return false;
  with_point[comma] = '.';
  return parse_real(with_point).error == NumberError::none;
}

}  // namespace

std::string hint_at_text(const CsvFile& file, std::string_view text) {
  if (!file.delimiter_hint().empty()) return file.delimiter_hint();
  if (text.starts_with('#')) return "comments are not read: grep -v '^#' FILE | biject …";
  if (looks_missing(text)) {
    return fmt::format("--na '{}' --missing skip leaves out rows with a missing value written so", text);
  }
  if (has_decimal_comma(text)) return "decimal commas are not read: tr , . < FILE | biject …";
  return {};
}

Error cell_error(const CsvFile& file, std::size_t field, CellKind kind) {
  const std::string_view text = trim_blanks(file.fields()[field].text);
  const std::string& column = file.columns()[field];
  if (kind == CellKind::missing) {
    return Error(ErrorKind::data, file.place(field), fmt::format("column '{}': a missing value", column),
                 "--missing skip leaves such rows out", std::string(text));
  }
  const bool is_too_large = kind == CellKind::out_of_range;
  std::string hint = is_too_large ? std::string() : hint_at_text(file, text);
  if (hint.empty()) hint = kSkipHint;
  return Error(
      ErrorKind::data, file.place(field),
      fmt::format("column '{}': {}", column, is_too_large ? "out of range for a double" : "not a number"),
      hint, std::string(text.substr(0, kExcerpt)));
}

Error negative_weight_error(const CsvFile& file, std::size_t field) {
  return Error(ErrorKind::data, file.place(field),
               fmt::format("column '{}': a weight below zero", file.columns()[field]), kSkipHint,
               std::string(file.fields()[field].text));
}

}  // namespace biject
