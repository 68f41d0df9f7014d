#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "core/types.hpp"

namespace biject {

/// Products whose rows are samples, x rows × inner, y rows × cols. Internal to nets/dense.cpp.
///
/// A shard has few rows, so a product that packs its operands first, as those of matrix libraries do, spends a third to two thirds of
/// its time on that. Here samples stay in the lanes of registers as they lie in memory, and numbers of w are broadcast: nothing is
/// packed, thin products are as fast as square ones, and a row is computed by the same operations wherever it stands, so that its
/// bits do not depend on the shard.

namespace tiles {

// A tile of y is kept in registers: kRows registers of samples times kCols columns, beside kRows of x and one of w.
#if defined(__AVX512F__)
inline constexpr int kRegisterBytes = 64, kRows = 3, kCols = 8;
#elif defined(__AVX__)
inline constexpr int kRegisterBytes = 32, kRows = 3, kCols = 4;
#else
inline constexpr int kRegisterBytes = 16, kRows = 3, kCols = 4;
#endif

template <class S> struct Register {
  typedef S Value __attribute__((vector_size(kRegisterBytes)));
  typedef S InMemory __attribute__((vector_size(kRegisterBytes), aligned(alignof(S)), may_alias));
  static constexpr Index kLanes = kRegisterBytes / static_cast<Index>(sizeof(S));
};

template <class S> struct Operands {
  const S* x;
  Index x_stride;                // from column to column
  const S* w;
  Index w_row_stride, w_stride;  // from row to row, from column to column
  S* y;
  Index y_stride;
  Index inner;
};

/// f(0) … f(count − 1) with constants for arguments, one after the other: a plain loop would leave the sums in memory.
template <int count, class F> [[gnu::always_inline]] inline void unroll(F f) {
  [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, i>{}), ...);
  }(std::make_integer_sequence<int, count>{});
}

/// One tile. Of its first register, the first `done` lanes are rows that another tile has seen to. With is_part, a tile is a single
/// register of which `lanes` lanes are rows.
template <class S, int rows, int cols, bool adds, bool is_part = false>
void tile(const Operands<S>& o, Index row, Index col, Index done, Index lanes = 0) {
  using Value = typename Register<S>::Value;
  using InMemory = typename Register<S>::InMemory;
  constexpr Index kLanes = Register<S>::kLanes;
  const auto load = [&](const S* p) __attribute__((always_inline)) -> Value {
    if constexpr (is_part) {
      Value value{};
      std::memcpy(&value, p, static_cast<std::size_t>(lanes) * sizeof(S));
      return value;
    } else {
      return *reinterpret_cast<const InMemory*>(p);
    }
  };
  Value sums[rows * cols];
  unroll<rows * cols>([&](auto i) __attribute__((always_inline)) { sums[i] = Value{}; });
  const S* x = o.x + row;
  const S* w = o.w + col * o.w_stride;
  for (Index k = 0; k < o.inner; ++k, x += o.x_stride, w += o.w_row_stride) {
    Value samples[rows];
    unroll<rows>([&](auto i) __attribute__((always_inline)) { samples[i] = load(x + i * kLanes); });
    unroll<cols>([&](auto j) __attribute__((always_inline)) {
      const Value weight = w[j * o.w_stride] - Value{};  // to all lanes; subtracting 0 changes no number, so nothing is done
      unroll<rows>([&](auto i) __attribute__((always_inline)) { sums[j * rows + i] += samples[i] * weight; });
    });
  }
  unroll<cols>([&](auto j) __attribute__((always_inline)) {
    unroll<rows>([&](auto i) __attribute__((always_inline)) {
      S* y = o.y + row + i * kLanes + (col + j) * o.y_stride;
      if (is_part || (i == 0 && done > 0)) {
        for (Index lane = done; lane < (is_part ? lanes : kLanes); ++lane) y[lane] = adds ? y[lane] + sums[j * rows + i][lane] : sums[j * rows + i][lane];
      } else {
        const Value sum = sums[j * rows + i];
        *reinterpret_cast<InMemory*>(y) = adds ? *reinterpret_cast<const InMemory*>(y) + sum : sum;
      }
    });
  });
}

