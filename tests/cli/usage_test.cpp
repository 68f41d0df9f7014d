#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "cli/matrix.hpp"
#include "cli/run.hpp"

using namespace biject::cli;

namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

/// A command line that is refused: nothing on stdout, one line of error that holds the words, a hint if asked
/// for.
struct Refusal {
  std::vector<std::string> words;
  std::string error;  // part of the first line
  std::string hint;   // part of the second one; empty: there may be none
};

void check_refused(const Refusal& refusal) {
  const auto result = Run(refusal.words).run();
  std::string line = "biject";
  for (const auto& word : refusal.words) line += " '" + word.substr(0, 60) + "'";
  CAPTURE(line);
  CAPTURE(result);
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK(result.err.starts_with("biject: "));
  CHECK(contains(result.err.substr(0, result.err.find('\n')), refusal.error));
  if (!refusal.hint.empty()) {
    CHECK(contains(result.err, "\nhint: "));
    CHECK(contains(result.err, refusal.hint));
  }
}

}  // namespace

TEST_CASE("H113: a command line with a slip is refused with a hint") {
  const std::vector<Refusal> refusals = {
      {{"fi"}, "unknown command 'fi'", "did you mean 'fit'?"},
      {{"smaple", "m"}, "unknown command 'smaple'", "did you mean 'sample'?"},
      {{"zzzzzzzz"}, "unknown command", "the commands are fit, score"},
      {{"-o", "m", "fit", "a.csv"}, "unknown flag '-o'", "those of a command stand behind it"},
      {{"fit", "--ouput", "x"}, "unknown flag '--ouput'", "did you mean '--output'?"},
      {{"fit", "--ouput=x"}, "unknown flag '--ouput'", "did you mean '--output'?"},
      {{"fit", "a.csv", "-Z"}, "unknown flag '-Z'", ""},
      {{"--versoin"}, "unknown flag '--versoin'", "--version"},
      {{"fit", "a.csv", "-o"}, "--output needs a value", "biject fit --help"},
      {{"fit", "-o", "-q", "a.csv"}, "--output needs a value", "biject fit --help"},
      {{"fit", "--output=", "a.csv"}, "'--output=' is followed by nothing", "="},
      {{"fit", "a.csv", "--dry-run=yes"}, "--dry-run takes no value", "="},
      {{"fit", "a.csv", "-o", "m", "-o", "n"}, "--output is given twice", ""},
      {{"fit", "a.csv", "-o", "m", "--lr", "1", "--learning-rate", "1"},
       "--learning-rate is given twice",
       ""},
      {{"-j", "1", "fit", "a.csv", "-o", "m", "-j", "2"}, "--threads is given twice", ""},
      {{"fit", "a.csv"}, "needs a file for the model", "-o model.flow"},
      {{"fit", "-", "-", "-o", "m"}, "standard input", ""},
      {{"fit", "-", "--validation", "-", "-o", "m"}, "standard input", ""},
      {{"info", "a", "b"}, "takes one model", "biject info -h"},
      {{"sample", "a", "b"}, "takes one model", "biject sample -h"},
      {{"flows", "nsf", "maf"}, "one flow at a time", ""},
      {{"flows", "nfs"}, "unknown flow 'nfs'", "did you mean 'nsf'?"},
      {{"help", "fitt"}, "unknown command 'fitt'", "did you mean 'fit'?"},
      {{"help", "fit", "score"}, "one command", ""},
  };
  for (const auto& refusal : refusals) check_refused(refusal);
}

