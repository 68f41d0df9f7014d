#include <doctest/doctest.h>

#include <cctype>
#include <set>
#include <sstream>
#include <string>

#include "cli/run.hpp"

using namespace biject::cli;

namespace {

using FlagSet = std::set<std::string>;

bool is_flag_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '-';
}

/// The flags of lines like "  -o, --output FILE   …" and "      --lr X".
FlagSet flags_of_help(const std::string& help) {
  FlagSet flags;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    auto at = line.find_first_not_of(' ');
    if (at == line.npos || line[at] != '-' || (at != 2 && at != 6)) continue;
    while (at < line.size() && line[at] == '-') {
      auto end = at;
      while (end < line.size() && is_flag_letter(line[end])) ++end;
      flags.insert(line.substr(at, end - at));
      at = line.compare(end, 2, ", ") == 0 ? end + 2 : line.size();
    }
  }
  return flags;
}

/// The flags of lines like ".It Fl o , Fl -output Ar FILE".
FlagSet flags_of_page(const std::string& page) {
  FlagSet flags;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(".It Fl ")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (word == "Ar") break;
      if (word == "Fl" && words >> word) flags.insert('-' + word);
    }
  }
  return flags;
}

FlagSet without(FlagSet flags, const FlagSet& others) {
  for (const auto& flag : others) flags.erase(flag);
  return flags;
}

std::string text(const FlagSet& flags) {
  std::string result;
  for (const auto& flag : flags) result += flag + ' ';
  return result;
}

}  // namespace

TEST_CASE("every flag of the help is in the manual page, and the reverse") {
  const std::string pages = BIJECT_SOURCE_DIR "/man/biject";
  const auto global = flags_of_help(biject_run("--help").run().out);
  CHECK(global.contains("--threads"));
  CHECK(text(flags_of_page(read_file(pages + ".1"))) == text(global));
  // The global flags are explained in biject(1) only.
  for (const std::string command : {"fit", "score", "sample", "info", "flows"}) {
    CAPTURE(command);
    const auto help = flags_of_help(biject_run(command, "--help").run().out);
    CHECK(text(without(global, help)).empty());
    CHECK(text(flags_of_page(read_file(pages + "-" + command + ".1"))) == text(without(help, global)));
  }
}

TEST_CASE("the readers of flags see those that are there") {
  CHECK(text(flags_of_help(
            "  -o, --output FILE   there\n      --lr, --learning-rate X  -x\n  word -q\n        --no")) ==
        "--learning-rate --lr --output -o ");
  CHECK(text(flags_of_page(".It Fl o , Fl -output Ar FILE\n.Fl q\n.It Fl -lr Ar Fl\n")) ==
        "--lr --output -o ");
}
