#include "epoch_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <string>
#include <system_error>

#include "core/error.hpp"
#include "output.hpp"
#include "values.hpp"

namespace biject {

EpochLog::EpochLog(const Value& path, const Value& model, const std::vector<std::string>& inputs) {
  const auto name = as_text(path);
  if (!name) return;
  if (model && (*model == *name || (*name != "-" && is_same_file(*model, *name))))
    throw Error(ErrorKind::usage, "", fmt::format("{} and {} are the same file", path.flag, model.flag),
                "write the log to another file");
  if (*name == "-") {
    descriptor_ = STDOUT_FILENO;
  } else {
    refuse_same_file(path, inputs);
    descriptor_ = ::open(name->c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0)
      throw Error(ErrorKind::io, *name,
                  fmt::format("cannot open for writing: {}", std::generic_category().message(errno)));
  }
  name_ = *name == "-" ? "stdout" : *name;
  writer_.emplace(descriptor_, name_, Flush::line);
}

void EpochLog::begin() {
  if (!writer_) return;
  // A pipe or a device has no length (EINVAL); standard output is not ours to cut.
  if (descriptor_ != STDOUT_FILENO && ::ftruncate(descriptor_, 0) != 0 && errno != EINVAL)
    throw Error(ErrorKind::io, name_,
                fmt::format("cannot empty: {}", std::generic_category().message(errno)));
  const std::array<std::string, 5> names{"epoch", "train", "validation", "rate", "seconds"};
  writer_->header(names);
}

EpochLog::~EpochLog() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

void EpochLog::write(const EpochReport& report) {
  if (!writer_) return;
  const auto cell = [&](double value) { std::isfinite(value) ? writer_->number(value) : writer_->text(""); };
  cell(static_cast<double>(report.epoch));
  cell(report.train);
  cell(report.validation);
  cell(report.rate);
  cell(report.seconds);
  writer_->end_line();
}

}  // namespace biject
