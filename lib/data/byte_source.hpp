#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace biject {

/// Where the bytes of a table come from: a file, a pipe, later a decompressor; in tests, a string in small
/// pieces.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Waits for at least one byte and takes what is there, at most `into.size()`; 0 means the end. Throws
  /// Error io.
  virtual std::size_t read(std::span<char> into) = 0;

  const std::string& name() const { return name_; }  // as errors call it

 protected:
  explicit ByteSource(std::string name) : name_(std::move(name)) {}

 private:
  std::string name_;
};

/// Opens a file; "-" is standard input, which errors call "stdin". Throws Error io, also for a folder.
std::unique_ptr<ByteSource> open_byte_source(const std::string& path);

using SourceOpener = std::function<std::unique_ptr<ByteSource>(const std::string& path)>;

}  // namespace biject
