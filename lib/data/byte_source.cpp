#include "data/byte_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/error.hpp"

namespace biject {

namespace {

[[noreturn]] void fail(const std::string& name, const std::string& action, int code) {
  throw Error(ErrorKind::io, name, action + ": " + std::generic_category().message(code));
}

class DescriptorSource final : public ByteSource {
 public:
  DescriptorSource(std::string name, int descriptor, bool is_owned)
      : ByteSource(std::move(name)), descriptor_(descriptor), is_owned_(is_owned) {}
  ~DescriptorSource() override {
    if (is_owned_) ::close(descriptor_);
  }

  std::size_t read(std::span<char> into) override {
    for (;;) {
      const ssize_t count = ::read(descriptor_, into.data(), into.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) fail(name(), "cannot read", errno);
    }
  }

 private:
  int descriptor_;
  bool is_owned_;
};

}  // namespace

std::unique_ptr<ByteSource> open_byte_source(const std::string& path) {
  const bool is_stdin = path == "-";
  const std::string name = is_stdin ? "stdin" : path;
  const int descriptor = is_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(name, "cannot open", errno);
  auto source = std::make_unique<DescriptorSource>(name, descriptor, !is_stdin);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail(name, "cannot read", errno);
  if (S_ISDIR(status.st_mode)) fail(name, "cannot read", EISDIR);
  return source;
}

}  // namespace biject
