#include "core/rng.hpp"

#include <Random123/philox.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <bit>
#include <cmath>

#include "core/numerics.hpp"
#include "core/register.hpp"

namespace biject {

namespace {

__extension__ using Wide = unsigned __int128;

// (k + 1/2)·2⁻⁵² of 52 random bits k. Half a step away from both ends: 2⁻⁵³ and 1 − 2⁻⁵³ are the extremes, and both are doubles.
double open_unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 32 | low) >> 12;
  return (std::bit_cast<double>(bits | std::bit_cast<std::uint64_t>(1.)) - 1) + 0x1p-53;  // both exact
}

// The high half of a 64 × 64 bit product. Its bias, bound / 2⁶⁴, is far below what any table could show.
std::uint64_t scaled(std::uint32_t high, std::uint32_t low, std::uint64_t bound) {
  return static_cast<std::uint64_t>(static_cast<Wide>(static_cast<std::uint64_t>(high) << 32 | low) * bound >> 64);
}

// Two independent normal numbers from the words of one block, by Box and Muller.
inline void to_normals(std::uint32_t word0, std::uint32_t word1, std::uint32_t word2, std::uint32_t word3, double& even, double& odd) {
  const double radius = std::sqrt(-2 * log_fast(open_unit(word0, word1)));
  double sine, cosine;
  sine_and_cosine_of_turns(open_unit(word2, word3), sine, cosine);
  even = radius * cosine;
  odd = radius * sine;
}

using Words = Register<std::uint32_t>::Value;
using Pairs = Register<std::uint64_t>::Value;

// Products of the low words of pairs. There is an instruction for them, but compilers multiply all 64 bits, three times as slow.
inline Pairs multiply_low(Pairs a, Pairs b) {
#if defined(__AVX512F__)
  return std::bit_cast<Pairs>(_mm512_mul_epu32(std::bit_cast<__m512i>(a), std::bit_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return std::bit_cast<Pairs>(_mm256_mul_epu32(std::bit_cast<__m256i>(a), std::bit_cast<__m256i>(b)));
#elif defined(__SSE2__) && !defined(__AVX__)
  return std::bit_cast<Pairs>(_mm_mul_epu32(std::bit_cast<__m128i>(a), std::bit_cast<__m128i>(b)));
#else
  return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
#endif
}

struct Product {
  Words high, low;
};

inline Product multiply(Words a, std::uint32_t factor) {
  const Pairs pairs = std::bit_cast<Pairs>(a), factors = Pairs{} + factor;
  const Pairs even = multiply_low(pairs, factors), odd = multiply_low(pairs >> 32, factors);
  constexpr std::uint64_t kLow = 0xFFFFFFFF;
  return {std::bit_cast<Words>(even >> 32 | (odd & ~kLow)), std::bit_cast<Words>((even & kLow) | odd << 32)};
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
  constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57, kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  constexpr std::size_t kWords = Register<std::uint32_t>::kLanes;
  std::array<std::uint32_t, kRowGroup> rows, rows_high;
  for (std::size_t i = 0; i < kRowGroup; ++i) rows[i] = static_cast<std::uint32_t>(first_row + i);
  for (std::size_t i = 0; i < kRowGroup; ++i) rows_high[i] = static_cast<std::uint32_t>((first_row + i) >> 32);
  for (std::size_t first = 0; first < kRowGroup; first += kWords) {  // the ten rounds of Philox
    Words c0 = Words{} + index, c1 = Words{} + static_cast<std::uint32_t>(stream_);
    Words c2 = Register<std::uint32_t>::at(&rows[first]), c3 = Register<std::uint32_t>::at(&rows_high[first]);
    auto key0 = static_cast<std::uint32_t>(seed_), key1 = static_cast<std::uint32_t>(seed_ >> 32);
    for (int round = 0; round < 10; ++round) {
      const Product p0 = multiply(c0, kMultiplier0), p1 = multiply(c2, kMultiplier1);
      c0 = p1.high ^ c1 ^ key0;
      c1 = p1.low;
      c2 = p0.high ^ c3 ^ key1;
      c3 = p0.low;
      key0 += kWeyl0;
      key1 += kWeyl1;
    }
    Register<std::uint32_t>::at(&words[0][first]) = c0;
    Register<std::uint32_t>::at(&words[1][first]) = c1;
    Register<std::uint32_t>::at(&words[2][first]) = c2;
    Register<std::uint32_t>::at(&words[3][first]) = c3;
  }
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
  const auto words = bits(row, index);
  return scaled(words[0], words[1], bound);
}

void Rng::places_of_rows(std::uint64_t first_row, std::uint32_t index, RowGroupPlaces& places) const {
  RowGroupBits words;
  bits_of_rows(first_row, index, words);
  for (std::size_t i = 0; i < kRowGroup; ++i) places[i] = scaled(words[0][i], words[1][i], first_row + i + 1);
}

}  // namespace biject
