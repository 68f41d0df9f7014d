#include "data/row_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "data/cell_error.hpp"
#include "data/csv_file.hpp"

namespace biject {

RowReader::RowReader(std::vector<std::string> names, std::vector<std::string> paths, CsvOptions options,
                     TableColumns columns)
    : RowReader(nullptr, std::move(names), std::move(paths), std::move(options), std::move(columns)) {}

RowReader::RowReader(std::unique_ptr<CsvFile> first, std::vector<std::string> names,
                     std::vector<std::string> further_paths, CsvOptions options, TableColumns columns)
    : names_(std::move(names)),
      paths_(std::move(further_paths)),
      options_(std::move(options)),
      columns_(std::move(columns)),
      cells_(options_),
      file_(std::move(first)),
      values_(names_.size()) {
  std::ranges::reverse(paths_);
  if (file_) {
    match_columns();
  } else {
    BIJECT_EXPECT(!paths_.empty());
    open_next();
  }
  first_columns_.assign(file_->columns().begin(), file_->columns().end());
  first_header_ = file_->header_text();
}

RowReader::~RowReader() = default;
RowReader::RowReader(RowReader&&) noexcept = default;
RowReader& RowReader::operator=(RowReader&&) noexcept = default;

bool RowReader::open_next() {
  if (paths_.empty()) return false;
  file_ = std::make_unique<CsvFile>(paths_.back(), options_,
                                    [this](auto first_row) { return is_header(first_row); });
  paths_.pop_back();
  if (!file_->has_header()) name_columns();
  match_columns();
  if (must_have_same_headers_ && file_->header_text() != first_header_) {
    throw Error(ErrorKind::data, file_->name() + ":1", "the header is not that of the first file",
                "give files with different headers one at a time", std::string(file_->header_text()));
  }
  return true;
}

bool RowReader::is_header(std::span<const std::string> first_row) const {
  const auto is_in_row = [&](const std::string& name) {
    return std::ranges::find(first_row, name) != first_row.end();
  };
  if (std::ranges::all_of(names_, is_in_row)) return true;
  // A further piece of a table that began in another file may have text in columns that nobody uses.
  if (!first_columns_.empty() && first_row.size() == first_columns_.size()) {
    const std::vector<Index> used = find_columns(names_, first_columns_, "");
    return std::ranges::any_of(used, [&](Index i) {
      return cells_.read(first_row[static_cast<std::size_t>(i)]).kind >= CellKind::not_a_number;
    });
  }
  return names_columns(first_row, columns_.only, cells_);
}

// A file without header calls its columns x1…xd. That stands if those are the names that are looked for, or
// if a selection says which columns are meant; otherwise a table of the right width is taken for another
// piece of the first file, or for exactly the columns that are needed.
void RowReader::name_columns() {
  const auto is_present = [this](const std::string& name) {
    return std::ranges::find(file_->columns(), name) != file_->columns().end();
  };
  const std::size_t count = file_->columns().size();
  if (std::ranges::all_of(names_, is_present)) return;
  if (count == first_columns_.size()) {
    file_->rename_columns(first_columns_);
  } else if (first_columns_.empty() && columns_.only.empty() && count == names_.size()) {
    file_->rename_columns(names_);
  }
}

// What is selected in the first file takes the place of the names that are looked for, there and in further
// files: one by one, or by name if columns were left out only.
void RowReader::choose_columns() {
  std::vector<Index> chosen = file_->select(columns_);
  std::vector<std::string> present;
  for (const Index column : chosen) present.push_back(file_->columns()[static_cast<std::size_t>(column)]);
  if (columns_.only.empty()) {
    std::vector<Index> found = find_names(present);
    for (Index& column : found) column = chosen[static_cast<std::size_t>(column)];
    chosen = std::move(found);
  } else if (chosen.size() != names_.size()) {
    throw Error(ErrorKind::usage, file_->name(),
                fmt::format("columns needed: {} ({}); selected: {} ({})", names_.size(), list_of(names_),
                            chosen.size(), list_of(present)),
                "--columns takes one for each, in this order");
  }
  std::ranges::transform(chosen, names_.begin(),
                         [this](Index column) { return unique_name(file_->columns(), column); });
}

std::vector<Index> RowReader::find_names(std::span<const std::string> present) const {
  std::string hint = file_->delimiter_hint();
  if (!file_->has_header() && hint.empty()) hint = "no header was found: --header if the first row is one";
  return find_columns(names_, present, file_->name(), hint);
}

void RowReader::match_columns() {
  if (first_columns_.empty()) choose_columns();
  fields_ = find_names(file_->columns());
  if (columns_.weights.empty()) return;
  const std::vector<Index> selected = file_->select({columns_.weights, "", ""});
  if (selected.size() != 1)
    throw Error(ErrorKind::usage, "", "--weights takes one column, not '" + columns_.weights + "'");
  weight_field_ = selected.front();
}

bool RowReader::next() {
  for (;;) {
    if (rows_read_ >= options_.limit) return false;
    while (!file_->next()) {
      if (!open_next()) return false;
    }
    ++rows_read_;
    if (read_cells()) return true;
  }
}

// False if the row is to be left out.
bool RowReader::read_cells() {
  const auto reject = [](RowPolicy policy, std::uint64_t& count, auto&& error) {
    if (policy == RowPolicy::error) throw error();
    ++count;
    return false;
  };
  if (!file_->has_right_field_count()) {
    return reject(options_.bad_rows, skipped_.field_count, [&] { return file_->field_count_error(); });
  }

  // All cells, even after a missing one: leaving out incomplete rows must not hide what is wrong in them.
  const std::span<const Field> row = file_->fields();
  Index missing_field = -1;
  const auto read = [&](Index field, double& value) {
    const Cell cell = cells_.read(row[static_cast<std::size_t>(field)].text);
    value = cell.value;
    if (cell.kind == CellKind::missing && missing_field < 0) missing_field = field;
    if (cell.kind <= CellKind::missing) return true;
    return reject(options_.bad_rows, skipped_.not_a_number,
                  [&] { return cell_error(*file_, static_cast<std::size_t>(field), cell.kind); });
  };
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (!read(fields_[i], values_[i])) return false;
  }
  if (weight_field_ >= 0) {
    if (!read(weight_field_, weight_)) return false;
    if (weight_ < 0) {
      return reject(options_.bad_rows, skipped_.not_a_number,
                    [&] { return negative_weight_error(*file_, static_cast<std::size_t>(weight_field_)); });
    }
  }
  if (missing_field < 0) return true;
  return reject(options_.missing, skipped_.missing, [&] {
    return cell_error(*file_, static_cast<std::size_t>(missing_field), CellKind::missing);
  });
}

std::string_view RowReader::text() const {
  return file_->record().text;
}
std::string RowReader::place() const {
  return file_->place();
}
bool RowReader::next_is_ready() const {
  return rows_read_ >= options_.limit || file_->next_is_ready();
}
std::string_view RowReader::header_text() const {
  return file_->header_text();
}
std::span<const std::string> RowReader::columns() const {
  return file_->columns();
}
bool RowReader::has_header() const {
  return file_->has_header();
}
char RowReader::delimiter() const {
  return file_->delimiter();
}
Error RowReader::no_rows_error() const {
  return file_->no_rows_error(skipped_);
}

}  // namespace biject
