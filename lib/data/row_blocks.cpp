#include "data/row_blocks.hpp"

#include "core/error.hpp"

namespace biject {

RowBlocks::RowBlocks(const Matrix<double>& values) : RowBlocks(values.cols()) {
  for (Index i = 0; i < values.rows(); ++i) {
    const Vector<double> row = values.row(i);
    add({row.data(), static_cast<std::size_t>(row.size())});
  }
}

Matrix<double> RowBlocks::first(Index rows) const {
  Matrix<double> result(rows, cols_);
  for_each_block([&](Index first, const Block& block) {
    if (const Index count = std::min(block.rows(), rows - first); count > 0)
      result.middleRows(first, count) = block.topRows(count);
  });
  return result;
}

void RowBlocks::add(std::span<const double> row) {
  BIJECT_EXPECT(std::ssize(row) == cols_);
  if (rows_++ % rows_per_block() == 0) {
    blocks_.emplace_back().reserve(static_cast<std::size_t>(rows_per_block() * cols_));
  }
  blocks_.back().insert(blocks_.back().end(), row.begin(), row.end());
}

void RowBlocks::keep_columns(std::span<const Index> columns) {
  RowBlocks kept(std::ssize(columns));
  std::vector<double> row(columns.size());
  take_blocks([&](Index, const Block& block) {
    for (Index i = 0; i < block.rows(); ++i) {
      for (std::size_t j = 0; j < columns.size(); ++j) row[j] = block(i, columns[j]);
      kept.add(row);
    }
  });
  *this = std::move(kept);
}

}  // namespace biject
