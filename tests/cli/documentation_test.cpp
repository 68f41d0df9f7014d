#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "cli/run.hpp"

// Every command that the README and the manual pages show is run here, in a folder that has data/ and with
// this binary in PATH. Output that they show must be what comes out, numbers aside: those differ in the last
// digits from machine to machine.

using namespace biject::cli;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = BIJECT_SOURCE_DIR;
const std::vector<std::string> kPages = {"biject.1",        "biject-fit.1",  "biject-score.1",
                                         "biject-sample.1", "biject-info.1", "biject-flows.1"};

struct Example {
  int line = 0;          // where it begins
  std::string commands;  // for bash
  std::string output;    // as the document shows it; empty if it shows none
};

std::vector<std::string> lines_of_file(const fs::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file.good(), path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// The blocks ```LANGUAGE of a Markdown file, each with the ```text block that follows it after at most a
/// blank line.
std::vector<Example> markdown_examples(const std::vector<std::string>& lines, const std::string& language) {
  std::vector<Example> examples;
  const auto block_from = [&](std::size_t& i) {
    std::string text;
    for (++i; i < lines.size() && lines[i] != "```"; ++i) text += lines[i] + "\n";
    return text;
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].starts_with("```")) continue;
    const bool is_wanted = lines[i] == "```" + language;
    Example example{static_cast<int>(i) + 1, block_from(i), ""};
    if (!is_wanted) continue;
    std::size_t next = i + 1;
    if (next < lines.size() && lines[next].empty()) ++next;
    if (next < lines.size() && lines[next] == "```text") example.output = block_from(i = next);
    examples.push_back(example);
  }
  return examples;
}

/// What mdoc shows for a line of a literal display.
std::string unescaped(std::string text) {
  for (const auto& [escape, character] :
       {std::pair{R"(\(aq)", "'"}, {R"(\(dq)", "\""}, {R"(\-)", "-"}, {R"(\&)", ""}, {R"(\e)", "\\"}}) {
    const std::string_view from = escape, to = character;
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  }
  return text;
}

/// The lines "$ command" in the literal displays of the section EXAMPLES.
std::vector<Example> manual_examples(const std::vector<std::string>& lines) {
  std::vector<Example> examples;
  bool is_in_section = false, is_in_display = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.starts_with(".Sh")) is_in_section = line == ".Sh EXAMPLES";
    if (line.starts_with(".Bd -literal")) is_in_display = true;
    if (line.starts_with(".Ed")) is_in_display = false;
    if (!is_in_section || !is_in_display || line.starts_with(".")) continue;
    if (line.starts_with("$ "))
      examples.push_back({static_cast<int>(i) + 1, unescaped(line.substr(2)) + "\n", ""});
    else if (!examples.empty())
      examples.back().output += unescaped(line) + "\n";
  }
  return examples;
}

/// Numbers become #, runs of blanks one blank, so that what is left is the words and their order.
std::string without_numbers(const std::string& text) {
  static const std::regex kNumber(R"([-+]?[0-9]+([.,][0-9]+)*(e[-+]?[0-9]+)?)"), kBlanks("[ \t]+"),
      kTrailing(" (\n|$)");
  return std::regex_replace(std::regex_replace(std::regex_replace(text, kNumber, "#"), kBlanks, " "),
                            kTrailing, "$1");
}

bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " > /dev/null").c_str()) == 0;
}

/// A folder in which the examples of one document run one after the other.
class Reader {
 public:
  Reader() { fs::create_directory_symlink(kSource / "data", folder_ / "data"); }

