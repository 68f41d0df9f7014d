#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/row_reader.hpp"
#include "model/model.hpp"
#include "options.hpp"
#include "values.hpp"

namespace biject {

/// The flags of sample that say what is given, as typed.
struct ConditionFlags {
  Values where;
  Value given;
  CsvFlags csv;
  void declare(Flags& flags);
};

/// What was meant.
struct ConditionOptions {
  std::vector<Assignment> fixed;
  std::string file;  // empty: no --given
  CsvOptions csv;
};
/// Throws Error usage for whatever can be known to be wrong without the model.
ConditionOptions meant(const ConditionFlags& flags);

/// The values of a model's given columns, one condition after the other: from a file row by row, in constant
/// memory, or one condition of fixed values. A model without given columns has one condition that says nothing.
class Conditions {
 public:
  /// Throws Error usage if these options do not give values to all given columns of the model and to none
  /// twice; and whatever RowReader throws. `path` of the model, for messages.
  Conditions(const ConditionOptions& options, const Model& model, const std::string& path);

  /// Goes to the next condition; false after the last one.
  bool next();
  bool next_is_ready() const { return !reader_ || reader_->next_is_ready(); }

  /// One number for each column of the model, in its order; 0 for those that are not given.
  std::span<const double> values() const { return values_; }

  /// Null without a file.
  const RowReader* file() const { return reader_ ? &*reader_ : nullptr; }
  /// What to tell about conditions so far that lie outside the range of the training rows; empty if none does.
  std::string outside_note() const;
  /// For draws under these values (as values()) that are no finite numbers.
  Error no_draw_error(std::span<const double> values) const;

 private:
  void fix(const std::vector<Assignment>& fixed);
  void read(const ConditionOptions& options, const std::vector<std::size_t>& open);

  const std::vector<Column> columns_;
  std::string path_, file_;        // of the model and of the conditions, in errors
  std::vector<double> values_;
  std::vector<std::size_t> read_;  // the columns that the file supplies, in the order of the reader's names
  std::optional<RowReader> reader_;
  std::uint64_t outside_ = 0;          // conditions with a value outside the range of the training rows
  std::string first_outside_;          // the column and its range, for the first of them
  bool is_over_ = false;
};

}  // namespace biject
