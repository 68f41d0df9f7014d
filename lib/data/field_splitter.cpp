#include "data/field_splitter.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace biject {

namespace {

// The places of a character in a text, from left to right, eight characters at a time.
template <class F> void for_each_place(std::string_view text, char character, F&& visit) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kLowBits = 0x7F * kOnes;
  const std::uint64_t pattern = kOnes * static_cast<unsigned char>(character);
  std::size_t i = 0;
  static_assert(std::endian::native == std::endian::little);
  for (std::uint64_t eight; i + 8 <= text.size(); i += 8) {
    std::memcpy(&eight, text.data() + i, 8);
    eight ^= pattern;
    // The high bit of every byte that is zero.
    for (std::uint64_t found = ~(((eight & kLowBits) + kLowBits) | eight | kLowBits); found != 0; found &= found - 1) {
      visit(i + static_cast<std::size_t>(std::countr_zero(found)) / 8);
    }
  }
  for (; i < text.size(); ++i) {
    if (text[i] == character) visit(i);
  }
}

}  // namespace

QuoteFault FieldSplitter::fault(QuoteFault kind, std::size_t offset) {
  fault_offset_ = offset;
  return kind;
}

QuoteFault FieldSplitter::split(std::string_view record) {
  fields_.clear();
  unescaped_.clear();
  const bool is_spaced = delimiter_ == ' ';
  if (!is_spaced && record.find('"') == std::string_view::npos) {  // almost all records of numbers
    std::size_t begin = 0;
    for_each_place(record, delimiter_, [&](std::size_t end) {
      fields_.push_back({record.substr(begin, end - begin), begin, false});
      begin = end + 1;
    });
    fields_.push_back({record.substr(begin), begin, false});
    return QuoteFault::none;
  }
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
