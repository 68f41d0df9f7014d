#include "nets/masks.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"

namespace biject {

namespace {

constexpr Index kGroupDegrees = 4;  // see MaskedStep

}  // namespace

std::vector<Index> hidden_degrees(Index width, const std::vector<Index>& visible, bool has_context) {
  BIJECT_EXPECT(!visible.empty() && std::ranges::is_sorted(visible));
  const Index highest = visible.back();
  const Index lowest = has_context ? visible.front() : std::max(visible.front(), std::min<Index>(1, highest));
  const Index levels = highest - lowest + 1;
  std::vector<Index> degrees(static_cast<std::size_t>(width));
  for (Index unit = 0; unit < width; ++unit) degrees[static_cast<std::size_t>(unit)] = lowest + unit * levels / width;
  return degrees;
}

std::vector<Index> prefixes(const std::vector<Index>& degrees, const std::vector<Index>& available) {
  std::vector<Index> result;
  result.reserve(degrees.size());
  for (const Index degree : degrees) {
    result.push_back(std::ranges::upper_bound(available, degree) - available.begin());
  }
  return result;
}

std::vector<Index> input_degrees(Index inputs) {
  std::vector<Index> degrees(static_cast<std::size_t>(inputs));
  std::iota(degrees.begin(), degrees.end(), Index{1});
  return degrees;
}

Units units_between(const std::vector<Index>& degrees, Index above, Index last) {
  const auto begin = std::ranges::upper_bound(degrees, above);
  return {begin - degrees.begin(), std::ranges::upper_bound(degrees, last) - begin};
}

MaskedStep masked_step(const std::vector<Index>& visible, Index first) {
  const auto seen_by = [&](Index output) { return output < 0 ? -1 : visible[static_cast<std::size_t>(output)]; };
  const Index now = seen_by(first), begin = now / kGroupDegrees * kGroupDegrees;
  const auto group = std::ranges::lower_bound(visible, begin) - visible.begin();  // its first output
  return {seen_by(first - 1), now, seen_by(group - 1), begin + kGroupDegrees - 1};
}

}  // namespace biject
