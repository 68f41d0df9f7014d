#pragma once

#include <string>

namespace biject {

/// "biject 0.1.0", and if verbose what it was built with.
std::string version_text(bool is_verbose);

}  // namespace biject
