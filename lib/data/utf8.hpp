#pragma once

#include <cstddef>
#include <string_view>

namespace biject {

/// Where the first ill-formed byte sequence begins (overlong forms and surrogates included); npos if there is
/// none.
std::size_t find_invalid_utf8(std::string_view text);

/// Characters (code points) of valid UTF-8.
std::size_t count_characters(std::string_view text);

}  // namespace biject