  void try_out(const std::string& document, const Example& example) {
    // head must not end a pipe early: the death of its writer would look like a failure under pipefail.
    const std::string script = folder_.file("script",
                                            "set -euo pipefail\n"
                                            "head() { command head \"$@\"; cat > /dev/null; }\n" +
                                                example.commands);
    const std::string output = folder_ / "output";
    const std::string command = "cd '" + folder_.path() + "' && PATH='" +
                                fs::path(BIJECT_BINARY).parent_path().string() +
                                "':\"$PATH\" timeout 120 bash script > output 2>&1 < /dev/null";
    INFO(document, ":", example.line, ":\n", example.commands);
    const int status = std::system(command.c_str());
    const std::string shown = read_file(output);
    CHECK_MESSAGE(status == 0, shown);
    if (!example.output.empty()) CHECK(without_numbers(shown) == without_numbers(example.output));
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("every command of the README runs and prints what the README shows") {
  const auto lines = lines_of_file(kSource / "README.md");
  const auto examples = markdown_examples(lines, "sh");
  CHECK(examples.size() >= 5);
  Reader reader;
  for (const auto& example : examples) reader.try_out("README.md", example);
  if (!is_installed("python3")) {
    MESSAGE("python3 is not installed; the example in Python was not run");
    return;
  }
  for (auto example : markdown_examples(lines, "python")) {
    example.commands = "python3 - <<'END'\n" + example.commands + "END\n";
    reader.try_out("README.md", example);
  }
}

TEST_CASE("the README sets up with two commands and fits on a few screens") {
  const auto lines = lines_of_file(kSource / "README.md");
  CHECK(lines.size() <= 300);
  const auto commands = markdown_examples(lines, "bash");
  REQUIRE(commands.size() == 2);
  // The first installs, builds and tries out; what follows the build is run here.
  const auto use = commands[0].commands.find("build/app/biject fit");
  REQUIRE(use != std::string::npos);
  std::string tried = commands[0].commands.substr(use);
  const std::string prefix = "build/app/";
  for (auto at = tried.find(prefix); at != std::string::npos; at = tried.find(prefix))
    tried.erase(at, prefix.size());
  Reader().try_out("README.md", {commands[0].line, tried, ""});
  CHECK(commands[1].commands.find("ctest") != std::string::npos);
}

TEST_CASE("every link of the README to a file leads to one") {
  static const std::regex kLink(R"(\]\(([^)#:]+)\))");
  for (const auto& line : lines_of_file(kSource / "README.md")) {
    for (std::sregex_iterator match(line.begin(), line.end(), kLink), end; match != end; ++match) {
      CAPTURE((*match)[1].str());
      CHECK(fs::exists(kSource / (*match)[1].str()));
    }
  }
}

TEST_CASE("every example of the manual pages runs") {
  for (const auto& page : kPages) {
    const auto examples = manual_examples(lines_of_file(kSource / "man" / page));
    CAPTURE(page);
    CHECK(!examples.empty());
    Reader reader;
    for (const auto& example : examples) reader.try_out("man/" + page, example);
  }
}

TEST_CASE("the manual pages have their sections in the same order") {
  const std::vector<std::string> kSections = {"NAME",        "SYNOPSIS",     "DESCRIPTION", "EXAMPLES",
                                              "OPTIONS",     "INPUT FORMAT", "OUTPUT",      "EXIT STATUS",
                                              "ENVIRONMENT", "DIAGNOSTICS",  "NOTES",       "SEE ALSO"};
  for (const auto& page : kPages) {
    CAPTURE(page);
    std::vector<std::string> sections;
    for (const auto& line : lines_of_file(kSource / "man" / page))
      if (line.starts_with(".Sh ")) sections.push_back(unescaped(line.substr(4)));
    if (page == "biject-flows.1") std::erase(sections, "FLOWS");
    CHECK(sections == kSections);
  }
}

TEST_CASE("mandoc has nothing to say about the manual pages") {
  if (!is_installed("mandoc")) {
    MESSAGE("mandoc is not installed; the pages were not checked");
    return;
  }
  TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(kSource / "man")) {
    CAPTURE(entry.path());
    const std::string found = folder / "found";
    const std::string command =
        "mandoc -T lint -W warning '" + entry.path().string() + "' > '" + found + "' 2>&1";
    CHECK(std::system(command.c_str()) == 0);
    CHECK(read_file(found) == "");
  }
}

TEST_CASE("biject-flows(1) describes the flows of the catalogue in its order") {
  std::vector<std::string> listed, described;
  const Result result = biject_run("flows").run();
  REQUIRE(result.status == 0);
  std::istringstream table(result.out);
  std::string line;
  for (std::getline(table, line); std::getline(table, line);)
    listed.push_back(line.substr(0, line.find_first_of(" \t,")));
  bool is_in_section = false;
  for (const auto& text : lines_of_file(kSource / "man/biject-flows.1")) {
    if (text.starts_with(".Sh")) is_in_section = text == ".Sh FLOWS";
    if (is_in_section && text.starts_with(".It Cm ")) described.push_back(text.substr(7));
  }
  CHECK(listed == described);
}

TEST_CASE("the reader of examples finds a wrong output") {
  CHECK(without_numbers("best epoch 17 of 500\n-3.25e-05,  4\n") ==
        without_numbers("best epoch 3 of 60\n1, 4\n"));
  CHECK(without_numbers("better by 1 nat") != without_numbers("worse by 1 nat"));
  const auto examples = markdown_examples(
      {"```sh", "biject", "```", "", "```text", "out", "```", "```sh", "false", "```"}, "sh");
  REQUIRE(examples.size() == 2);
  CHECK(examples[0].commands == "biject\n");
  CHECK(examples[0].output == "out\n");
  CHECK(examples[1].output.empty());
  const auto manual =
      manual_examples({".Sh EXAMPLES", ".Bd -literal", "$ a \\(aqb\\(aq", "c", ".Ed", ".Sh OUTPUT", "$ d"});
  REQUIRE(manual.size() == 1);
  CHECK(manual[0].commands == "a 'b'\n");
  CHECK(manual[0].output == "c\n");
}
