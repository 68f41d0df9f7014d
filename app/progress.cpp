#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "describe.hpp"

namespace biject {
namespace {

constexpr double kSecondsBetweenLines = 30;
constexpr double kSecondsBetweenDrawings = 0.05;  // faster than the eye would only cost time
constexpr std::size_t kNarrowestBar = 9, kWidestBar = 33;

/// A bar as wide as the room that is left for it; none if that is too little to show anything.
std::string bar(Index done, Index all, std::size_t room) {
  if (room < kNarrowestBar) return {};
  const auto inside = std::min(room, kWidestBar) - 3;  // brackets and a blank
  const auto filled =
      inside * static_cast<std::size_t>(done) / static_cast<std::size_t>(std::max<Index>(all, 1));
  return '[' + std::string(filled, '=') + std::string(inside - filled, ' ') + "] ";
}

std::size_t drawing_width() {
  return static_cast<std::size_t>(std::max(terminal_width(STDERR_FILENO) - 1, 20));
}

std::string short_count(double count) {
  if (count < 10'000) return fmt::format("{:.0f}", count);
  if (count < 1e7) return fmt::format("{:.0f}k", count / 1e3);
  return fmt::format("{:.0f}M", count / 1e6);
}

}  // namespace

Progress::Progress(const Settings& settings, double seconds) : style_(style_for(settings)), limit_(seconds) {}

Progress::Style Progress::style_for(const Settings& settings) {
  if (settings.is_quiet || settings.progress == When::never) return Style::none;
  if (is_capable_terminal(STDERR_FILENO)) return Style::bar;
  return settings.is_verbose || settings.progress == When::always ? Style::every_epoch : Style::now_and_then;
}

void Progress::begin() {
  if (style_ == Style::bar) draw(std::string("training"));
}

void Progress::show(const EpochReport& report) {
  if (report.is_best) best_epoch_ = report.epoch;
  const bool is_first = shown_at_ == 0, is_last = report.epoch == report.epochs;
  const double since = report.seconds - shown_at_;
  switch (style_) {
    case Style::none:
      return;
    case Style::bar:
      if (!is_first && !is_last && since < kSecondsBetweenDrawings) return;
      draw(report);
      break;
    case Style::now_and_then:
      if (since < kSecondsBetweenLines) return;
      [[fallthrough]];
    case Style::every_epoch:
      print_to_stderr(
          fmt::format("epoch {}/{}: train {:.4f}, validation {:.4f}, best {:.4f} (epoch {}), {} rows/s, {}\n",
                      report.epoch, report.epochs, report.train, report.validation, report.best, best_epoch_,
                      short_count(report.rows_per_second), describe_seconds(report.seconds)));
      break;
  }
  shown_at_ = report.seconds;
}

void Progress::clear() {
  if (is_drawn_) print_to_stderr("\r\x1b[K");
  is_drawn_ = false;
}

double Progress::seconds_left(const EpochReport& report) const {
  const auto epochs_left = static_cast<double>(report.epochs - report.epoch);
  const double left = report.seconds / static_cast<double>(report.epoch) * epochs_left;
  return limit_ > 0 ? std::clamp(limit_ - report.seconds, 0., left) : left;
}

void Progress::draw(const EpochReport& report) {
  const auto epoch = fmt::format("epoch {}/{} ", report.epoch, report.epochs);
  const auto numbers = fmt::format(
      "train {:.4f} validation {:.4f} best {:.4f} {} rows/s {} left", report.train, report.validation,
      report.best, short_count(report.rows_per_second), describe_seconds(std::ceil(seconds_left(report))));
  const std::size_t width = drawing_width(), used = std::min(epoch.size() + numbers.size(), width);
  draw(epoch + bar(report.epoch, report.epochs, width - used) + numbers);
}

void Progress::draw(std::string line) {
  line.resize(std::min(line.size(), drawing_width()));  // a line that wraps could not be redrawn
  print_to_stderr("\r" + line + "\x1b[K");
  is_drawn_ = true;
}

}  // namespace biject
