#pragma once

#include <string>
#include <string_view>

namespace biject {

/// What a file that is not a model seems to be, from its first bytes, to follow "not a biject model": " but a
/// zip archive (…)". Empty if there is no telling.
std::string describe_foreign(std::string_view head);

}  // namespace biject
