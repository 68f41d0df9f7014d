#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/byte_source.hpp"

namespace biject {

/// The longest line, and the longest quoted field that spans lines, in bytes.
inline constexpr std::size_t kMaxLine = std::size_t{1} << 20;

/// Cuts a stream of bytes into blocks of whole lines and refuses what is no text: NUL bytes, invalid UTF-8,
/// line ends that are a lone carriage return, compressed and binary files. Drops a byte-order mark at the
/// beginning, ends a last line that has no end. A block is handed on as soon as a line end has arrived.
class TextBlocks {
 public:
  explicit TextBlocks(std::unique_ptr<ByteSource> source);

  /// Reads until at least one more line is complete; false at the end. The bytes of the present block from
  /// `keep_from` on come again at the beginning of the next one; `line` is the number of lines before them.
  bool next(std::size_t keep_from, std::uint64_t line);

  /// '\n', then whole lines, each with its end.
  std::string_view block() const { return {buffer_.data(), block_end_}; }
  const std::string& name() const { return source_->name(); }

 private:
  void check_beginning();
  void check_text(std::size_t begin, std::size_t end) const;
  std::uint64_t line_at(std::size_t offset) const;
  [[noreturn]] void fail(std::size_t offset, const std::string& what, const std::string& hint) const;

  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  std::size_t block_end_ = 1;  // of the whole lines
  std::size_t filled_ = 1;     // end of the bytes read
  std::uint64_t line_ = 0;     // lines before the block
  bool is_at_beginning_ = true;
  bool is_at_end_ = false;
};

}  // namespace biject
