#include "data/text_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.hpp"
#include "data/utf8.hpp"

namespace biject {

namespace {

constexpr std::size_t kReadSize = std::size_t{1} << 18;

struct Signature {
  std::string_view bytes, what, hint;
};

using namespace std::string_view_literals;
constexpr std::array kSignatures = {
    Signature{"\x1f\x8b"sv, "a gzip file", "decompress it first: zcat FILE | biject …"},
    Signature{"\x28\xb5\x2f\xfd"sv, "a zstd file", "decompress it first: zstdcat FILE | biject …"},
    Signature{"\xfd"
              "7zXZ\0"sv,
              "an xz file", "decompress it first: xzcat FILE | biject …"},
    Signature{"BZh91AY&SY"sv, "a bzip2 file", "decompress it first: bzcat FILE | biject …"},
    Signature{"PK\x03\x04"sv, "a zip file or a spreadsheet", "unzip it, or save the sheet as CSV"},
    Signature{"PAR1\x15"sv, "a Parquet file", "save it as CSV first"},
    Signature{"\x7f"
              "ELF"sv,
              "a program", ""},
    Signature{"\xff\xfe"sv, "UTF-16 text", "convert it first: iconv -f utf-16 -t utf-8 FILE | biject …"},
    Signature{"\xfe\xff"sv, "UTF-16 text", "convert it first: iconv -f utf-16 -t utf-8 FILE | biject …"},
};

}  // namespace

TextBlocks::TextBlocks(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)), buffer_(1 + kReadSize) {
  buffer_[0] = '\n';
}

bool TextBlocks::next(std::size_t keep_from, std::uint64_t line) {
  const std::size_t kept = block_end_ - keep_from;
  std::memmove(buffer_.data() + 1, buffer_.data() + keep_from, filled_ - keep_from);
  filled_ = 1 + filled_ - keep_from;
  block_end_ = 1 + kept;
  line_ = line;

  std::size_t searched = block_end_;
  for (;;) {
    const std::string_view unseen(buffer_.data() + searched, filled_ - searched);
    if (const std::size_t last = unseen.rfind('\n'); last != std::string_view::npos) {
      const std::size_t begin = block_end_;
      block_end_ = searched + last + 1;
      check_beginning();
      check_text(begin, block_end_);
      return true;
    }
    searched = filled_;
    if (filled_ - block_end_ > kMaxLine) {
      check_beginning();
      check_text(block_end_, filled_);
      throw Error(ErrorKind::limit, fmt::format("{}:{}", name(), line_at(block_end_)),
                  fmt::format("a line is longer than {} bytes", kMaxLine));
    }
    if (is_at_end_) return false;
    buffer_.resize(std::max(buffer_.size(), filled_ + kReadSize));
    const std::size_t count = source_->read({buffer_.data() + filled_, kReadSize});
    filled_ += count;
    if (count == 0) {
      is_at_end_ = true;
      if (filled_ > block_end_) {
        if (filled_ == buffer_.size()) buffer_.push_back('\n');
        buffer_[filled_++] = '\n';
      }
    }
  }
}

void TextBlocks::check_beginning() {
  if (!is_at_beginning_) return;
  is_at_beginning_ = false;
  const std::string_view text(buffer_.data() + 1, filled_ - 1);
  for (const Signature& signature : kSignatures) {
    if (text.starts_with(signature.bytes)) {
      throw Error(ErrorKind::data, name(), fmt::format("this looks like {}, not CSV", signature.what),
                  std::string(signature.hint));
    }
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    std::memmove(buffer_.data() + 1, buffer_.data() + 4, filled_ - 4);
    filled_ -= 3;
    block_end_ -= block_end_ > 1 ? 3 : 0;
  }
}

void TextBlocks::check_text(std::size_t begin, std::size_t end) const {
  const std::string_view text(buffer_.data() + begin, end - begin);
  const std::size_t nul = text.find('\0');
  // Text before a NUL may be sound or not: the first fault is the one to tell.
  const std::size_t invalid = find_invalid_utf8(text.substr(0, nul));
  std::size_t lone_return = text.find('\r');
  while (lone_return != std::string_view::npos &&
         (begin + lone_return + 1 == filled_ || buffer_[begin + lone_return + 1] == '\n')) {
    lone_return = text.find('\r', lone_return + 1);
  }

  const std::size_t first = std::min({nul, invalid, lone_return});
  if (first == std::string_view::npos) return;
  if (first == nul) {
    fail(begin + first, "a NUL byte: this is not text, or it is UTF-16",
         "convert UTF-16 first: iconv -f utf-16 -t utf-8 FILE | biject …");
  }
  if (first == invalid) {
    fail(begin + first, "invalid UTF-8", "convert Latin-1 first: iconv -f latin1 -t utf-8 FILE | biject …");
  }
  fail(begin + first, "a carriage return that does not belong to a line end",
       "convert old line ends first: tr '\\r' '\\n' < FILE | biject …");
}

std::uint64_t TextBlocks::line_at(std::size_t offset) const {
  return line_ + 1 +
         static_cast<std::uint64_t>(std::count(buffer_.begin() + 1, buffer_.begin() + offset, '\n'));
}

void TextBlocks::fail(std::size_t offset, const std::string& what, const std::string& hint) const {
  const std::string_view before(buffer_.data() + 1, offset - 1);
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  throw Error(
      ErrorKind::data,
      fmt::format("{}:{}:{}", name(), line_at(offset), 1 + count_characters(before.substr(line_begin))), what,
      hint);
}

}  // namespace biject
