#include "output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/error.hpp"
#include "data/csv_writer.hpp"
#include "signals.hpp"
#include "terminal.hpp"
#include "values.hpp"

namespace biject {

Output::Output() = default;

Output::Output(const Value& path, const std::vector<std::string>& inputs) {
  const auto name = as_text(path);
  if (!name || *name == "-") return;
  refuse_same_file(path, inputs);
  name_ = *name;
  remove_temporaries_when_killed();
  file_ = std::make_unique<AtomicFile>(name_);
}

int Output::descriptor() const {
  return file_ ? file_->descriptor() : STDOUT_FILENO;
}

bool Output::is_terminal() const {
  return biject::is_terminal(descriptor());
}

void Output::write(std::string_view bytes) {
  write_all(descriptor(), bytes, name_);
}

void Output::commit() {
  if (file_) return file_->commit();
  // Some file systems report a full disk only now.
  if (::close(STDOUT_FILENO) != 0 && errno != EINTR)
    throw Error(ErrorKind::io, name_,
                fmt::format("cannot write: {}", std::generic_category().message(errno)));
  open_missing_streams();
}

void refuse_same_file(const Value& path, const std::vector<std::string>& inputs) {
  for (const auto& input : inputs)
    if (input != "-" && is_same_file(*path, input))
      throw Error(ErrorKind::usage, "", fmt::format("{}: '{}' is also an input", path.flag, *path),
                  "write to another file; the input stays as it is");
}

}  // namespace biject
