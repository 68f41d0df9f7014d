#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flags.hpp"
#include "options.hpp"

namespace biject {

/// A subcommand: what can be typed behind its name, and what is done then.
class Command {
 public:
  virtual ~Command() = default;
  virtual void declare(Flags& flags) = 0;
  /// Returns the exit code; throws Error.
  virtual int run(const Settings& settings, const std::vector<std::string>& files) = 0;
};

/// What is known of a subcommand without running it.
struct CommandRow {
  std::string_view name;
  std::string_view summary;      // one line
  std::string_view usage;        // behind "biject NAME"
  std::string_view description;  // paragraphs of the long help
  std::string_view examples;     // lines, as they would be typed
  std::unique_ptr<Command> (*make)();
};

extern const CommandRow kFit, kScore, kSample, kInfo, kFlows, kHelp;  // each in its own file

inline const CommandRow* const kCommands[] = {&kFit, &kScore, &kSample, &kInfo, &kFlows, &kHelp};
/// Throws Error usage, with the nearest name, if there is none of that name.
const CommandRow& find_command(std::string_view name);

}  // namespace biject
