#pragma once

#include <string>
#include <string_view>

namespace biject {

/// A file that appears whole or not at all.
///
/// Opening creates a temporary in the folder of the target (which thereby proves to be writable), commit() makes it
/// durable and puts it in the target's place, destruction without commit removes it. A symbolic link is followed, the
/// mode of an existing file is kept, and a target that is not a regular file (a device, a pipe) is written directly.
/// All errors are Error of kind io with the path in `where`.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  void commit();
  int descriptor() const { return descriptor_; }

 private:
  std::string path_, target_, temporary_;
  int descriptor_ = -1;
};

/// Removes the temporaries of all AtomicFiles that are open. Async-signal-safe: for the handler of a signal that kills.
void remove_temporaries_in_signal_handler();

/// Whether two paths name the same existing file (device and inode).
bool is_same_file(const std::string& a, const std::string& b);

}  // namespace biject
