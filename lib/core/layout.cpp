#include "core/layout.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"

namespace biject {

namespace {

constexpr Index kNumbersPerLine = kAlignment / static_cast<Index>(sizeof(float));

Index round_up(Index value, Index step) { return (value + step - 1) / step * step; }

constexpr Index kFewestColumns = 32;  // of a matrix that is worth cutting

/// The columns that end the panels of a masked matrix. Columns that use the same rows make a panel, if there are not too many of these.
/// Else eight panels skip most of what a triangular mask forbids; narrower ones no longer fill the register blocks of the matrix
/// product, and a width that is no multiple of 16 wastes part of each.
std::vector<Index> panel_ends(const std::vector<Index>& prefix) {
  const Index cols = std::ssize(prefix);
  if (cols <= kFewestColumns) return cols > 0 ? std::vector<Index>{cols} : std::vector<Index>{};
  std::vector<Index> ends;
  for (Index column = 1; column <= cols; ++column) {
    if (column == cols || prefix[static_cast<std::size_t>(column)] != prefix[static_cast<std::size_t>(column - 1)]) ends.push_back(column);
  }
  if (std::ssize(ends) <= kMostPanels) return ends;
  ends.clear();
  const Index width = std::max(kFewestColumns, round_up((cols + kMostPanels - 1) / kMostPanels, 16));
  for (Index column = 0; column < cols; column += width) ends.push_back(std::min(column + width, cols));
  return ends;
}

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
  Index column = 0;
  for (const Index end : panel_ends(tensor.prefix)) {
    tensor.panels.push_back({column, place(tensor.prefix[static_cast<std::size_t>(end - 1)], end - column)});
    column = end;
  }
  tensors_.push_back(std::move(tensor));
  return tensors_.back();
}

Index Layout::free_count() const {
  return std::accumulate(tensors_.begin(), tensors_.end(), Index{0},
                         [](Index sum, const Tensor& tensor) { return sum + tensor.free_count(); });
}

}  // namespace biject
