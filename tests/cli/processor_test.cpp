#include <cmath>
#include <cstdlib>
#include <iterator>
#include <sstream>

#include "cli/matrix.hpp"

// A portable build holds the program once for each of several levels of processors, and the dynamic loader takes the best that the
// machine can run (app/CMakeLists.txt). A build for one processor holds it once.

using namespace biject::cli;

namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// The levels above the first that this processor has, by what it says itself: a kernel may keep some of it from /proc/cpuinfo.
std::vector<std::string> levels_of_machine() {
  std::vector<std::string> levels;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v2")) levels.push_back("x86-64-v2");
  if (__builtin_cpu_supports("x86-64-v3")) levels.push_back("x86-64-v3");
  if (__builtin_cpu_supports("x86-64-v4")) levels.push_back("x86-64-v4");
#endif
  return levels;
}

/// A machine that lacks something of this one, and what biject is compiled for there.
struct Machine {
  std::string tunables;  // of the C library
  std::string processor;
};

/// This machine and, as far as they are poorer, those without AVX-512 and AVX2.
std::vector<Machine> machines() {
  const std::string first = BIJECT_PROCESSOR;
  const auto built = words_of(BIJECT_LEVELS);
  std::vector<Machine> machines;
  for (const auto& [without, hidden] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"x86-64-v4", "glibc.cpu.hwcaps=-AVX512F"}, {"x86-64-v3", "glibc.cpu.hwcaps=-AVX512F,-AVX2"}}) {
    std::string best = first;
    for (const auto& level : levels_of_machine()) {
      if (level == without) break;
      if (std::ranges::find(built, level) != built.end()) best = level;
    }
    if (machines.empty() || machines.back().processor != best) machines.push_back({hidden, best});
  }
  return machines;
}

std::vector<double> numbers_of(const std::string& csv) {
  std::vector<double> numbers;
  const std::string text = replaced(csv, ",", "\n");
  for (const auto& line : lines_of(text)) {
    char* end = nullptr;
    const double number = std::strtod(line.c_str(), &end);
    if (end != line.c_str()) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

TEST_CASE("the program for the highest level that the processor has is run") {
  for (const auto& [tunables, processor] : machines()) {
    CAPTURE(tunables);
    const auto version = biject_run("--version", "--verbose").env("GLIBC_TUNABLES", tunables).run();
    REQUIRE(version.status == 0);
    CHECK(lines_of(version.out).back() == "built for    " + processor);
  }
}

TEST_CASE("what is installed runs wherever it is moved") {
  const TemporaryFolder folder;
  const std::string script = "'" CMAKE_COMMAND "' --install '" BIJECT_BUILD_DIR "' --prefix first > install.log && mv first second";
  REQUIRE(std::system(("cd '" + folder.path() + "' && " + script).c_str()) == 0);
  const auto moved = biject_run("-V", "-v").program(folder / "second/" BIJECT_BINDIR "/biject").run();
  CHECK(moved.status == 0);
  CHECK(moved.out == biject_run("-V", "-v").run().out);
}

TEST_CASE("the programs for all levels give the same answers") {
  const TemporaryFolder folder;
  const std::string table = std::string(BIJECT_SOURCE_DIR) + "/data/faithful.csv";
  for (const std::string flow : {"maf", "nsf", "nsf-coupling"}) {
    const std::string model = folder / (flow + ".flow");
    CHECK(biject_run("fit", "-q", "-f", flow, "--epochs", "3", table, "-o", model).run().status == 0);
    const auto answer = [&](const Machine& machine, const std::vector<std::string>& words) {
      const auto result = Run(words).env("GLIBC_TUNABLES", machine.tunables).run();
      CHECK(result.status == 0);
      return numbers_of(result.out);
    };
    for (const std::vector<std::string>& words : {std::vector<std::string>{"score", model, table}, {"sample", "-n", "100", model}}) {
      const auto expected = answer(machines().front(), words);
      CHECK(expected.size() >= 100);
      for (const auto& machine : machines()) {
        CAPTURE(machine.processor);
        CAPTURE(words.front());
        const auto found = answer(machine, words);
        REQUIRE(found.size() == expected.size());
        double worst = 0;
        for (std::size_t i = 0; i < found.size(); ++i)
          worst = std::max(worst, std::abs(found[i] - expected[i]) / (1 + std::abs(expected[i])));
        CHECK(worst <= 1e-5);
      }
    }
  }
}
