#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace biject {

/// Bytes at known places: a file, or memory. Readers take what they need, so that a file of any size costs
/// only what has already been found worth reading.
class StoredBytes {
 public:
  virtual ~StoredBytes() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills `to` with the bytes from `offset` on. All of them must be there.
  virtual void read(std::uint64_t offset, std::span<char> to) const = 0;
};

class BytesInMemory final : public StoredBytes {
 public:
  explicit BytesInMemory(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<char> to) const override;

 private:
  std::string_view bytes_;
};

/// A regular file, open for reading; anything else (a folder, a pipe, a device) is refused without reading
/// from it.
class BytesInFile final : public StoredBytes {
 public:
  explicit BytesInFile(const std::string& path);
  ~BytesInFile() override;
  BytesInFile(const BytesInFile&) = delete;
  BytesInFile& operator=(const BytesInFile&) = delete;

  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<char> to) const override;

 private:
  std::string path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace biject
