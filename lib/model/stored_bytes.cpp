#include "model/stored_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/error.hpp"

namespace biject {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw Error(ErrorKind::io, path, "cannot be read: " + reason);
}

}  // namespace

void BytesInMemory::read(std::uint64_t offset, std::span<char> to) const {
  BIJECT_EXPECT(offset <= bytes_.size() && to.size() <= bytes_.size() - offset);
  bytes_.copy(to.data(), to.size(), offset);
}

// O_NONBLOCK: a pipe that nobody writes to must not hold us up before we can refuse it.
BytesInFile::BytesInFile(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  if (descriptor_ < 0) fail(path_, std::generic_category().message(errno));
  struct stat status {};
  const int code = ::fstat(descriptor_, &status) == 0 ? 0 : errno;
  if (code == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  ::close(descriptor_);
  if (code != 0) fail(path_, std::generic_category().message(code));
  const char* found = S_ISDIR(status.st_mode) ? "a folder" : S_ISFIFO(status.st_mode) ? "a pipe" : "a device";
  throw Error(ErrorKind::model, path_, std::string("not a biject model but ") + found,
              S_ISFIFO(status.st_mode) ? "write the model to a file first" : "");
}

BytesInFile::~BytesInFile() {
  ::close(descriptor_);
}

void BytesInFile::read(std::uint64_t offset, std::span<char> to) const {
  while (!to.empty()) {
    const ssize_t count = ::pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_, std::generic_category().message(errno));
    if (count == 0) fail(path_, "the file became shorter while it was read");
    to = to.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

}  // namespace biject
