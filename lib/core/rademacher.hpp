#pragma once

#include <algorithm>

#include "core/frame.hpp"

namespace biject {

/// Independent signs ±1 in v (n × D), a function of the noise's seed and row, of the column and of `key`, which tells those who draw
/// apart. One Philox block decides 128 columns of one row. Keys in use differ by more than (D + 127) / 128.
template <class S> void draw_signs(const Noise& noise, std::uint32_t key, Out<S> v) {
  constexpr auto kRows = static_cast<Index>(Rng::kRowGroup);
  const Rng rng = noise.of(Stream::probe);
  Rng::RowGroupBits words;
  for (Index row = 0; row < v.rows(); row += kRows) {
    const Index rows = std::min(kRows, v.rows() - row);
    for (Index c = 0; c < v.cols(); ++c) {
      if (c % 128 == 0) {
        rng.bits_of_rows(noise.first_row + static_cast<std::uint64_t>(row), key + static_cast<std::uint32_t>(c / 128), words);
      }
      const auto& word = words[static_cast<std::size_t>(c % 128 / 32)];
      S* column = &v.coeffRef(row, c);
      for (Index r = 0; r < rows; ++r) {
        column[r] = static_cast<S>(static_cast<int>(word[static_cast<std::size_t>(r)] >> (c % 32) & 1U) * 2 - 1);
      }
    }
  }
}

}  // namespace biject
