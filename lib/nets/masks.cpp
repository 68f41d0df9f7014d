#include "nets/masks.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.hpp"

namespace biject {

namespace {

// See MaskedStep. Of 14 degrees, plain networks would still be faster without groups, residual ones are not.
Index group_degrees(Index highest) { return highest < 12 ? 1 : 4; }

}  // namespace

Degrees::Degrees(std::vector<Index> sorted) : sorted_(std::move(sorted)) {
  const Index highest = sorted_.empty() ? 0 : sorted_.back();
  for (Index degree = 0; degree <= highest; ++degree) up_to_.push_back(std::ranges::upper_bound(sorted_, degree) - sorted_.begin());
}

std::vector<Index> Degrees::prefixes(const Degrees& available) const {
  std::vector<Index> result;
  result.reserve(sorted_.size());
  for (const Index degree : sorted_) result.push_back(available.up_to(degree));
  return result;
}

Degrees hidden_degrees(Index width, const std::vector<Index>& visible, bool has_context) {
  BIJECT_EXPECT(!visible.empty() && std::ranges::is_sorted(visible));
  const Index highest = visible.back();
  const Index lowest = has_context ? visible.front() : std::max(visible.front(), std::min<Index>(1, highest));
  const Index levels = highest - lowest + 1;
  std::vector<Index> degrees(static_cast<std::size_t>(width));
  for (Index unit = 0; unit < width; ++unit) degrees[static_cast<std::size_t>(unit)] = lowest + unit * levels / width;
  return Degrees(std::move(degrees));
}

Degrees input_degrees(Index inputs) {
  std::vector<Index> degrees(static_cast<std::size_t>(inputs));
  std::iota(degrees.begin(), degrees.end(), Index{1});
  return Degrees(std::move(degrees));
}

MaskedStep masked_step(const Degrees& outputs, Index first) {
  const auto before = [&](Index output) { return output == 0 ? -1 : outputs[output - 1]; };
  const Index highest = outputs[outputs.size() - 1], size = group_degrees(highest);
  const Index done = before(first), now = outputs[first], begin = now / size * size;
  const Index before_group = before(outputs.up_to(begin - 1)), group = std::min(begin + size - 1, highest);
  return {done, now, before_group, group, before_group == done && group == now ? now : before_group};
}

}  // namespace biject
