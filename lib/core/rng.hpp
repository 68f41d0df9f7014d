#pragma once

#include <array>
#include <cstdint>

namespace biject {

/// What random numbers are for. Streams of one seed are independent.
enum class Stream : std::uint32_t { split, shuffle, init, sample, dropout, permutation, probe, matching };

/// Counter-based random numbers (Philox 4×32-10; Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3).
///
/// A value without state: every number is a function of (seed, stream, row, index) alone, never of an order of calls,
/// so results cannot depend on threads, shard sizes or how many rows were asked for.
class Rng {
 public:
  Rng(std::uint64_t seed, Stream stream) : seed_(seed), stream_(stream) {}

  std::array<std::uint32_t, 4> bits(std::uint64_t row, std::uint32_t index) const;
  /// bits(first_row + i, index)[w] in words[w][i], for kRowGroup rows at once: many times faster than one by one.
  static constexpr std::size_t kRowGroup = 16;
  using RowGroupBits = std::array<std::array<std::uint32_t, kRowGroup>, 4>;
  void bits_of_rows(std::uint64_t first_row, std::uint32_t index, RowGroupBits& words) const;
  double uniform(std::uint64_t row, std::uint32_t index) const;  // in (0, 1), 52 bits, both ends excluded
  double normal(std::uint64_t row, std::uint32_t index) const;   // Box–Muller; indices 2i and 2i+1 share a block
  /// normal(first_row + i, 2·pair) in normals[0][i] and normal(first_row + i, 2·pair + 1) in normals[1][i], many times faster.
  using RowGroupNormals = std::array<std::array<double, kRowGroup>, 2>;
  void normals_of_rows(std::uint64_t first_row, std::uint32_t pair, RowGroupNormals& normals) const;
  std::uint64_t below(std::uint64_t bound, std::uint64_t row, std::uint32_t index) const;  // in [0, bound)
  /// below(first_row + i + 1, first_row + i, index) in places[i]: the places with which a shuffle swaps these rows.
  using RowGroupPlaces = std::array<std::uint64_t, kRowGroup>;
  void places_of_rows(std::uint64_t first_row, std::uint32_t index, RowGroupPlaces& places) const;

 private:
  std::uint64_t seed_;
  Stream stream_;
};

}  // namespace biject
