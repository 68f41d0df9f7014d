#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flags.hpp"

namespace biject {

using Words = std::vector<std::string>;

/// The words of a command line around the command: the first word that is neither a flag nor the value of a
/// global one.
struct CommandLine {
  Words before;  // all words if there is no command
  std::optional<std::string> command;
  Words behind;
};
CommandLine split_at_command(const Words& words, const Flags& global);

/// Fills the targets of the flags from the words and returns the others, the files. `--` ends the flags.
/// Throws Error usage. Targets are filled even then, as far as the words make sense.
Words parse(const Flags& flags, Words words, const std::string& command);

}  // namespace biject
