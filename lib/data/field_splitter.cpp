#include "data/field_splitter.hpp"

#include <algorithm>

namespace biject {

QuoteFault FieldSplitter::fault(QuoteFault kind, std::size_t offset) {
  fault_offset_ = offset;
  return kind;
}

QuoteFault FieldSplitter::split(std::string_view record) {
  fields_.clear();
  unescaped_.clear();
  const bool is_spaced = delimiter_ == ' ';
  if (is_spaced) record = record.substr(0, record.find_last_not_of(' ') + 1);

  std::size_t position = 0;
  for (;;) {
    if (is_spaced) position = std::min(record.find_first_not_of(' ', position), record.size());
    if (position < record.size() && record[position] == '"') {
      if (const QuoteFault found = take_quoted(record, position); found != QuoteFault::none) return found;
    } else {
      const std::size_t begin = position;
      while (position < record.size() && record[position] != delimiter_) {
        if (record[position] == '"') return fault(QuoteFault::stray, position);
        ++position;
      }
      fields_.push_back({record.substr(begin, position - begin), begin, false});
    }
    if (position == record.size()) return QuoteFault::none;
    ++position;
  }
}

// `position` goes from the opening quote to just behind the closing one.
QuoteFault FieldSplitter::take_quoted(std::string_view record, std::size_t& position) {
  const std::size_t begin = position + 1;
  bool has_doubled = false;
  std::size_t end = record.find('"', begin);
  while (end != std::string_view::npos && end + 1 < record.size() && record[end + 1] == '"') {
    has_doubled = true;
    end = record.find('"', end + 2);
  }
  if (end == std::string_view::npos) return fault(QuoteFault::unclosed, position);
  if (end + 1 < record.size() && record[end + 1] != delimiter_) return fault(QuoteFault::trailing, end);

  const std::string_view inside = record.substr(begin, end - begin);
  if (has_doubled && unescaped_.empty()) unescaped_.reserve(record.size());  // views into it must stay
  fields_.push_back({has_doubled ? unescape(inside) : inside, position, true});
  position = end + 1;
  return QuoteFault::none;
}

std::string_view FieldSplitter::unescape(std::string_view text) {
  const std::size_t begin = unescaped_.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    unescaped_.push_back(text[i]);
    if (text[i] == '"') ++i;
  }
  return std::string_view(unescaped_).substr(begin);
}

}  // namespace biject
