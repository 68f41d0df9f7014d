#include <memory>

#include "command.hpp"
#include "core/error.hpp"
#include "help_text.hpp"
#include "output.hpp"

namespace biject {
namespace {

class Help final : public Command {
 public:
  void declare(Flags&) override {}

  int run(const Settings&, const std::vector<std::string>& names) override {
    if (names.size() > 1)
      throw Error(ErrorKind::usage, "", "help takes one command", "biject help " + names.front());
    Output output;
    output.write(names.empty() ? long_help() : long_help(find_command(names.front())));
    output.commit();
    return 0;
  }
};

}  // namespace

const CommandRow kHelp{
    .name = "help",
    .summary = "explain a command",
    .usage = "[COMMAND]",
    .description =
        "Prints the whole help of a command, the same as biject COMMAND --help. "
        "Without a command, the help of the tool.",
    .examples = "biject help fit",
    .make = [] { return std::unique_ptr<Command>(new Help); },
};

}  // namespace biject
