#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace biject {

/// A handle: place and shape of one dense block of numbers in an Arena, no pointer.
struct Slot {
  Index offset = 0, rows = 0, cols = 0;
};

inline constexpr Index kMostPanels = 8;  // of a tensor

/// Rows [0, slot.rows) of columns [column, column + slot.cols) of a tensor.
struct Panel {
  Index column = 0;
  Slot slot;
};

/// One named parameter. A dense tensor is a single panel. A masked one, whose column c uses only its first prefix[c]
/// rows, is cut into a few panels of neighbouring columns, and of each panel only the rows that one of its columns
/// needs are stored.
struct Tensor {
  std::string name;
  Index rows = 0, cols = 0;
  std::vector<Panel> panels;
  std::vector<Index> prefix;  // empty: every row of every column is free
  Index free_count() const;   // numbers that training may change
};

/// Names, places and shapes of all parameters of a flow, filled by the constructors of its layers.
class Layout {
 public:
  Slot add(std::string name, Index rows, Index cols = 1);
  /// A tensor whose column c uses rows [0, prefix[c]). prefix must not fall from left to right.
  const Tensor& add_masked(std::string name, Index rows, std::vector<Index> prefix);

  Index size() const { return size_; }  // numbers in an arena, alignment gaps included
  Index free_count() const;             // parameters, as one would count them in a paper
  std::span<const Tensor> tensors() const { return tensors_; }

 private:
  Slot place(Index rows, Index cols);
  std::vector<Tensor> tensors_;
  Index size_ = 0;
};

}  // namespace biject
