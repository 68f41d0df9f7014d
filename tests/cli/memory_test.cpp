#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "cli/run.hpp"

using namespace biject::cli;

// Sanitizers keep a shadow of all memory, and what was freed.
#ifndef __SANITIZE_ADDRESS__

namespace {

constexpr double kMegabyte = 1e6;

/// A model of six columns.
std::string small_model(const TemporaryFolder& folder) {
  std::string table = "a,b,c,d,e,f\n";
  for (int i = 0; i < 200; ++i) {
    for (int j = 0; j < 6; ++j) table += std::to_string((i * (7 + 2 * j)) % 101) + (j < 5 ? ',' : '\n');
  }
  const std::string model = folder / "small.flow";
  REQUIRE(biject_run("fit", folder.file("small.csv", table), "-f", "gaussian", "--epochs", "1", "-o", model).run().status == 0);
  return model;
}

std::string draws(const TemporaryFolder& folder, const std::string& model, int rows) {
  const std::string path = folder / (std::to_string(rows) + ".csv");
  REQUIRE(biject_run("sample", model, "-n", std::to_string(rows), "-o", path).run().status == 0);
  return path;
}

}  // namespace

TEST_CASE("sample and score take the same memory for thirty times the rows") {
  const TemporaryFolder folder;
  const std::string model = small_model(folder);
  const auto peaks = [&](int rows) {
    const std::string rows_path = draws(folder, model, rows);
    const auto sample = biject_run("sample", model, "-n", std::to_string(rows), "-j", "2", "-o", "/dev/null").run();
    const auto score = biject_run("score", model, rows_path, "-j", "2", "-o", "/dev/null").run();
    return std::pair{sample.peak_bytes, score.peak_bytes};
  };
  const auto few = peaks(20'000), many = peaks(600'000);
  CHECK(many.first < few.first + 2 * kMegabyte);
  CHECK(many.second < few.second + 2 * kMegabyte);
}

TEST_CASE("fit takes twice the memory of its table in float32") {
  const TemporaryFolder folder;
  const int rows = 600'000;
  const std::string model = small_model(folder), table = draws(folder, model, rows);
  const auto fit = biject_run("fit", table, "-f", "maf", "--hidden", "32", "--epochs", "1", "-j", "2", "-o", folder / "large.flow").run();
  INFO(fit);
  REQUIRE(fit.status == 0);
  CHECK(fit.peak_bytes < 2 * 4 * 6. * rows + 20 * kMegabyte);
}

#endif
