#include "core/rng.hpp"

#include <Random123/philox.h>

#include <bit>
#include <cmath>

#include "core/numerics.hpp"

namespace biject {

namespace {

__extension__ using Wide = unsigned __int128;

// (k + 1/2)·2⁻⁵² of 52 random bits k. Half a step away from both ends: 2⁻⁵³ and 1 − 2⁻⁵³ are the extremes, and both are doubles.
double open_unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 32 | low) >> 12;
  return (std::bit_cast<double>(bits | std::bit_cast<std::uint64_t>(1.)) - 1) + 0x1p-53;  // both exact
}

// Two independent normal numbers from the words of one block, by Box and Muller.
inline void to_normals(std::uint32_t word0, std::uint32_t word1, std::uint32_t word2, std::uint32_t word3, double& even, double& odd) {
  const double radius = std::sqrt(-2 * log_fast(open_unit(word0, word1)));
  double sine, cosine;
  sine_and_cosine_of_turns(open_unit(word2, word3), sine, cosine);
  even = radius * cosine;
  odd = radius * sine;
}

}  // namespace

std::array<std::uint32_t, 4> Rng::bits(std::uint64_t row, std::uint32_t index) const {
  const r123::Philox4x32::ctr_type counter{
      {index, static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32)}};
  const r123::Philox4x32::key_type key{
      {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)}};
  const auto block = r123::Philox4x32{}(counter, key);
  return {block[0], block[1], block[2], block[3]};
}

void Rng::bits_of_rows(std::uint64_t first_row, std::uint32_t index, RowGroupBits& words) const {
  // The ten rounds of Philox written over arrays, which the compiler turns into vector instructions; halves of products in loops of
  // their own, or it multiplies 64 by 64 bits.
  constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57, kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  const auto high = [](std::uint32_t a, std::uint32_t b) { return static_cast<std::uint32_t>(static_cast<std::uint64_t>(a) * b >> 32); };
  using Words = std::array<std::uint32_t, kRowGroup>;
  Words c0, c1, c2, c3, high0, high1;
  for (std::size_t i = 0; i < kRowGroup; ++i) {
    c0[i] = index;
    c1[i] = static_cast<std::uint32_t>(stream_);
    c2[i] = static_cast<std::uint32_t>(first_row + i);
    c3[i] = static_cast<std::uint32_t>((first_row + i) >> 32);
  }
  auto key0 = static_cast<std::uint32_t>(seed_), key1 = static_cast<std::uint32_t>(seed_ >> 32);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < kRowGroup; ++i) high0[i] = high(kMultiplier0, c0[i]);
    for (std::size_t i = 0; i < kRowGroup; ++i) high1[i] = high(kMultiplier1, c2[i]);
    for (std::size_t i = 0; i < kRowGroup; ++i) {
      const std::uint32_t low0 = kMultiplier0 * c0[i], low1 = kMultiplier1 * c2[i];
      c0[i] = high1[i] ^ c1[i] ^ key0;
      c1[i] = low1;
      c2[i] = high0[i] ^ c3[i] ^ key1;
      c3[i] = low0;
    }
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  words = {c0, c1, c2, c3};
}

double Rng::uniform(std::uint64_t row, std::uint32_t index) const {
  const auto words = bits(row, index);
  return open_unit(words[0], words[1]);
}

double Rng::normal(std::uint64_t row, std::uint32_t index) const {
  const auto words = bits(row, index / 2);
  double even, odd;
  to_normals(words[0], words[1], words[2], words[3], even, odd);
  return index % 2 == 0 ? even : odd;
}

void Rng::normals_of_rows(std::uint64_t first_row, std::uint32_t pair, RowGroupNormals& normals) const {
  RowGroupBits words;
  bits_of_rows(first_row, pair, words);
  auto& [even, odd] = normals;
  for (std::size_t i = 0; i < kRowGroup; ++i) to_normals(words[0][i], words[1][i], words[2][i], words[3][i], even[i], odd[i]);
}

std::uint64_t Rng::below(std::uint64_t bound, std::uint64_t row, std::uint32_t index) const {
  // The high half of a 64 × 64 bit product. Its bias, bound / 2⁶⁴, is far below what any table could show.
  const auto words = bits(row, index);
  const std::uint64_t word = static_cast<std::uint64_t>(words[0]) << 32 | words[1];
  return static_cast<std::uint64_t>(static_cast<Wide>(word) * bound >> 64);
}

}  // namespace biject
