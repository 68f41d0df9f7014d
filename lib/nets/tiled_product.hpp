#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "core/frame.hpp"
#include "core/numerics.hpp"
#include "core/register.hpp"
#include "core/types.hpp"
#include "core/unroll.hpp"
#include "nets/activation.hpp"

namespace biject {

/// Products for shards of samples. Internal to nets/dense.cpp.
///
/// A shard has few rows, so a product that packs its operands first, as those of matrix libraries do, spends a third to two thirds of
/// its time on that. Here samples stay in the lanes of registers as they lie in memory, and numbers of w are broadcast: nothing is
/// packed, thin products are as fast as square ones, and a row is computed by the same operations wherever it stands, so that its
/// bits do not depend on the shard.

namespace tiles {

// A tile of y is kept in registers: kRows registers of samples times kCols columns, beside kRows of x and one of w. AVX-512 and ARM have
// 32 registers, the others 16.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int kRows = 3, kCols = 8;
#else
inline constexpr int kRows = 3, kCols = 4;
#endif

template <class S> struct Operands {
  const S* x;
  Index x_stride;                // from column to column
  const S* w;
  Index w_row_stride, w_stride;  // from row to row, from column to column
  S* y;
  Index y_stride;
  Index inner;
  const S* bias = nullptr;       // if set, what the sums of each column start from
  Activation activation = Activation::none;  // of what is written
};

/// tanh of the numbers at y + begin … y + end, which are of one register: like everything here, by the same operations whatever its place.
/// Not in line, and with numbers that lie in memory: across a call no sums could stay in registers, not even in the loop before it.
template <class S> [[gnu::noinline]] void tanh_of(S* y, Index begin, Index end) {
  S value[Register<S>::kLanes]{};
  std::copy(y + begin, y + end, value + begin);
  for (S& v : value) v = tanh_fast(v);
  std::copy(value + begin, value + end, y + begin);
}

/// What the last register of a tile holds: rows, or rows in its first `lanes` lanes, beyond which x may be read or not.
enum class Last { whole, padded, part };

/// One tile. Of its first register, the first `done` lanes are rows that another tile has seen to.
template <class S, int rows, int cols, bool adds, Last last = Last::whole>
void tile(const Operands<S>& o, Index row, Index col, Index done, Index lanes = Register<S>::kLanes) {
  using Value = typename Register<S>::Value;
  constexpr Index kLanes = Register<S>::kLanes;
  const auto load = [&](const S* p) __attribute__((always_inline)) -> Value {
    if constexpr (last == Last::part) {
      Value value{};
      std::memcpy(&value, p, static_cast<std::size_t>(lanes) * sizeof(S));
      return value;
    } else {
      return Register<S>::at(p);
    }
  };
  Value sums[rows * cols];
  unroll<rows * cols>([&](auto i) __attribute__((always_inline)) {
    sums[i] = Value{};
    if (o.bias != nullptr) sums[i] += o.bias[col + i / rows];
  });
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
  const auto place = [&](auto i, auto j) { return o.y + row + i * kLanes + (col + j) * o.y_stride; };
  const auto is_cut = [](auto i) { return last != Last::whole && i + 1 == rows; };
  const auto begin = [&](auto i) { return i == 0 ? done : 0; };
  const auto end = [&](auto i) { return is_cut(i) ? lanes : kLanes; };
  const auto store = [&](auto act) __attribute__((always_inline)) {
    unroll<cols>([&](auto j) __attribute__((always_inline)) {
      unroll<rows>([&](auto i) __attribute__((always_inline)) {
        S* y = place(i, j);
        if (is_cut(i) || (i == 0 && done > 0)) {
          S sum[kLanes];  // a copy: what is looked up by lane lies in memory, and the sums shall not
          Register<S>::at(sum) = sums[j * rows + i];
          for (Index lane = begin(i); lane < end(i); ++lane) y[lane] = act(adds ? y[lane] + sum[lane] : sum[lane]);
        } else {
          const Value sum = sums[j * rows + i];
          Register<S>::at(y) = act(adds ? Register<S>::at(y) + sum : sum);
        }
      });
    });
  };
  if (o.activation == Activation::relu) {
    store([](auto sum) __attribute__((always_inline)) { return relu(sum); });
  } else {
    store([](auto sum) __attribute__((always_inline)) { return sum; });
  }
  if (o.activation == Activation::tanh) {
    unroll<cols>([&](auto j) { unroll<rows>([&](auto i) { tanh_of(place(i, j), begin(i), end(i)); }); });
  }
}

/// All rows of `cols` columns, tile by tile.
template <class S, int cols, bool adds> void tile_columns(const Operands<S>& o, Index rows, Index col) {
  constexpr Index kLanes = Register<S>::kLanes;
  if (rows < kLanes) return tile<S, 1, cols, adds, Last::part>(o, 0, col, 0, rows);  // rare, and slow
  Index row = 0;
  if constexpr (cols <= kCols / 2) {  // so thin a tile has room for twice the rows: fewer loads for a product, and half the calls
    for (; row + 2 * kRows * kLanes <= rows; row += 2 * kRows * kLanes) tile<S, 2 * kRows, cols, adds>(o, row, col, 0);
  }
  for (; row + kRows * kLanes <= rows; row += kRows * kLanes) {
    // Four registers are two tiles of two: one of three would leave one of one, which is slower than either.
    if (rows - row == 4 * kLanes) break;
    tile<S, kRows, cols, adds>(o, row, col, 0);
  }
  if (rows - row == 4 * kLanes) {
    tile<S, 2, cols, adds>(o, row, col, 0);
    tile<S, 2, cols, adds>(o, row + 2 * kLanes, col, 0);
    return;
  }
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

/// The same for at most a tile of rows, where x is padded to whole registers.
template <class S, int cols, bool adds> void tile_padded_columns(const Operands<S>& o, Index rows, Index col) {
  constexpr Index kLanes = Register<S>::kLanes;
  const Index registers = (rows + kLanes - 1) / kLanes, lanes = rows - (registers - 1) * kLanes;
  if (rows == kRows * kLanes) {
    tile<S, kRows, cols, adds>(o, 0, col, 0);
  } else if (registers == 1) {
    tile<S, 1, cols, adds, Last::padded>(o, 0, col, 0, lanes);
  } else if (registers == 2) {
    tile<S, 2, cols, adds, Last::padded>(o, 0, col, 0, lanes);
  } else {
    tile<S, 3, cols, adds, Last::padded>(o, 0, col, 0, lanes);
  }
}

/// f(columns as a constant, first column) for groups of columns as wide as tiles can be.
template <class F> void for_each_group(Index cols, F f) {
  Index col = 0;
  for (; col + kCols <= cols; col += kCols) f(std::integral_constant<int, kCols>{}, col);
  if constexpr (kCols > 4) {
    if (cols - col == 7) return f(std::integral_constant<int, 7>{}, col);
    if (cols - col == 6) return f(std::integral_constant<int, 6>{}, col);
    if (cols - col == 5) return f(std::integral_constant<int, 5>{}, col);
    if (cols - col == 4) return f(std::integral_constant<int, 4>{}, col);
  }
  if (cols - col == 3) return f(std::integral_constant<int, 3>{}, col);
  if (cols - col == 2) return f(std::integral_constant<int, 2>{}, col);
  if (cols - col == 1) return f(std::integral_constant<int, 1>{}, col);
}

}  // namespace tiles

/// y = x·w or y += x·w; of bias, if given, y.cols() numbers are added to each row, and then comes the activation.
template <class S, bool adds>
void tiled_product(const In<S>& x, const In<S>& w, Out<S>& y, const S* bias = nullptr, Activation activation = Activation::none) {
  const tiles::Operands<S> o{x.data(), x.outerStride(), w.data(), 1, w.outerStride(), y.data(), y.outerStride(), x.cols(), bias, activation};
  tiles::for_each_group(y.cols(), [&](auto cols, Index col) { tiles::tile_columns<S, cols, adds>(o, y.rows(), col); });
}

/// A matrix of which only some leading rows are stored, more of them with each panel of columns, as of a masked weight.
template <class S> struct StoredPanel {
  const S* w;
  Index rows, cols, stride;
};

namespace tiles {

/// So many columns of y at a time: a whole register of w, so that every line of the cache is read once.
template <class S> inline constexpr Index kTurned = std::max<Index>(Register<S>::kLanes, kCols);

/// Rows [row, row + kTurned) of `count` columns of w, in turn; those that are not stored are zero.
template <class S> void copy_rows(const StoredPanel<S>& panel, Index row, Index first, Index count, S* to) {
  const Index stored = std::min(kTurned<S>, panel.rows - row);
  const S* from = panel.w + row + first * panel.stride;
  for (Index c = 0; c < count; ++c, from += panel.stride, to += kTurned<S>) {
    if (stored == kTurned<S>) {
      std::memcpy(to, from, kTurned<S> * sizeof(S));
    } else {
      for (Index i = 0; i < kTurned<S>; ++i) to[i] = i < stored ? from[i] : S(0);
    }
  }
}

/// Begins to fetch what copy_rows will want next: no processor foresees a line here and a line there.
template <class S> void prefetch_row(const StoredPanel<S>& panel, Index row, Index first, Index count) {
  const S* from = panel.w + row + first * panel.stride;
  for (Index c = 0; c < count; ++c, from += panel.stride) __builtin_prefetch(from);
}

}  // namespace tiles

/// y = Σ x_p·w_pᵀ or y += Σ x_p·w_pᵀ over the panels of w, where x_p are the next columns of x. What some columns of y need of w lies a
/// column apart, where a cache has few places for it, so it is brought together for all their tiles.
template <class S, bool adds>
void tiled_product_transposed(const In<S>& x, std::span<const StoredPanel<S>> panels, Out<S>& y) {
  constexpr Index kMostInner = 128, kTurned = tiles::kTurned<S>;  // so what is turned stays in the first-level cache
  alignas(kAlignment) S turned[static_cast<std::size_t>(kMostInner) * kTurned];
  const S* from = x.data();
  Index begun = adds ? y.cols() : 0;  // columns of y that hold sums already
  for (const StoredPanel<S>& panel : panels) {
    for (Index first = 0; first < panel.cols; first += kMostInner) {
      const Index inner = std::min(kMostInner, panel.cols - first);
      for (Index row = 0; row < panel.rows; row += kTurned) {
        tiles::copy_rows<S>(panel, row, first, inner, turned);
        if (row + kTurned < panel.rows) tiles::prefetch_row(panel, row + kTurned, first, inner);
        const tiles::Operands<S> o{from, x.outerStride(), turned, kTurned, 1, y.data() + row * y.outerStride(), y.outerStride(), inner};
        tiles::for_each_group(std::min(kTurned, y.cols() - row), [&](auto cols, Index col) {
          if (row < begun) {
            tiles::tile_columns<S, cols, true>(o, y.rows(), col);
          } else {
            tiles::tile_columns<S, cols, false>(o, y.rows(), col);
          }
        });
      }
      begun = std::max(begun, (panel.rows + kTurned - 1) / kTurned * kTurned);
      from += inner * x.outerStride();
    }
  }
  if (begun < y.cols()) y.rightCols(y.cols() - begun).setZero();
}

namespace tiles {

/// Registers of kLanes numbers become the registers of their transpose: v[i][l] ↔ v[l][i]. In each of log₂ kLanes rounds the numbers at
/// which one bit of i and of l differ change places.
template <class S> [[gnu::always_inline]] inline void transpose(typename Register<S>::Value (&v)[Register<S>::kLanes]) {
  using Value = typename Register<S>::Value;
  using Lane = std::conditional_t<sizeof(S) == 4, std::int32_t, std::int64_t>;
  typedef Lane Lanes __attribute__((vector_size(kRegisterBytes)));
  constexpr int kLanes = Register<S>::kLanes;
  const auto round = [&]<int bit>(std::integral_constant<int, bit>) __attribute__((always_inline)) {
    Lanes low{}, high{};
    for (int l = 0; l < kLanes; ++l) {
      low[l] = (l & bit) == 0 ? l : kLanes + l - bit;
      high[l] = (l & bit) == 0 ? l + bit : kLanes + l;
    }
    unroll<kLanes>([&](auto i) __attribute__((always_inline)) {
      if constexpr ((i & bit) == 0) {
        const Value a = v[i], b = v[i + bit];
        v[i] = __builtin_shuffle(a, b, low);
        v[i + bit] = __builtin_shuffle(a, b, high);
      }
    });
  };
  if constexpr (kLanes > 1) round(std::integral_constant<int, 1>{});
  if constexpr (kLanes > 2) round(std::integral_constant<int, 2>{});
  if constexpr (kLanes > 4) round(std::integral_constant<int, 4>{});
  if constexpr (kLanes > 8) round(std::integral_constant<int, 8>{});
}

/// to[r·kRows·kLanes + c] = x(row + r, col + c) for r below `rows` and c below `cols`, zero for what is left of the last register.
template <class S> void transpose_block(const In<S>& x, Index row, Index rows, Index col, Index cols, S* to) {
  using Value = typename Register<S>::Value;
  constexpr Index kLanes = Register<S>::kLanes, kStride = kRows * kLanes;
  for (Index c = 0; c < cols; c += kLanes) {
    for (Index r = 0; r < rows; r += kLanes) {
      const Index here = std::min(kLanes, rows - r);
      Value v[kLanes];
      for (Index i = 0; i < kLanes; ++i) {
        v[i] = Value{};
        if (c + i >= cols) continue;
        const S* from = x.data() + row + r + (col + c + i) * x.outerStride();
        if (here == kLanes) {
          v[i] = Register<S>::at(from);
        } else {
          std::memcpy(&v[i], from, static_cast<std::size_t>(here) * sizeof(S));
        }
      }
      transpose<S>(v);
      for (Index i = 0; i < here; ++i) Register<S>::at(to + (r + i) * kStride + c) = v[i];
    }
  }
}

}  // namespace tiles

/// One product of several that share x: y += x[:, 0 … y.rows())ᵀ·dy.
template <class S> struct OuterProduct {
  const S* dy;
  Index dy_stride;
  S* y;
  Index rows, cols, y_stride;
};

/// What x contributes is turned once for all of them, so that its columns lie in the lanes. Each number of y is added to once for every
/// `block` rows of x, or oftener where these are more than kMostBlockRows, so many being turned at a time.
template <class S> void tiled_outer_products(const In<S>& x, std::span<const OuterProduct<S>> products, Index block) {
  constexpr Index kGroup = tiles::kRows * Register<S>::kLanes;
  alignas(kAlignment) S turned[static_cast<std::size_t>(kGroup) * kMostBlockRows];
  block = std::min(block, kMostBlockRows);
  const Index most = kMostBlockRows / block * block;
  for (Index row = 0; row < x.rows(); row += most) {
    const Index inner = std::min(most, x.rows() - row);
    for (Index col = 0; col < x.cols(); col += kGroup) {
      tiles::transpose_block<S>(x, row, inner, col, std::min(kGroup, x.cols() - col), turned);
      for (const OuterProduct<S>& product : products) {
        const Index count = std::min(kGroup, product.rows - col);
        if (count <= 0) continue;
        tiles::for_each_group(product.cols, [&](auto cols, Index first) {
          for (Index begin = 0; begin < inner; begin += block) {
            const tiles::Operands<S> o{turned + begin * kGroup, kGroup, product.dy + row + begin, 1, product.dy_stride,
                                       product.y + col, product.y_stride, std::min(block, inner - begin)};
            tiles::tile_padded_columns<S, cols, true>(o, count, first);
          }
        });
      }
    }
  }
}

}  // namespace biject
