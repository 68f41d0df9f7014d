#pragma once

#include <deque>
#include <span>
#include <vector>

#include "core/page_allocator.hpp"
#include "core/types.hpp"

namespace biject {

/// n × D numbers that grow and go row by row: in blocks of rows, so that neither takes more memory than the numbers.
class RowBlocks {
 public:
  using Block = Eigen::Map<const RowMatrix<double>>;

  explicit RowBlocks(Index cols = 0) : cols_(cols) {}
  RowBlocks(const Matrix<double>& values);

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  double operator()(Index row, Index col) const {
    const Index in_block = row % rows_per_block();
    return blocks_[static_cast<std::size_t>(row / rows_per_block())][static_cast<std::size_t>(in_block * cols_ + col)];
  }
  Matrix<double> matrix() const { return first(rows_); }
  Matrix<double> first(Index rows) const;  // a copy of so many

  void add(std::span<const double> row);
  /// These columns alone, in this order.
  void keep_columns(std::span<const Index> columns);

  /// Calls visit(index of the first row, Block) for one block of rows after the other.
  template <class F> void for_each_block(F&& visit) const {
    Index first = 0;
    for (const Numbers& numbers : blocks_) {
      const Index rows = std::ssize(numbers) / cols_;
      visit(first, Block(numbers.data(), rows, cols_));
      first += rows;
    }
  }
  /// The same for the last time: every block is gone after its visit.
  template <class F> void take_blocks(F&& visit) {
    for (Index first = 0; !blocks_.empty(); blocks_.pop_front()) {
      const Index rows = std::ssize(blocks_.front()) / cols_;
      visit(first, Block(blocks_.front().data(), rows, cols_));
      first += rows;
    }
    rows_ = 0;
  }

 private:
  using Numbers = std::vector<double, PageAllocator<double>>;

  Index rows_per_block() const {
    constexpr Index kNumbersPerBlock = Index{1} << 18;  // 2 MiB
    return cols_ == 0 ? 1 : std::max<Index>(1, kNumbersPerBlock / cols_);
  }

  Index rows_ = 0, cols_;
  std::deque<Numbers> blocks_;  // row by row; all full but the last
};

}  // namespace biject
