#include "data/row_blocks.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace biject;

namespace {

// Of several blocks, the last of which is not full.
Matrix<double> many_numbers() {
  std::mt19937_64 random(1);
  Matrix<double> numbers(150'001, 5);
  for (double& number : numbers.reshaped()) number = static_cast<double>(random());
  return numbers;
}

}  // namespace

TEST_CASE("rows come back from their blocks as they were put in") {
  const Matrix<double> numbers = many_numbers();
  const RowBlocks blocks(numbers);
  CHECK(blocks.rows() == numbers.rows());
  CHECK(blocks.cols() == numbers.cols());
  CHECK(blocks.matrix() == numbers);
  CHECK(blocks.first(70'000) == numbers.topRows(70'000));
  for (const Index row : {Index{0}, Index{52'427}, Index{52'428}, Index{52'429}, Index{150'000}}) CHECK(blocks(row, 3) == numbers(row, 3));
  const RowBlocks copy = blocks;
  CHECK(copy.matrix() == numbers);
}

TEST_CASE("columns are kept in the order that is asked for") {
  const Matrix<double> numbers = many_numbers();
  RowBlocks blocks(numbers);
  blocks.keep_columns(std::vector<Index>{4, 1});
  REQUIRE(blocks.cols() == 2);
  CHECK(blocks.matrix().col(0) == numbers.col(4));
  CHECK(blocks.matrix().col(1) == numbers.col(1));
}

TEST_CASE("blocks that are taken come in order and are gone") {
  const Matrix<double> numbers = many_numbers();
  RowBlocks blocks(numbers);
  Matrix<double> taken(numbers.rows(), numbers.cols());
  Index next = 0;
  blocks.take_blocks([&](Index first, const RowBlocks::Block& block) {
    CHECK(first == next);
    taken.middleRows(first, block.rows()) = block;
    next += block.rows();
  });
  CHECK(taken == numbers);
  CHECK(blocks.rows() == 0);
  blocks.add(std::vector<double>{1, 2, 3, 4, 5});
  CHECK(blocks(0, 4) == 5);
}
