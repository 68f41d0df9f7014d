#pragma once

#include "options.hpp"
#include "train/trainer.hpp"

namespace biject {

/// Shows on stderr how a training goes: a bar that is redrawn on a terminal, else a line per epoch or every
/// half minute.
class Progress {
 public:
  /// `seconds`: the wall-clock limit of the training, 0 if there is none.
  Progress(const Settings& settings, double seconds);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin();  // something to see before the first epoch is over
  void show(const EpochReport& report);
  /// Removes the bar, for what is to be printed below.
  void clear();

 private:
  enum class Style { none, bar, every_epoch, now_and_then };
  static Style style_for(const Settings& settings);
  double seconds_left(const EpochReport& report) const;
  void draw(const EpochReport& report);
  void draw(std::string line);  // ASCII

  Style style_;
  double limit_;
  Index best_epoch_ = 0;
  double shown_at_ = 0;  // seconds of the report that was printed last
  bool is_drawn_ = false;
};

}  // namespace biject
