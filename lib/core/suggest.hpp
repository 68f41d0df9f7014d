#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace biject {

/// The candidate that somebody who typed `text` most likely meant: the fewest slips (a letter too many,
/// missing, wrong, or two swapped; case and `-` against `_` count for little), if they are few for the length
/// of the text. The first of several equally near ones; empty if none is near.
std::optional<std::string> closest_match(std::string_view text, std::span<const std::string> candidates);

/// "did you mean 'NAME'?", or nothing: ready to be the hint of an Error.
std::string did_you_mean(std::string_view text, std::span<const std::string> candidates);

}  // namespace biject
