#include "core/layout.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"

namespace biject {

namespace {

constexpr Index kNumbersPerLine = kAlignment / static_cast<Index>(sizeof(float));

Index round_up(Index value, Index step) { return (value + step - 1) / step * step; }

// Eight panels skip most of what a triangular mask forbids; narrower ones no longer fill the register blocks of the
// matrix product, and a width that is no multiple of 16 wastes part of each.
Index panel_width(Index cols) { return std::max<Index>(32, round_up((cols + kMostPanels - 1) / kMostPanels, 16)); }

}  // namespace

Index Tensor::free_count() const {
  return prefix.empty() ? rows * cols : std::accumulate(prefix.begin(), prefix.end(), Index{0});
}

Slot Layout::place(Index rows, Index cols) {
  Slot slot{size_, rows, cols};
  size_ += round_up(rows * cols, kNumbersPerLine);
  return slot;
}

Slot Layout::add(std::string name, Index rows, Index cols) {
  const Slot slot = place(rows, cols);
  tensors_.push_back({std::move(name), rows, cols, {{0, slot}}, {}});
  return slot;
}

const Tensor& Layout::add_masked(std::string name, Index rows, std::vector<Index> prefix) {
  BIJECT_EXPECT(std::is_sorted(prefix.begin(), prefix.end()));
  const Index cols = static_cast<Index>(prefix.size());
  Tensor tensor{std::move(name), rows, cols, {}, std::move(prefix)};
  const bool is_dense = cols > 0 && tensor.prefix.front() == tensor.prefix.back();
  const Index width = is_dense ? cols : panel_width(cols);
  for (Index column = 0; column < cols; column += width) {
    const Index here = std::min(width, cols - column);
    tensor.panels.push_back({column, place(tensor.prefix[static_cast<std::size_t>(column + here - 1)], here)});
  }
  tensors_.push_back(std::move(tensor));
  return tensors_.back();
}

Index Layout::free_count() const {
  return std::accumulate(tensors_.begin(), tensors_.end(), Index{0},
                         [](Index sum, const Tensor& tensor) { return sum + tensor.free_count(); });
}

}  // namespace biject
