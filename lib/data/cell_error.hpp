#pragma once

#include <string>

#include "core/error.hpp"
#include "data/cell_reader.hpp"
#include "data/csv_file.hpp"

namespace biject {

/// What to throw for a cell of the row at hand that is missing, not a number or out of range: its place, its
/// column's name and text, and the flag that most likely helps.
Error cell_error(const CsvFile& file, std::size_t field, CellKind kind);

/// The same for a weight that is a number below zero.
Error negative_weight_error(const CsvFile& file, std::size_t field);

/// What to do about a text that should be a number, if it looks like something known; else empty.
std::string hint_at_text(const CsvFile& file, std::string_view text);

}  // namespace biject
