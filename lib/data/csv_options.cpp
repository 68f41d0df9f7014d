#include "data/csv_options.hpp"

#include <array>
#include <utility>

#include "core/error.hpp"

namespace biject {

void set_delimiter(CsvOptions& options, std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, char>, 6> kWords = {
      {{"comma", ','}, {"tab", '\t'}, {"\\t", '\t'}, {"semicolon", ';'}, {"pipe", '|'}, {"space", ' '}}};
  if (text == "auto") {
    options.delimiter = Delimiter::detect;
    return;
  }
  for (const auto& [word, character] : kWords) {
    if (text == word) {
      options.delimiter = Delimiter::given;
      options.delimiter_char = character;
      return;
    }
  }
  // A digit, sign, point or letter would cut numbers and names, a quote or line end has its own meaning.
  static constexpr std::string_view kPunctuation = ",;:|\t !#$%&*/<=>?@^_`~";
  if (text.size() != 1 || kPunctuation.find(text.front()) == std::string_view::npos) {
    throw Error(ErrorKind::usage, "", "'" + std::string(text) + "' is not a delimiter",
                "use one character of punctuation, or comma, tab, semicolon, pipe, space, auto");
  }
  options.delimiter = Delimiter::given;
  options.delimiter_char = text.front();
}

void set_missing_tokens(CsvOptions& options, std::string_view list) {
  options.missing_tokens.clear();
  while (!list.empty()) {
    const std::string_view token = list.substr(0, list.find(','));
    if (!token.empty()) options.missing_tokens.emplace_back(token);
    list.remove_prefix(std::min(list.size(), token.size() + 1));
  }
}

RowPolicy parse_row_policy(std::string_view text, std::string_view flag) {
  if (text == "error") return RowPolicy::error;
  if (text == "skip") return RowPolicy::skip;
  throw Error(ErrorKind::usage, "", std::string(flag) + " is error or skip, not '" + std::string(text) + "'");
}

}  // namespace biject
