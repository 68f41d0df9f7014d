#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace biject {

/// JSON from a stranger. Throws Error (ErrorKind::model) if the text is not exactly one JSON value, holds a
/// key twice in one object, a number beyond the doubles, or is nested or large beyond need. `part` is what to
/// call it in messages.
nlohmann::json parse_strict(std::string_view text, std::string_view part, const std::string& where);

/// A stranger's text for a message: in double quotes, escaped to printable ASCII, cut if long.
std::string quote(std::string_view text);

}  // namespace biject
