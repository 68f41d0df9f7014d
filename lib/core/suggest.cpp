#include "core/suggest.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace biject {

namespace {

constexpr std::size_t kSlip =
    2;  // what a slip costs; letters that differ only in case, or - for _, cost half of it

char fold(char c) {
  return c == '_' || c == ' ' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

std::size_t exchange_cost(char a, char b) {
  if (a == b) return 0;
  return fold(a) == fold(b) ? kSlip / 2 : kSlip;
}

// Optimal string alignment (Damerau–Levenshtein without edits inside a swapped pair), three rows of the table
// at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j * kSlip;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i * kSlip;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + kSlip, row[j - 1] + kSlip, last[j - 1] + exchange_cost(a[i - 1], b[j - 1])});
      const bool is_swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swapped) row[j] = std::min(row[j], before[j - 2] + kSlip);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string> closest_match(std::string_view text, std::span<const std::string> candidates) {
  // A third of the letters may be wrong; case alone always counts as near.
  std::size_t least = std::max<std::size_t>(1, (text.size() + 1) / 3 * kSlip) + 1;
  const std::string* best = nullptr;
  for (const std::string& candidate : candidates) {
    const std::size_t length_gap =
        std::max(text.size(), candidate.size()) - std::min(text.size(), candidate.size());
    if (length_gap * kSlip >= least) continue;
    if (const std::size_t d = distance(text, candidate); d < least) {
      least = d;
      best = &candidate;
    }
  }
  return best ? std::optional(*best) : std::nullopt;
}

std::string did_you_mean(std::string_view text, std::span<const std::string> candidates) {
  const auto match = closest_match(text, candidates);
  return match ? "did you mean '" + *match + "'?" : std::string();
}

}  // namespace biject
