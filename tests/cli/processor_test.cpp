#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "cli/matrix.hpp"

// A portable build holds the program once for each of several levels of processors, and the dynamic loader takes the best that the
// machine can run (app/CMakeLists.txt). A build for one processor holds it once.

using namespace biject::cli;

namespace {

/// What a level has beyond the one before, as /proc/cpuinfo calls it.
struct Level {
  std::string name;
  std::set<std::string> features;
};
const std::vector<Level> kLevels = {
    {"x86-64-v2", {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}},
    {"x86-64-v3", {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"}},
    {"x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}},
};

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

std::set<std::string> features_of_machine() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    const auto words = words_of(line);
    return {words.begin(), words.end()};
  }
  return {};
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
           {"", ""}, {"avx512f", "glibc.cpu.hwcaps=-AVX512F"}, {"avx2", "glibc.cpu.hwcaps=-AVX512F,-AVX2"}}) {
    auto features = features_of_machine();
    features.erase(without);
    std::string best = first;
    for (const auto& level : kLevels) {
      if (!std::ranges::includes(features, level.features)) break;
      if (std::ranges::find(built, level.name) != built.end()) best = level.name;
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
