#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "cli/matrix.hpp"

// Section B of the test matrix: what counts as a number, and that it is read and written exactly.

using namespace biject::cli;

namespace {

std::string table_of(const std::vector<std::string>& first_cells) {
  std::string text = "x,y\n";
  for (const auto& cell : first_cells) text += cell + ",1.5\n";
  return text;
}

Result score_table(const std::string& csv) {
  return biject_run("score", "-q", tiny_model().path, "-").input(csv).run();
}

// Both columns of cells are the same doubles, so the scores are the same bytes.
void check_same_scores(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const Result first = score_table(table_of(a)), second = score_table(table_of(b));
  CAPTURE(first.err);
  CAPTURE(second.err);
  REQUIRE(first.status == 0);
  REQUIRE(second.status == 0);
  const auto x = lines_of(first.out), y = lines_of(second.out);
  REQUIRE(x.size() == a.size() + 1);
  REQUIRE(y.size() == b.size() + 1);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(a[i]);
    CAPTURE(b[i]);
    CHECK(x[i + 1] == y[i + 1]);
  }
}

std::string full_expansion(double value) {
  char buffer[1200];
  const int length =
      std::snprintf(buffer, sizeof buffer, "%.1080f", value);  // exact: a double has at most 1074 decimals
  return {buffer, static_cast<std::size_t>(length)};
}

}  // namespace

TEST_CASE("a cell that is not a number is refused with its line and column") {
  std::vector<CsvCase> cases;
  const auto refuse = [&](const char* row, std::initializer_list<const char*> cells) {
    for (const char* cell : cells)
      cases.push_back({row, cell, clean_csv_with_cell(cell), {3}, {"case.csv:6:1"}});
  };
  refuse("B31", {"", " "});
  refuse("B32", {"nan", "NaN", "-nan", "inf", "Infinity", "nan(0x1)", "1.#INF"});
  refuse("B36", {"-", "+", ".", "e5", "1e", "1e+", "--1", "+-1", "1.2.3", "12abc", "1 2"});
  refuse("B37", {"0x10", "0x1p3", "1_000", "1'000", "True", "1/2", "$5", "1.5f"});
  check_fit_and_score(cases);
}

TEST_CASE("a number too large for a double is out of range") {
  std::vector<CsvCase> cases;
  for (const char* cell : {"1e400", "-1e999", "1e99999999999"})
    cases.push_back({"B33", cell, clean_csv_with_cell(cell), {3}, {"case.csv:6:1", "range"}});
  check_fit_and_score(cases);
}

TEST_CASE("a number too small for a double is zero") {
  check_same_scores({"1e-400", "-1e-400", "1e-99999999999", "0.0"}, {"0", "-0", "0", "0"});
}

TEST_CASE("subnormal numbers are numbers") {
  const Result result = score_table(table_of({"5e-324", "1e-310"}));
  CAPTURE(result);
  check_laws(result);
  CHECK(result.status == 0);
}

TEST_CASE("missing cells are skipped and counted where that is asked for") {
  for (const std::string cell : {"", "NA", "N/A", "NaN", "nan", "null", "NULL"}) {
    CAPTURE(cell);
    const CsvCase c = {"B31", cell, clean_csv() + cell + ",1.5\n", {0}, {}, true, {"--missing", "skip"}};
    check_score(c);
    CsvCase fit = c;
    fit.like_clean = false;  // the model records how many rows were skipped
    check_fit(fit);
  }
  const Result result =
      biject_run("score", tiny_model().path, "-", "--missing", "skip").input("x,y\n1,\n,2\n1,2\n").run();
  CAPTURE(result);
  CHECK(lines_of(result.out).size() == 2);
  CHECK(result.err.find('2') != std::string::npos);
}

TEST_CASE("the same double in two spellings scores the same") {
  check_same_scores({"1.5", "0.5", "5", "-0.25", "100", "0.001", "1e3", "1E3", "0.1", "12345678901234567890"},
                    {"+1.5", ".5", "5.", "-.25", "1e2", "1e-3", "1000", "1e+03",
                     "0.1000000000000000055511151231257827", "1.2345678901234567890e19"});
  check_same_scores({"9007199254740993", "0.3", "1.7976931348623157e308", "2.2250738585072014e-308", "00012"},
                    {"9007199254740992", "0.299999999999999988897769753748434596", "17976931348623157e292",
                     "0.22250738585072014e-307", "12"});
}

TEST_CASE("400 decimals score as their full binary expansions") {
  std::vector<std::string> decimals, expansions;
  unsigned long long state = 1;
  for (int i = 0; i < 400; ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    char text[64];
    std::snprintf(text, sizeof text, "%llu.%0*llu", (state >> 33) % 100, 3 + i % 15, (state >> 11) % 1000);
    decimals.emplace_back(text);
    expansions.push_back(full_expansion(std::strtod(text, nullptr)));
  }
  check_same_scores(decimals, expansions);
}

TEST_CASE("a number may have any number of digits") {
  const std::string thirds = "0." + std::string(800, '3');
  check_same_scores({thirds, "123456789012345678901234567890", std::string(700, '0') + "1.5"},
                    {"0.3333333333333333", "1.2345678901234568e29", "1.5"});
}

TEST_CASE("the locale changes nothing") {
  TemporaryFolder folder;
  const std::string command =
      "localedef -i de_DE -f UTF-8 '" + (folder / "de_DE.UTF-8") + "' > /dev/null 2>&1";
  if (std::system(command.c_str()) != 0) {
    MESSAGE("this machine cannot make a German locale (package locales); the test runs with its name only");
  }
  const auto in_german = [&](Run run) {
    return run.env("LOCPATH", folder.path()).env("LC_ALL", "de_DE.UTF-8").env("LANG", "de_DE.UTF-8").run();
  };
  const TinyModel& model = tiny_model();
  CHECK(in_german(biject_run("score", model.path, model.csv)).out == model.scores);
  CHECK(in_german(biject_run("sample", model.path, "-n", "20")).out ==
        biject_run("sample", model.path, "-n", "20").run().out);
  const std::string output = folder / "model.flow";
  REQUIRE(in_german(tiny_fit(model.csv, output).arg("--lr").arg("0.5")).status == 0);
  const std::string here = folder / "here.flow";
  REQUIRE(tiny_fit(model.csv, here).arg("--lr").arg("0.5").run().status == 0);
  CHECK((read_file(output) == read_file(here)));
}

TEST_CASE("a sample is exactly what it prints") {
  const TinyModel& model = tiny_model();
  const Result samples = biject_run("sample", model.path, "-n", "500", "--with-log-prob").run();
  REQUIRE(samples.status == 0);
  const Result scores = biject_run("score", model.path, "-").input(samples.out).run();
  CAPTURE(scores.err);
  REQUIRE(scores.status == 0);
  const auto rows = lines_of(samples.out), log_probs = lines_of(scores.out);
  REQUIRE(rows.size() == 501);
  REQUIRE(log_probs.size() == 501);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(rows[i]);
    CHECK(rows[i].substr(rows[i].rfind(',') + 1) == log_probs[i]);
  }
}