TEST_CASE("H113: flags that contradict each other, the flow or the data are refused") {
  const std::vector<Refusal> refusals = {
      {{"fit", "a.csv", "-o", "m", "-f", "nsff"}, "unknown flow 'nsff'", "did you mean 'nsf'?"},
      {{"fit", "a.csv", "-o", "m", "-f", "maf", "--bins", "4"}, "--bins", "maf reads --layers"},
      {{"fit", "a.csv", "-o", "m", "-f", "maf", "--base", "uniform"}, "'uniform' does not go with the flow maf", "maf goes with normal, student"},
      {{"fit", "a.csv", "-o", "m", "--base", "uniform", "--mix", "lu"}, "--mix lu carries points out of the box", "--mix permute"},
      {{"fit", "a.csv", "-o", "m", "-f", "realnvp", "--scheme", "coupling"}, "--scheme: the flow realnvp does not read it", "realnvp reads --layers"},
      {{"fit", "a.csv", "-o", "m", "-f", "planar", "--hidden", "9"}, "without given columns the flow planar has no networks", "--given"},
      {{"fit", "a.csv", "-o", "m", "-f", "sos", "--scheme", "elementwise", "--dropout", "0"}, "the flow sos has no networks", "--given"},
      {{"fit", "a.csv", "-o", "m", "--components", "3"}, "--components: the flow nsf does not read it", "nsf reads --layers"},
      {{"fit", "a.csv", "-o", "m", "-f", "mixture", "--bins", "3"}, "--bins: the flow mixture does not read it", "mixture reads --component-flow"},
      {{"fit", "a.csv", "-o", "m", "-f", "mixture", "--component-flow", "nfs"}, "unknown flow 'nfs'", "did you mean 'nsf'?"},
      {{"fit", "a.csv", "-o", "m", "-f", "mixture", "--component-flow", "mixture"}, "mixture cannot be a component", ""},
      {{"fit", "a.csv", "-o", "m", "-f", "sos", "--bins", "17"}, "--bins: 17 is not a number from 1 to 16", ""},
      {{"fit", "a.csv", "-o", "m", "--hidden", "64,64", "--blocks", "2"}, "--blocks", ""},
      {{"fit", "a.csv", "-o", "m", "--header", "--no-header"}, "contradict", ""},
      {{"fit", "a.csv", "-o", "m", "-q", "-v"}, "contradict", ""},
      {{"score", "m", "--json"}, "--json needs --summary", ""},
      {{"score", "m", "--weights", "w"}, "--weights needs --summary", ""},
      {{"score", "m", "--summary", "-a"}, "contradict", ""},
      {{"info", "m", "--json", "--columns"}, "contradict", ""},
  };
  for (const auto& refusal : refusals) check_refused(refusal);

  const TemporaryFolder folder;
  const auto csv = folder.file("a.csv", clean_csv());
  check_refused({{"fit", csv, "-c", "x,z", "-o", folder / "m"}, "no column 'z'", ""});
  check_refused({{"fit", csv, "-o", csv}, "is also an input", ""});
  check_refused({{"fit", csv, "-o", folder / "m", "--log", folder / "m"}, "same file", ""});
  check_refused({{"fit", csv, "-o", folder / "m", "--log", csv}, "is also an input", ""});
  CHECK(folder.names() == std::vector<std::string>{"a.csv"});
  CHECK(read_file(csv) == clean_csv());
}

