#include "program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "command.hpp"
#include "core/error.hpp"
#include "core/suggest.hpp"
#include "help_text.hpp"
#include "output.hpp"
#include "parse.hpp"
#include "terminal.hpp"
#include "version.hpp"

namespace biject {

const CommandRow& find_command(std::string_view name) {
  std::vector<std::string> names;
  for (const auto* row : kCommands) {
    if (row->name == name) return *row;
    names.emplace_back(row->name);
  }
  auto hint = did_you_mean(name, names);
  if (hint.empty()) hint = fmt::format("the commands are {}", fmt::join(names, ", "));
  throw Error(ErrorKind::usage, "", fmt::format("unknown command '{}'", escaped(name, kShownWidth)), hint);
}

namespace {

constexpr std::size_t kExcerptWidth = 60;

int print(const std::string& text) {
  Output output;
  output.write(text);
  output.commit();
  return 0;
}

int run(const Words& words, GlobalFlags& global) {
  Flags flags;
  global.declare(flags);
  const auto line = split_at_command(words, flags);
  parse(flags, line.before, "");  // what is said of an unknown command obeys --color
  if (!line.command) {
    const auto settings = global.settings();
    if (global.version) return print(version_text(settings.is_verbose));
    if (global.long_help) return print(long_help());
    if (global.short_help) return print(short_help());
    print_to_stderr(introduction());
    return static_cast<int>(ErrorKind::usage);
  }
  const auto& row = find_command(*line.command);
  const auto command = row.make();
  Flags all;
  command->declare(all);
  global.declare(all);
  auto others = line.before;
  others.insert(others.end(), line.behind.begin(), line.behind.end());
  const auto files = parse(all, others, *line.command);
  const auto settings = global.settings();
  if (global.version) return print(version_text(settings.is_verbose));
  if (global.long_help) return print(long_help(row));
  if (global.short_help) return print(short_help(row));
  return command->run(settings, files);
}

/// The only place that prints an error.
int report(const Error& error, When color) {
  const bool is_colored = wants_color(STDERR_FILENO, color);
  const auto painted = [&](std::string_view code, std::string_view text) {
    return is_colored ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  };
  auto text = painted("1;31", "biject:") + ' ';
  if (!error.where().empty()) text += escaped(error.where()) + ": ";
  text += escaped(error.what()) + '\n';
  if (!error.excerpt().empty()) text += "    " + escaped(error.excerpt(), kExcerptWidth) + '\n';
  if (!error.hint().empty()) text += painted("1;36", "hint:") + ' ' + escaped(error.hint()) + '\n';
  print_to_stderr(text);
  return static_cast<int>(error.kind());
}

int report_internal(const char* what) {
  print_to_stderr(fmt::format("biject: internal error, please report: {}\n", escaped(what)));
  return 1;
}

}  // namespace
}  // namespace biject

int biject_main(int argc, char** argv) {
  using namespace biject;
  open_missing_streams();
  ::signal(SIGXFSZ, SIG_IGN);  // a file that grows over the limit is a failed write, not a death
  GlobalFlags global;
  try {
    return run(Words(argv + (argc > 0), argv + argc), global);
  } catch (const Error& error) {
    return report(error, global.color_choice());
  } catch (const std::bad_alloc&) {
    print_to_stderr("biject: out of memory\n");
    return static_cast<int>(ErrorKind::limit);
  } catch (const std::system_error& error) {  // no thread could be started
    return report({ErrorKind::limit, "", error.what(), "--threads 1 needs no further threads"},
                  global.color_choice());
  } catch (const std::exception& error) {
    return report_internal(error.what());
  } catch (...) {
    return report_internal("unknown exception");
  }
}
