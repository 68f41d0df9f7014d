#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace biject {

struct Field {
  std::string_view text;   // without quotes; doubled quotes are single
  std::size_t offset = 0;  // of its first byte in the record, an opening quote included
  bool is_quoted = false;
};

enum class QuoteFault {
  none,
  unclosed,  // the record ends inside quotes
  stray,     // a quote inside a field that does not begin with one
  trailing,  // something other than a delimiter after a closing quote
};

/// Splits one record into fields as RFC 4180 says. With a space as delimiter, runs of spaces separate once
/// and those at both ends of the record do not count.
class FieldSplitter {
 public:
  explicit FieldSplitter(char delimiter = ',') : delimiter_(delimiter) {}

  /// The fields are views into `record` and into this object: valid until either changes.
  QuoteFault split(std::string_view record);

  std::span<const Field> fields() const { return fields_; }
  std::size_t fault_offset() const { return fault_offset_; }  // of the quote that is wrong or not closed
  char delimiter() const { return delimiter_; }

 private:
  QuoteFault fault(QuoteFault kind, std::size_t offset);
  QuoteFault take_quoted(std::string_view record, std::size_t& position);
  std::string_view unescape(std::string_view text);

  char delimiter_;
  std::vector<Field> fields_;
  std::string unescaped_;
  std::size_t fault_offset_ = 0;
};

}  // namespace biject
