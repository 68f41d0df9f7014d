#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/csv_writer.hpp"
#include "flags.hpp"
#include "train/trainer.hpp"

namespace biject {

/// The file behind `fit --log`: a line per epoch, there to be read as soon as the epoch is over.
class EpochLog {
 public:
  /// Opens the file, and leaves what is in it. Does nothing if the flag was not given. Throws Error: usage if
  /// the file is also an input or the model, io.
  EpochLog(const Value& path, const Value& model, const std::vector<std::string>& inputs);
  ~EpochLog();
  EpochLog(const EpochLog&) = delete;
  EpochLog& operator=(const EpochLog&) = delete;

  /// Training is about to start: now the file is emptied, and the header written.
  void begin();
  void write(const EpochReport& report);

 private:
  int descriptor_ = -1;
  std::string name_;  // in errors
  std::optional<CsvWriter> writer_;
};

}  // namespace biject