TEST_CASE("H114: a number that is none, or out of range, is refused with its flag and what it must be") {
  const auto fit = [](const std::string& flag, const std::string& text) {
    return std::vector<std::string>{"fit", "a.csv", "-o", "m", flag, text};
  };
  for (const std::string text :
       {"-5", "0", "1.5", "abc", "1e20", "100000000000000000000", "", " 5", "5 ", "0x10", "+5"})
    check_refused({fit("--epochs", text), "--epochs: '" + text + "' is not a whole number in [1, ", ""});
  for (const std::string text : {"nan", "inf", "0", "-1", "1e400", "", "0x1p3", "1,5", "11"})
    check_refused({fit("--lr", text), "--learning-rate: '" + text + "' is not a number in (0, 10]", ""});
  for (const std::string text : {"-1", "18446744073709551616", "1e3", "0x10", "1.0", ""})
    check_refused({fit("--seed", text), "--seed: '" + text + "' is not a whole number in [0, 2^64)", ""});
  for (const std::string text : {"0", "1", "-0.5", "1.5", "1e400"})
    check_refused({fit("--validation", text), "--validation: '" + text + "' is not a number in (0, 1)", ""});
  for (const std::string text : {"64,", ",64", "64,,64", "64;64", "-1", "0"})
    check_refused(
        {fit("--hidden", text), "--hidden: '" + text + "' is not a list of whole numbers in [1, ", "64,64"});
  for (const std::string text : {"0", "-1s", "10x", "s", ""})
    check_refused({fit("--time", text), "--time: '" + text + "' is not a time", "90s"});
  check_refused(
      {fit("--schedule", "cosin"), "--schedule: 'cosin' is not one of cosine, constant", "'cosine'"});
  check_refused({fit("--mix", "qu"), "--mix: 'qu' is not one of lu, qr, householder, permute, reverse, none", ""});
  check_refused({fit("--base", "laplac"), "--base: 'laplac' is not one of normal, ", "'laplace'"});
  check_refused({fit("--scheme", "couplin"), "--scheme: 'couplin' is not one of autoregressive, coupling, elementwise", "'coupling'"});
  check_refused({{"sample", "m", "-n", "-3"}, "--rows: '-3' is not a whole number in [0, ", ""});
  check_refused({{"sample", "m", "--temperature", "0"}, "--temperature: '0' is not a number in (0, ", ""});
  check_refused({{"-j", "-1", "flows"}, "--threads: '-1' is not a whole number in [0, ", ""});
  check_refused(
      {{"--color", "sometimes", "flows"}, "--color: 'sometimes' is not one of auto, always, never", ""});
}

TEST_CASE("H115: a leading zero means nothing, least of all octal") {
  const auto& model = tiny_model().path;
  const auto ten = biject_run("sample", model, "-n", "10").run();
  CHECK(ten.status == 0);
  CHECK(biject_run("sample", model, "-n", "010").run().out == ten.out);
  CHECK(biject_run("sample", model, "-n", "1e1").run().out == ten.out);
  CHECK(biject_run("sample", model, "-n", "10", "-s", "00").run().out == ten.out);
}

TEST_CASE("H116: empty and endless arguments are refused") {
  check_refused({{"fit", "a.csv", "-o", ""}, "--output is empty", ""});
  check_refused({{"fit", "", "-o", "m"}, "empty file name", ""});
  check_refused({{"score", "m", ""}, "empty file name", ""});
  check_refused({{""}, "unknown command ''", ""});
  const std::string endless(100'000, 'a');
  for (const auto& words : std::vector<std::vector<std::string>>{{endless},
                                                                 {"--" + endless},
                                                                 {"fit", "a.csv", "-o", "m", "-f", endless},
                                                                 {"flows", endless},
                                                                 {"-j", endless, "flows"}}) {
    const auto result = Run(words).run();
    CAPTURE(result.err.substr(0, 300));
    CHECK(result.status == 2);
    CHECK(result.err.size() < 1000);
  }
  const auto result = biject_run("info", endless).run();
  CHECK(result.status == 5);  // a name that the file system does not take
}

TEST_CASE("H117: help and version go to stdout and open nothing") {
  for (const std::string command : {"fit", "score", "sample", "info", "flows", "help"}) {
    CAPTURE(command);
    const auto brief = biject_run(command, "-h").run(), full = biject_run(command, "--help").run();
    CHECK(brief.status == 0);
    CHECK(full.status == 0);
    CHECK(brief.err.empty());
    CHECK(full.err.empty());
    CHECK(brief.out.starts_with("biject " + command + ": "));
    CHECK(std::ranges::count(brief.out, '\n') <= 40);  // a screen
    CHECK(contains(full.out, "\nExamples:\n"));
    CHECK(biject_run("help", command).run().out == full.out);
    CHECK(biject_run(command, "no-such-file", "--help").run().out == full.out);
  }
  const auto version = biject_run("--version").run();
  CHECK(version.status == 0);
  CHECK(version.out == biject_run("fit", "-V").run().out);
  CHECK(std::ranges::count(version.out, '\n') == 1);
  CHECK(contains(biject_run("-V", "-v").run().out, "Eigen"));
  CHECK(biject_run("--help").redirect(1, "/dev/full").run().status == 5);
  CHECK(biject_run("--help").close(1).run().status == 5);
}

TEST_CASE("help and version come at once") {
  // A few milliseconds in truth. The quickest of some runs, and much more than that, for a busy machine.
  for (const std::string flag : {"--help", "--version"}) {
    CAPTURE(flag);
    double quickest = 1;
    for (int i = 0; i < 10; ++i) {
      const auto start = std::chrono::steady_clock::now();
      CHECK(biject_run(flag).run().status == 0);
      quickest = std::min(quickest, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    CHECK(quickest < 0.1);
  }
}

TEST_CASE("without a command it introduces itself and says that this was not enough") {
  const auto result = biject_run().run();
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK(contains(result.err, "biject fit data.csv -o model.flow"));
}

TEST_CASE("a command that would wait for a terminal shows its help instead") {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"fit"}, {"fit", "-o", "m"}, {"score", "m"}}) {
    const auto result = Run(words).terminal(0).run();
    CAPTURE(result);
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    CHECK(contains(result.err, "Usage: biject " + words.front()));
  }
}