/// All rows of `cols` columns, tile by tile.
template <class S, int cols, bool adds> void tile_columns(const Operands<S>& o, Index rows, Index col) {
  constexpr Index kLanes = Register<S>::kLanes;
  if (rows < kLanes) return tile<S, 1, cols, adds, true>(o, 0, col, 0, rows);  // rare, and slow
  Index row = 0;
  for (; row + kRows * kLanes <= rows; row += kRows * kLanes) tile<S, kRows, cols, adds>(o, row, col, 0);
  if (row == rows) return;
  // The rest in whole registers too: they overlap the rows before.
  const Index registers = (rows - row + kLanes - 1) / kLanes, first = rows - registers * kLanes;
  if (first < 0) {  // there are too few before
    for (; row + kLanes <= rows; row += kLanes) tile<S, 1, cols, adds>(o, row, col, 0);
    if (row < rows) tile<S, 1, cols, adds>(o, rows - kLanes, col, row - (rows - kLanes));
  } else if (registers == 1) {
    tile<S, 1, cols, adds>(o, first, col, row - first);
  } else if (registers == 2) {
    tile<S, 2, cols, adds>(o, first, col, row - first);
  } else {
    tile<S, 3, cols, adds>(o, first, col, row - first);
  }
}

/// f(columns as a constant, first column) for groups of columns as wide as tiles can be.
template <class F> void for_each_group(Index cols, F f) {
  Index col = 0;
  for (; col + kCols <= cols; col += kCols) f(std::integral_constant<int, kCols>{}, col);
  if constexpr (kCols > 4) {
    for (; col + 4 <= cols; col += 4) f(std::integral_constant<int, 4>{}, col);
  }
  for (; col + 2 <= cols; col += 2) f(std::integral_constant<int, 2>{}, col);
  for (; col < cols; ++col) f(std::integral_constant<int, 1>{}, col);
}

}  // namespace tiles

/// y = x·w or y += x·w.
template <class S, bool adds> void tiled_product(const In<S>& x, const In<S>& w, Out<S>& y) {
  const tiles::Operands<S> o{x.data(), x.outerStride(), w.data(), 1, w.outerStride(), y.data(), y.outerStride(), x.cols()};
  tiles::for_each_group(y.cols(), [&](auto cols, Index col) { tiles::tile_columns<S, cols, adds>(o, y.rows(), col); });
}

/// y = x·wᵀ or y += x·wᵀ. What a group of columns needs of w lies a column apart, where a cache has few places for it, so it is brought
/// together for all tiles of the group.
template <class S, bool adds> void tiled_product_transposed(const In<S>& x, const In<S>& w, Out<S>& y) {
  constexpr Index kMostInner = 512;
  alignas(kAlignment) S group[static_cast<std::size_t>(kMostInner) * tiles::kCols];
  tiles::for_each_group(y.cols(), [&](auto cols, Index col) {
    Index first = 0;
    do {
      const Index inner = std::min(kMostInner, x.cols() - first);
      for (Index k = 0; k < inner; ++k) {
        const S* from = w.data() + col + (first + k) * w.outerStride();
        tiles::unroll<cols>([&](auto j) __attribute__((always_inline)) { group[k * cols + j] = from[j]; });
      }
      const tiles::Operands<S> o{x.data() + first * x.outerStride(), x.outerStride(), group, cols, 1, y.data() + col * y.outerStride(), y.outerStride(), inner};
      if (first == 0) {
        tiles::tile_columns<S, cols, adds>(o, y.rows(), 0);
      } else {
        tiles::tile_columns<S, cols, true>(o, y.rows(), 0);
      }
      first += inner;
    } while (first < x.cols());
  });
}

}  // namespace biject
