#include "core/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <random>
#include <system_error>

#include "core/error.hpp"

namespace biject {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
  throw Error(ErrorKind::io, path, "cannot be written: " + reason);
}
[[noreturn]] void refuse(const std::string& path, int code) {
  refuse(path, std::generic_category().message(code));
}

// The names of the temporaries that exist right now, in a form that a signal handler may read: no lock, no
// heap.
struct Registered {
  enum State : int { free, claimed, ready };
  std::atomic<int> state{free};
  std::array<char, 4096> path{};
};
static_assert(std::atomic<int>::is_always_lock_free);
std::array<Registered, 16> registry;

// Whatever does not fit is not registered; its file then outlives a kill and is removed as stale by the next
// writer.
void remember(const std::string& temporary) {
  for (Registered& entry : registry) {
    int expected = Registered::free;
    if (temporary.size() >= entry.path.size()) return;
    if (!entry.state.compare_exchange_strong(expected, Registered::claimed)) continue;
    std::memcpy(entry.path.data(), temporary.c_str(), temporary.size() + 1);
    entry.state.store(Registered::ready);
    return;
  }
}

void forget(const std::string& temporary) {
  for (Registered& entry : registry) {
    if (entry.state.load() == Registered::ready && temporary == entry.path.data()) {
      entry.state.store(Registered::free);
      return;
    }
  }
}

// The place that a chain of symbolic links leads to, whether or not something is there.
fs::path follow_links(const std::string& path) {
  constexpr int kMostLinks = 40;  // as the kernel
  fs::path target = path;
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(target, error)); ++links) {
    if (links == kMostLinks) refuse(path, ELOOP);
    target = target.parent_path() / fs::read_symlink(target, error);
    if (error) refuse(path, error.value());
  }
  return target;
}

// /dev/stdout and /dev/fd/N name a descriptor that is already open. It is duplicated rather than opened by
// its name: a second opening of a regular file would start at its beginning and overwrite what was appended
// to.
std::optional<int> named_descriptor(std::string_view path) {
  constexpr std::string_view kFolder = "/dev/fd/";
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (!path.starts_with(kFolder)) return std::nullopt;
  int descriptor = -1;
  const char* end = path.data() + path.size();
  const auto [rest, code] = std::from_chars(path.data() + kFolder.size(), end, descriptor);
  return code == std::errc{} && rest == end ? std::optional(descriptor) : std::nullopt;
}

constexpr std::string_view kSuffix = ".tmp";

// ".NAME.", cut so that process, random digits and suffix still fit into the 255 bytes of a file name.
std::string temporary_prefix(const fs::path& target) {
  return fmt::format(".{}.", target.filename().string().substr(0, 200));
}

// Left by processes that were killed. A name counts only if all of it has our form.
void remove_stale(const fs::path& folder, const std::string& prefix) {
  std::error_code error;  // a folder that cannot be listed may still be written to
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) continue;
    pid_t process = 0;
    const char* last = name.data() + name.size();
    const auto [rest, code] = std::from_chars(name.data() + prefix.size(), last, process);
    const bool is_ours = code == std::errc{} && process > 0 &&
                         std::string_view(rest, last).size() == 9 + kSuffix.size() && *rest == '.';
    if (is_ours && ::kill(process, 0) != 0 && errno == ESRCH) ::unlink(entry->path().c_str());
  }
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse(path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

// The rename is durable once the folder is. Some file systems have no fsync for folders, and say EINVAL.
void sync_folder(const fs::path& folder, const std::string& path) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // writable but not readable: nothing more can be done
  const int code = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (code != 0 && code != EINVAL && code != ENOTSUP) refuse(path, code);
}

fs::path folder_of(const fs::path& target) {
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  if (const auto descriptor = named_descriptor(path_)) {
    descriptor_ = ::fcntl(*descriptor, F_DUPFD_CLOEXEC, 0);
    if (descriptor_ < 0) refuse(path_, errno);
    return;
  }
  if (path_.empty()) refuse(path_, "the name is empty");
  struct stat old {};
  const bool exists = ::stat(path_.c_str(), &old) == 0;
  if (!exists && errno != ENOENT) refuse(path_, errno);
  if ((exists && S_ISDIR(old.st_mode)) || path_.ends_with('/')) refuse(path_, EISDIR);
  if (exists && !S_ISREG(old.st_mode)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor_ < 0) refuse(path_, errno);
    return;
  }
  // A rename would replace even a file that its owner has write-protected.
  if (exists && ::access(path_.c_str(), W_OK) != 0) refuse(path_, errno);

  const fs::path target = follow_links(path_), folder = folder_of(target);
  struct stat place {};
  if (::stat(folder.c_str(), &place) != 0 && errno == ENOENT) {
    refuse(path_, folder.string() + ": No such directory");
  }
  target_ = target.string();
  const std::string prefix = temporary_prefix(target);
  remove_stale(folder, prefix);

  std::random_device random;
  do {
    temporary_ = (folder / fmt::format("{}{}.{:08x}{}", prefix, ::getpid(), random(), kSuffix)).string();
    remember(temporary_);  // first, so that a signal between the two does not leave the file behind
    // The contents of a private file stay private while they are written.
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, exists ? 0600 : 0666);
    if (descriptor_ < 0) forget(temporary_);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) refuse(path_, folder.string() + ": " + std::generic_category().message(errno));
  if (exists) ::fchmod(descriptor_, old.st_mode & 07777);  // a file system without modes has none to keep
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  forget(temporary_);
}

void AtomicFile::write(std::string_view bytes) {
  write_all(descriptor_, bytes, path_);
}

void AtomicFile::commit() {
  // A failed fsync is final: the kernel may have dropped the pages, and a second call would report success.
  if (!temporary_.empty() && ::fsync(descriptor_) != 0) refuse(path_, errno);
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 && errno != EINTR) refuse(path_, errno);  // after EINTR Linux has closed it
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) refuse(path_, errno);
  forget(std::exchange(temporary_, {}));
  sync_folder(folder_of(target_), path_);
}

void remove_temporaries_in_signal_handler() {
  const int code = errno;
  for (const Registered& entry : registry) {
    if (entry.state.load() == Registered::ready) ::unlink(entry.path.data());
  }
  errno = code;
}

bool is_same_file(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

}  // namespace biject