TEST_CASE("a model is not written to a terminal") {
  const auto result = biject_run("fit", "-", "-o", "-").input(clean_csv()).terminal(1).run();
  CHECK(result.status == 2);
  CHECK(result.out.empty());
}

TEST_CASE("global flags stand before or after the command, and -- ends the flags") {
  const TemporaryFolder folder;
  folder.file("-b.csv", clean_csv());
  folder.file("score", clean_csv());  // a file may be called like a command
  const auto fit = [&](std::vector<std::string> words) {
    return Run(std::move(words)).in(folder.path()).run();
  };
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"-q", "-j", "1", "fit", "-f", "gaussian", "-o", "m", "--", "-b.csv"},
           {"-qj", "1", "fit", "-f", "gaussian", "--output=m", "score"},
           {"fit", "score", "-f", "gaussian", "-o", "m", "-qj1"},
           {"--threads=1", "fit", "score", "-o", "m", "-f", "gaussian", "--quiet", "--epochs", "2"}}) {
    const auto result = fit(words);
    CAPTURE(result);
    CHECK(result.status == 0);
    CHECK(result.out.empty());
    CHECK(result.err.empty());
    std::filesystem::remove(folder / "m");
  }
}

TEST_CASE("colour is for terminals, and only if nobody objects") {
  constexpr std::string_view kEscape = "\x1b[";
  CHECK_FALSE(contains(biject_run("fi").run().err, kEscape));
  CHECK(contains(biject_run("fi").terminal(2).run().err, kEscape));
  CHECK_FALSE(contains(biject_run("fi").terminal(2).env("NO_COLOR", "1").run().err, kEscape));
  CHECK_FALSE(contains(biject_run("fi").terminal(2).env("TERM", "dumb").run().err, kEscape));
  CHECK_FALSE(contains(biject_run("--color", "never", "fi").terminal(2).run().err, kEscape));
  CHECK_FALSE(contains(biject_run("fit", "--ouput", "x", "--color", "never").terminal(2).run().err, kEscape));
  CHECK(contains(biject_run("--color=always", "fit", "--ouput").run().err, kEscape));
  CHECK(contains(biject_run("--color=always", "fi").env("NO_COLOR", "1").run().err, kEscape));
}

TEST_CASE("what a user typed is shown escaped, never obeyed") {
  for (const std::string word : {"\x1b[31mred", "%s%n", "{}", "\xff\xfe", "a\nb"}) {
    const auto result = biject_run(word).run();
    CAPTURE(result);
    CHECK(result.status == 2);
    CHECK(std::ranges::none_of(result.err, [](char c) { return c == '\x1b' || c == '\xff'; }));
    CHECK(std::ranges::count(result.err, '\n') == 2);
  }
}
