#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

// The folders are ranked: an include points down or into its own folder. What a folder may know is thereby a
// fact and not a habit.

namespace {

namespace fs = std::filesystem;

// Folders of equal rank do not know each other.
const std::map<std::string, int, std::less<>> kRanks = {
    {"core", 0},      {"data", 1},  {"maps", 2},  {"nets", 2},  {"bases", 3}, {"ode", 3},
    {"bijectors", 4}, {"flows", 5}, {"model", 6}, {"train", 7}, {"app", 8}};

// Packages that only some places may include: a path begins with one of the prefixes.
struct PackageRule {
  std::string_view package;               // how the include begins
  std::vector<std::string_view> allowed;  // where
  std::string_view why;
};
const std::vector<PackageRule> kPackages = {
    {"CLI/", {"app/"}, "the library knows no command line"},
    {"libfccp/", {"lib/data/"}, "one file reads lines"},
    {"Random123/", {"lib/core/"}, "one file makes random bits"},
    {"nlohmann/", {"lib/model/", "app/"}, "JSON is a matter of the model file and of output"},
    {"iostream", {"app/"}, "the library never prints"},
    {"doctest/", {}, "tests stay in tests"},
};

/// What is wrong with an include, or nothing. `file` is relative to the repository ("lib/nets/mlp.cpp"),
/// `include` is the text between the quotes or brackets.
std::optional<std::string> violation(const std::string& file, const std::string& include) {
  for (const auto& rule : kPackages) {
    if (!include.starts_with(rule.package)) continue;
    const bool is_allowed = std::any_of(rule.allowed.begin(), rule.allowed.end(),
                                        [&](std::string_view prefix) { return file.starts_with(prefix); });
    if (!is_allowed) return file + " includes <" + include + ">: " + std::string(rule.why);
  }
  const fs::path path(file), target(include);
  const std::string from = *path.begin() == "app" ? "app" : std::next(path.begin())->string();
  const std::string to = target.has_parent_path() ? target.begin()->string() : from;
  if (to == "..") return file + " includes \"" + include + "\": includes are relative to lib or app";
  if (!kRanks.contains(from)) return file + " lies in a folder without a rank";
  if (!kRanks.contains(to) || from == to) return {};  // a package of the system, or the same folder
  if (from == "data" && to != "core") return file + " includes \"" + include + "\": data uses core only";
  if (kRanks.at(to) < kRanks.at(from)) return {};
  return file + " includes \"" + include + "\": " + to + " does not rank below " + from;
}

struct Include {
  std::string file, target;
};

std::vector<Include> includes_of(const fs::path& root) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::vector<Include> result;
  for (const char* top : {"lib", "app"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (entry.path().extension() != ".hpp" && entry.path().extension() != ".cpp") continue;
      std::ifstream stream(entry.path());
      std::smatch match;
      for (std::string line; std::getline(stream, line);) {
        if (std::regex_search(line, match, kInclude))
          result.push_back({fs::relative(entry.path(), root).string(), match[1]});
      }
    }
  }
  return result;
}

}  // namespace

TEST_CASE("an include points down or into its own folder") {
  const auto includes = includes_of(BIJECT_SOURCE_DIR);
  REQUIRE(includes.size() > 50);
  for (const auto& [file, target] : includes) {
    const auto wrong = violation(file, target);
    if (wrong) FAIL_CHECK(*wrong);
  }
}

TEST_CASE("one file includes the CSV package") {
  const auto includes = includes_of(BIJECT_SOURCE_DIR);
  CHECK(std::count_if(includes.begin(), includes.end(),
                      [](const Include& i) { return i.target.starts_with("libfccp/"); }) == 1);
}

TEST_CASE("a file with test cases has a name that the build collects") {
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(BIJECT_SOURCE_DIR) / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream stream(entry.path());
    for (std::string line; std::getline(stream, line);) {
      if (!line.starts_with("TEST_CASE")) continue;
      CAPTURE(entry.path());
      CHECK(entry.path().filename().string().ends_with("_test.cpp"));
      break;
    }
  }
}

TEST_CASE("a planted include that points up or sideways is found") {
  CHECK(violation("lib/maps/affine.cpp", "nets/mlp.hpp"));
  CHECK(violation("lib/nets/mlp.cpp", "bases/base.hpp"));
  CHECK(violation("lib/core/rng.hpp", "data/table.hpp"));
  CHECK(violation("lib/data/table.cpp", "model/model.hpp"));
  CHECK(violation("lib/model/model.cpp", "train/engine.hpp"));
  CHECK(violation("lib/flows/flow.cpp", "app/terminal.hpp"));
  CHECK(violation("lib/model/model_file.cpp", "CLI/CLI.hpp"));
  CHECK(violation("lib/train/trainer.cpp", "iostream"));
  CHECK(violation("app/main.cpp", "libfccp/csv.h"));
  CHECK(violation("lib/core/rng.cpp", "../maps/map.hpp"));
  CHECK(violation("lib/unknown/file.cpp", "core/types.hpp"));

  CHECK_FALSE(violation("lib/maps/affine.cpp", "core/types.hpp"));
  CHECK_FALSE(violation("lib/maps/affine.cpp", "maps/map.hpp"));
  CHECK_FALSE(violation("lib/bijectors/coupling.cpp", "nets/mlp.hpp"));
  CHECK_FALSE(violation("lib/nets/dense.cpp", "Eigen/Core"));
  CHECK_FALSE(violation("app/main.cpp", "CLI/CLI.hpp"));
  CHECK_FALSE(violation("app/main.cpp", "terminal.hpp"));
  CHECK_FALSE(violation("app/main.cpp", "train/fit.hpp"));
}
