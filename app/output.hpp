#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/atomic_file.hpp"
#include "flags.hpp"

namespace biject {

/// Where a command puts its result: standard output, or a file that appears whole when it is committed.
class Output {
 public:
  /// Standard output.
  Output();
  /// The file named by a flag; standard output if it was not given or is "-". Refuses (Error usage) to write
  /// onto an input.
  Output(const Value& path, const std::vector<std::string>& inputs);

  int descriptor() const;
  const std::string& name() const { return name_; }  // as messages call it
  bool is_stdout() const { return !file_; }
  bool is_terminal() const;

  void write(std::string_view bytes);
  /// Everything was written: makes it final. Throws Error io if the system lost something.
  void commit();

 private:
  std::string name_ = "stdout";
  std::unique_ptr<AtomicFile> file_;
};

/// Error usage if the path of the flag names one of the inputs.
void refuse_same_file(const Value& path, const std::vector<std::string>& inputs);

}  // namespace biject
