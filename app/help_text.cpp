#include "help_text.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "terminal.hpp"

namespace biject {
namespace {

constexpr std::size_t kHelpColumn = 28;  // where the explanation of a flag begins

std::size_t page_width() {
  // Lines longer than a hundred columns are hard to read, however wide the window.
  return static_cast<std::size_t>(
      is_terminal(STDOUT_FILENO) ? std::clamp(terminal_width(STDOUT_FILENO), 60, 100) : 80);
}

/// The words of the text in lines that end before `width`; lines after the first are indented. A line end
/// in the text stays one.
std::string wrapped(std::string_view text, std::size_t column, std::size_t indent, std::size_t width) {
  std::string result;
  while (!text.empty()) {
    const auto length = std::min(text.find_first_of(" \n"), text.size());
    const auto word = text.substr(0, length);
    const bool is_first = result.empty() || result.back() == '\n';
    if (!is_first && column + 1 + width_of(word) > width) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!is_first && !result.ends_with(' ')) {
      result += ' ';
      ++column;
    }
    result += word;
    column += width_of(word);
    if (length < text.size() && text[length] == '\n') {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    }
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return result;
}

std::string typed(const Flag& flag) {
  const auto names = fmt::format("{}", fmt::join(flag.names, ", "));
  const auto indented =
      names.starts_with("--") ? "    " + names : names;  // long names stand below each other
  return flag.takes_value() ? fmt::format("{} {}", indented, flag.argument) : indented;
}

/// "  left      explanation", the explanation wrapped in its column.
std::string entry(std::string_view left, std::string_view explanation, std::size_t column = kHelpColumn) {
  auto line = fmt::format("  {}", left);
  if (width_of(line) + 2 > column)
    line += '\n' + std::string(column, ' ');
  else
    line += std::string(column - width_of(line), ' ');
  return line + wrapped(explanation, column, column, page_width()) + '\n';
}

std::string explained(const FlagGroup& group) {
  auto result = fmt::format("\n{}:\n", group.title);
  for (const auto& flag : group.flags) result += entry(typed(flag), flag.help);
  return result;
}

std::string named(const FlagGroup& group) {
  std::vector<std::string> names;
  for (const auto& flag : group.flags) names.push_back(flag.long_name());
  return entry(group.title + ':', fmt::format("{}", fmt::join(names, " ")), 20);
}

std::string examples(std::string_view lines) {
  std::string result = "\nExamples:\n";
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    result += fmt::format("  {}\n", lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return result;
}

std::string command_list() {
  std::string result = "\nCommands:\n";
  for (const auto* row : kCommands) result += entry(row->name, row->summary, 12);
  return result;
}

/// Of a command and of all commands, in the order of the help.
std::vector<FlagGroup> all_groups(const CommandRow& row) {
  const auto command = row.make();
  GlobalFlags global;
  Flags flags;
  command->declare(flags);
  global.declare(flags);
  return flags.groups();  // to be read only: what the targets point to ends here
}

constexpr std::string_view kExamples =
    "biject fit data.csv -o model.flow           # train\n"
    "biject score model.flow new.csv             # log density of each row\n"
    "biject sample model.flow -n 1000 > more.csv # new rows";

}  // namespace

std::string introduction() {
  return "biject estimates the density of a table with normalizing flows.\n" + examples(kExamples) +
         command_list() + "\n'biject -h' is a short help, 'biject help COMMAND' explains a command.\n";
}

std::string short_help() {
  GlobalFlags global;
  Flags flags;
  global.declare(flags);
  std::string result = "biject: density estimation of CSV tables with normalizing flows\n\n";
  result += "Usage: biject [GLOBAL] COMMAND [OPTIONS] [FILES]\n" + command_list();
  for (const auto& group : flags.groups()) result += explained(group);
  return result +
         "\n'biject COMMAND -h' is a short help for a command, 'biject COMMAND --help' a long one.\n";
}

std::string long_help() {
  std::string result = short_help() + examples(kExamples);
  result += "\nExit status:\n";
  const std::pair<std::string_view, std::string_view> statuses[] = {
      {"0", "done"},
      {"1", "a check that was asked for failed"},
      {"2", "the command line is wrong"},
      {"3", "the data are wrong"},
      {"4", "the model file is damaged, or none"},
      {"5", "something cannot be read or written"},
      {"6", "out of memory, or over a limit"},
      {"7", "training diverged"},
      {"130, 143", "interrupted; fit has written the best model so far"}};
  for (const auto& [code, meaning] : statuses) result += entry(code, meaning, 14);
  return result +
         "\nData go to standard output, everything else to standard error; - is either.\n"
         "Colours obey --color, NO_COLOR and TERM=dumb. The same input, flags and build\n"
         "give the same bytes, whatever the number of threads.\n";
}

std::string short_help(const CommandRow& row) {
  auto result =
      fmt::format("biject {}: {}\n\nUsage: biject {} {}\n", row.name, row.summary, row.name, row.usage);
  std::string others;
  for (const auto& group : all_groups(row)) {
    if (group.is_brief)
      result += explained(group);
    else
      others += named(group);
  }
  return result + fmt::format("\nMore, explained by biject {} --help:\n{}", row.name, others);
}

std::string long_help(const CommandRow& row) {
  auto result = fmt::format("biject {}: {}\n\nUsage: biject {} {}\n\n{}\n", row.name, row.summary, row.name,
                            row.usage, wrapped(row.description, 0, 0, page_width()));
  result += examples(row.examples);
  for (const auto& group : all_groups(row)) result += explained(group);
  return result;
}

int explain(const CommandRow& row) {
  print_to_stderr(short_help(row));
  return 2;
}

}  // namespace biject
