#include "data/cell_reader.hpp"

#include <algorithm>

#include "core/number.hpp"

namespace biject {

std::string_view trim_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

CellReader::CellReader(const CsvOptions& options) : tokens_(options.missing_tokens) {
  some_tokens_are_numbers_ = std::ranges::any_of(
      tokens_, [](const std::string& token) { return parse_real(token).error == NumberError::none; });
}

bool CellReader::is_token(std::string_view text) const {
  text = trim_blanks(text);
  return text.empty() || std::ranges::find(tokens_, text) != tokens_.end();
}

Cell CellReader::read(std::string_view text) const {
  if (some_tokens_are_numbers_ && is_token(text)) return {CellKind::missing};
  const ParsedReal parsed = parse_real(text);
  if (parsed.error == NumberError::none) return {CellKind::number, parsed.value};
  if (is_token(text)) return {CellKind::missing};
  return {parsed.error == NumberError::out_of_range ? CellKind::out_of_range : CellKind::not_a_number};
}

}  // namespace biject
