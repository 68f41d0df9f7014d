#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/csv_options.hpp"

namespace biject {

enum class CellKind { number, missing, not_a_number, out_of_range };

struct Cell {
  CellKind kind = CellKind::missing;
  double value = 0;
};

/// Tells numbers, missing cells and the rest apart. Blanks around a cell do not matter; a cell of blanks is
/// missing.
class CellReader {
 public:
  explicit CellReader(const CsvOptions& options);
  Cell read(std::string_view text) const;

 private:
  bool is_token(std::string_view text) const;
  std::vector<std::string> tokens_;
  bool some_tokens_are_numbers_ = false;  // -999, say: then tokens come first
};

/// Without the spaces and tabs at both ends.
std::string_view trim_blanks(std::string_view text);

}  // namespace biject
