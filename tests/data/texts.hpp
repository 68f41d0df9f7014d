#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "data/csv_options.hpp"

namespace biject::csv_test {

/// Gives out a text at most `piece` bytes at a time.
class TextSource final : public ByteSource {
 public:
  TextSource(std::string name, std::string text, std::size_t piece)
      : ByteSource(std::move(name)), text_(std::move(text)), piece_(piece) {}
  std::size_t read(std::span<char> into) override {
    const std::size_t count = std::min({piece_, into.size(), text_.size() - position_});
    std::memcpy(into.data(), text_.data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t piece_, position_ = 0;
};

/// Options that open texts by name instead of files.
inline CsvOptions options_for(std::map<std::string, std::string> texts, std::size_t piece = 1 << 20) {
  CsvOptions options;
  options.open = [texts = std::move(texts), piece](const std::string& name) -> std::unique_ptr<ByteSource> {
    return std::make_unique<TextSource>(name, texts.at(name), piece);
  };
  return options;
}

/// The Error that `action` throws; fails loudly if it throws none.
template <class Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("no error was thrown");
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace biject::csv_test
