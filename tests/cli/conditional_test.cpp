#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cli/matrix.hpp"
#include "cli/run.hpp"

// p(some columns | the others) from the shell: fit --given, score, sample --where and --given FILE, info.

using namespace biject::cli;

namespace {

using Words = std::vector<std::string>;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

constexpr double kSlope = 1.5, kOffset = 3, kNoise = 2;

/// 4,000 rows of a bivariate Gaussian: x is normal around 1 with deviation 2, y = 3 + 1.5 x + noise of deviation 2.
const std::string& bivariate_csv() {
  static const std::string kText = [] {
    std::mt19937_64 generator(7);
    std::normal_distribution<double> normal;
    std::string text = "x,y\n";
    for (int i = 0; i < 4000; ++i) {
      const double x = 1 + 2 * normal(generator), y = kOffset + kSlope * x + kNoise * normal(generator);
      char line[64];
      std::snprintf(line, sizeof line, "%.6f,%.6f\n", x, y);
      text += line;
    }
    return text;
  }();
  return kText;
}

/// Columns a to d, of which c depends on a and b; e is always 5, and name is text. 60 rows.
const std::string& wide_csv() {
  static const std::string kText = [] {
    std::string text = "a,b,name,c,d,e\n";
    unsigned state = 99;
    auto uniform = [&state] { return (state = state * 1664525u + 1013904223u) / 4294967296.0; };
    for (int i = 0; i < 60; ++i) {
      const double a = uniform(), b = 100 + 10 * uniform(), c = a + b + uniform(), d = -uniform();
      char line[96];
      std::snprintf(line, sizeof line, "%.4f,%.4f,row%d,%.4f,%.4f,5\n", a, b, i, c, d);
      text += line;
    }
    return text;
  }();
  return kText;
}

/// Models that the tests share, each fitted once in a process.
struct Models {
  TemporaryFolder folder;
  std::string bivariate_csv = folder.file("bivariate.csv", ::bivariate_csv());
  std::string wide_csv = folder.file("wide.csv", ::wide_csv());
  std::string bivariate = folder / "bivariate.flow";  // p(y | x)
  std::string wide = folder / "wide.flow";            // p(c, d | a, b)
  std::string joint = folder / "joint.flow";          // p(x, y)

  Models() {
    for (const Words& words : {Words{"-f", "gaussian", "--given", "x", bivariate_csv, "-o", bivariate},
                               Words{"-f", "maf", "--epochs", "3", "--given", "a,b", wide_csv, "-o", wide},
                               Words{"-f", "gaussian", "--epochs", "3", bivariate_csv, "-o", joint}}) {
      Run run = biject_run("fit", "-q");
      for (const auto& word : words) run.arg(word);
      const Result fit = run.run();
      REQUIRE_MESSAGE(fit.status == 0, fit);
    }
  }
};

const Models& models() {
  static const Models kModels;
  return kModels;
}

/// A run that is refused: its exit code, nothing on stdout, and the two lines it says, whole but for what
/// stands before the first of them.
void check_refused(Run run, int status, std::string_view error, std::string_view hint) {
  const Result result = run.run();
  CAPTURE(result);
  CAPTURE(error);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  const auto lines = lines_of(result.err);
  REQUIRE(!lines.empty());
  CHECK(lines[0].starts_with("biject: "));
  CHECK(lines[0].ends_with(error));
  CHECK(!has_control_characters(result.err));
  if (hint.empty()) return;
  CHECK(lines.back() == "hint: " + std::string(hint));
}

std::string output_of(const Words& words, const std::string& input = "") {
  const Result result = Run(words).input(input).run();
  CAPTURE(result);
  REQUIRE(result.status == 0);
  return result.out;
}

/// The lines of a CSV text from the `first` on, 0 being the header.
std::string rows_from(const std::string& text, std::size_t first) {
  auto lines = lines_of(text);
  return joined({lines.begin() + static_cast<std::ptrdiff_t>(std::min(first, lines.size())), lines.end()});
}

std::vector<std::vector<double>> numbers_in(const std::string& csv) {
  std::vector<std::vector<double>> rows;
  for (const auto& line : lines_of(rows_from(csv, 1))) {
    auto& row = rows.emplace_back();
    for (const char* at = line.c_str();;) {
      char* end = nullptr;
      row.push_back(std::strtod(at, &end));
      if (*end != ',') break;
      at = end + 1;
    }
  }
  return rows;
}

}  // namespace

TEST_CASE("fit --given says what is given in its report, and the Gaussian beside it is conditional") {
  const TemporaryFolder folder;
  const Result fit = biject_run("fit", "-f", "gaussian", "--given", "x", models().bivariate_csv, "-o", folder / "m").run();
  CAPTURE(fit);
  REQUIRE(fit.status == 0);
  const auto lines = lines_of(fit.err);
  REQUIRE(lines.size() == 8);
  CHECK(lines[0] == "using 2 columns: p(y | x)");
  CHECK(lines[3] == "4000 rows, 3600 to train on and 400 held out; 2 columns: p(y | x)");
  CHECK(contains(lines[6], "a conditional Gaussian"));
  // The two are the same density, and log p(y | x) of it is −½(1 + log 2π) − log 2 = −2.112 on average.
  CHECK(std::abs(std::strtod(lines[6].c_str() + std::string("validation log_prob ").size(), nullptr) + 2.112) < 0.15);
  CHECK(contains(lines[7], "next: biject sample " + folder / "m" + " -n 1000 --where x="));
  const auto words = lines[7].substr(lines[7].find("next: ") + 6);
  const Result next = biject_run("sample", folder / "m", "-n", "1000", words.substr(words.find("--where"), 7),
                                 words.substr(words.find("x=")))
                          .run();
  CAPTURE(next);
  CHECK(next.status == 0);
  CHECK(lines_of(next.out).size() == 1001);

  const Result dry = biject_run("fit", "--dry-run", "--given", "b,a", models().wide_csv).run();
  CAPTURE(dry);
  CHECK(dry.status == 0);
  CHECK(contains(dry.out, "columns            4: p(c, d | a, b)\n"));
  CHECK(contains(dry.err, "using 4 of 6 columns: p(c, d | a, b); skipped name (text), e (constant)\n"));
}

TEST_CASE("given columns are selected as --columns are, and columns keep the order of the table") {
  struct Case {
    Words flags;
    std::string density, columns;
  };
  const std::vector<Case> cases = {
      {{"--given", "b"}, "p(a, c, d | b)", "a b c d"},
      {{"--given", "d,a"}, "p(b, c | a, d)", "a b c d"},
      {{"--given", "1-2"}, "p(c, d | a, b)", "a b c d"},
      {{"--given", "!c"}, "p(c | a, b, d)", "a b c d"},
      {{"-c", "c", "--given", "a"}, "p(c | a)", "a c"},
      {{"-c", "a-c", "--given", "a", "-C", "name"}, "p(b, c | a)", "a b c"},
      {{"-c", "c,a", "--given", "b"}, "p(c, a | b)", "b c a"},
      {{"-c", "d,b,a", "--given", "b"}, "p(d, a | b)", "d b a"},
      {{"-C", "d", "--given", "!c"}, "p(c | a, b)", "a b c"},
      {{"--weights", "b", "--given", "!c"}, "p(c | a, d)", "a c d"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.density);
    const TemporaryFolder folder;
    const std::string model = folder / "m.flow";
    Run run = biject_run("fit", "-f", "gaussian", "--epochs", "1", models().wide_csv, "-o", model);
    for (const auto& flag : c.flags) run.arg(flag);
    const Result fit = run.run();
    CAPTURE(fit);
    REQUIRE(fit.status == 0);
    CHECK(contains(fit.err, " columns: " + c.density));
    CHECK(replaced(output_of({"info", "--columns", model}), "\n", " ") == c.columns + " ");
  }
}

TEST_CASE("fit refuses a --given that makes no sense, before it reads the rows") {
  const TemporaryFolder folder;
  const std::string model = folder / "m.flow";
  // The second row is broken: whoever speaks of it has read the rows.
  const std::string csv = folder.file("t.csv", "height,weight,age,note\n1,2,3,x\nbroken\n");
  const auto fit = [&](Words flags) {
    Run run = biject_run("fit", csv, "-o", model);
    for (auto& flag : flags) run.arg(flag);
    return run;
  };
  check_refused(fit({"--given", "hieght"}), 2, "t.csv: --given: there is no column 'hieght'", "did you mean 'height'?");
  check_refused(fit({"--given", "qqqqqqqq"}), 2, "t.csv: --given: there is no column 'qqqqqqqq'",
                "the columns are height, weight, age, note");
  check_refused(fit({"--given", "5"}), 2, "t.csv: --given: there is no column 5: the table has 4", "");
  check_refused(fit({"--given", "height,"}), 2, "--given: an empty column name in the selection", "");
  check_refused(fit({"--given", ""}), 2, "biject: --given is empty", "give it a value");
  check_refused(fit({"--given", "1-4"}), 2, "t.csv: --given: every column is given, none is left to fit",
                "--given '!note' gives all but 'note'");
  check_refused(fit({"-c", "age,height", "--given", "height-age"}), 2,
                "t.csv: --given: every column is given, none is left to fit", "--given '!height' gives all but 'height'");
  check_refused(fit({"--given", "age", "--weights", "age"}), 2, "t.csv: --given: column 'age' holds the weights",
                "leave it out of --given or of --weights");
  check_refused(fit({"--given", "age", "-C", "3-"}), 2, "t.csv: --given: column 'age' is to be left out",
                "leave it out of --given or of --not-columns");
  check_refused(fit({"--given", "!age", "-C", "height,weight,note"}), 2,
                "t.csv: --given: no column is left to condition on", "");
  check_refused(fit({"--given", "note"}), 3, "t.csv:2:7: column 'note' is given but holds text",
                "leave it out of --given: a condition is a number");
  check_refused(fit({"-c", "age,note", "--given", "age", "--bad-rows", "skip"}), 3,
                "t.csv:2:7: column 'note' was selected but holds text", "leave it out of the selection");
  check_refused(fit({"-C", "height-age", "--given", "!note"}), 2, "t.csv: --given: no column is left to condition on", "");
  check_refused(fit({"-C", "weight,age", "--given", "height"}), 3,
                "t.csv:2:7: no column beside the given ones holds numbers; this is the first cell", "");
  CHECK(folder.names() == Words{"t.csv"});
}

TEST_CASE("a constant given column is skipped if it was left over and an error if it was asked for") {
  const TemporaryFolder folder;
  const auto fit = [&](const std::string& selection, const std::string& csv) {
    return biject_run("fit", "-f", "gaussian", "--epochs", "1", "--given", selection, csv, "-o", folder / "m");
  };
  check_refused(fit("a,e", models().wide_csv), 3,
                "wide.csv: given column 'e' is constant: there is nothing to learn from it", "leave it out of --given");
  CHECK(folder.names().empty());
  const Result left_over = fit("!c", models().wide_csv).run();
  CAPTURE(left_over);
  CHECK(left_over.status == 0);
  CHECK(contains(left_over.err, "p(c | a, b, d); skipped name (text), e (constant)"));

  std::string rows = "x,k\n";
  for (int i = 0; i < 20; ++i) rows += std::to_string(i * i) + ",1\n";
  const std::string csv = folder.file("k.csv", rows);
  check_refused(fit("!x", csv), 3, "k.csv: given column 'k' is constant: there is nothing to learn from it",
                "leave it out of --given");
  check_refused(fit("x", csv), 3, "k.csv: column 'k' is constant and has no density", "leave it out of --columns");
}

TEST_CASE("without a header, given columns are numbered, and held-out rows of a file have them too") {
  const TemporaryFolder folder;
  const std::string csv = folder.file("bare.csv", rows_from(bivariate_csv(), 1)), model = folder / "m.flow";
  const std::string held = folder.file("held.csv", replaced(bivariate_csv(), "x,y", "x1,x2"));
  const Result fit =
      biject_run("fit", "-f", "gaussian", "--epochs", "2", "--given", "1", "--validation", held, csv, "-o", model).run();
  CAPTURE(fit);
  REQUIRE(fit.status == 0);
  CHECK(contains(fit.err, "p(x2 | x1)"));
  CHECK(output_of({"score", model, csv}) == output_of({"score", model, held}));
}

TEST_CASE("score finds given columns by name, ignores others, and lists what it needs") {
  const Models& m = models();
  const TemporaryFolder folder;
  const std::string scores = output_of({"score", m.bivariate, m.bivariate_csv});
  CHECK(scores.starts_with("log_prob\n"));
  std::string reordered = "extra,y,note,x\n";
  for (const auto& line : lines_of(rows_from(bivariate_csv(), 1))) {
    const auto comma = line.find(',');
    reordered += "7," + line.substr(comma + 1) + ",n," + line.substr(0, comma) + "\n";
  }
  CHECK(output_of({"score", m.bivariate, "-"}, reordered) == scores);
  CHECK(output_of({"score", m.bivariate, "-", "--no-header"}, rows_from(bivariate_csv(), 1)) == scores);
  check_refused(biject_run("score", m.wide, folder.file("t.csv", "c,d,a\n1,2,3\n")), 3,
                "t.csv: no column 'b'; needed: a, b, c, d; the file has: c, d, a", "");
  check_refused(biject_run("score", m.bivariate, folder.file("t.csv", "y\n1\n2\n")), 3,
                "t.csv: no column 'x'; needed: x, y; the file has: y", "");
  check_refused(biject_run("score", m.bivariate, folder.file("t.csv", "x,y\n1,2\n,3\n")), 3,
                "t.csv:3:1: column 'x': a missing value", "--missing skip leaves such rows out");

  // Bits per dimension count the columns that the density is of, which here is one.
  const std::string summary = output_of({"score", "--summary", "--units", "bits", m.bivariate, m.bivariate_csv});
  const auto number_after = [&](const std::string& name) {
    return std::strtod(summary.c_str() + summary.find(name) + name.size(), nullptr);
  };
  CHECK(number_after("mean log_prob") == -number_after("bits per dimension"));
}

TEST_CASE("a conditional density integrates to one over its feature, whatever is given") {
  const TemporaryFolder folder;
  for (const double x : {-3., 1., 6.}) {
    CAPTURE(x);
    std::string grid = "x,y\n";
    constexpr double kStep = 0.02;
    for (int i = -2000; i <= 2000; ++i)
      grid += std::to_string(x) + "," + std::to_string(kOffset + kSlope * x + i * kStep) + "\n";
    double sum = 0;
    for (const auto& row : numbers_in(output_of({"score", models().bivariate, "-"}, grid)))
      sum += std::exp(row[0]) * kStep;
    CHECK(sum == doctest::Approx(1).epsilon(1e-4));
  }
}

TEST_CASE("draws of sample --where have the conditional mean and variance of the model") {
  const Models& m = models();
  for (const std::string given : {"-2.5", "1", "5"}) {
    CAPTURE(given);
    const double x = std::strtod(given.c_str(), nullptr), near = kOffset + kSlope * x;
    // A log-density of one normal column is a parabola: three scores tell its mean and variance.
    std::string points = "x,y\n";
    for (const double y : {near - 2, near, near + 2}) points += given + "," + std::to_string(y) + "\n";
    const auto scores = numbers_in(output_of({"score", m.bivariate, "--double", "-"}, points));
    REQUIRE(scores.size() == 3);
    const double bend = (scores[0][0] - 2 * scores[1][0] + scores[2][0]) / 4;
    const double variance = -1 / bend, mean = near + variance * (scores[2][0] - scores[0][0]) / 4;
    CHECK(std::abs(mean - near) < 0.5);  // the fit itself is about right
    CHECK(std::abs(variance - kNoise * kNoise) < 0.5);

    constexpr int kDraws = 20'000;
    const auto draws = numbers_in(
        output_of({"sample", m.bivariate, "-n", std::to_string(kDraws), "--where", "x=" + given, "-s", "3"}));
    REQUIRE(draws.size() == kDraws);
    double sum = 0, squares = 0;
    for (const auto& row : draws) {
      REQUIRE(row.size() == 2);
      REQUIRE(row[0] == x);
      sum += row[1];
      squares += (row[1] - mean) * (row[1] - mean);
    }
    CHECK(std::abs(sum / kDraws - mean) < 5 * std::sqrt(variance / kDraws));
    CHECK(std::abs(squares / kDraws - variance) < 5 * variance * std::sqrt(2. / kDraws));
  }
}

TEST_CASE("sample --given FILE draws rows for each line, with all columns in the order of the model") {
  const Models& m = models();
  const std::string lines = "note,b,a\none,101.5,0.25\ntwo,109,1e-1\nthree,104,0.5\n";
  const TemporaryFolder folder;
  const std::string file = folder.file("g.csv", lines);
  const std::string one = output_of({"sample", m.wide, "--given", file});
  const auto rows = numbers_in(one);
  CHECK(lines_of(one)[0] == "a,b,c,d");
  REQUIRE(rows.size() == 3);
  CHECK(lines_of(one)[1].starts_with("0.25,101.5,"));
  CHECK(lines_of(one)[2].starts_with("0.1,109,"));
  CHECK(lines_of(one)[3].starts_with("0.5,104,"));

  const std::string four = output_of({"sample", m.wide, "--given", file, "-n", "4"});
  const auto many = lines_of(four);
  REQUIRE(many.size() == 13);
  for (std::size_t i = 1; i <= 4; ++i) CHECK(many[i].starts_with("0.25,101.5,"));
  for (std::size_t i = 9; i <= 12; ++i) CHECK(many[i].starts_with("0.5,104,"));
  CHECK(many[1] != many[2]);

  CHECK(output_of({"sample", m.wide, "--given", "-", "-n", "4"}, lines) == four);
  CHECK(output_of({"sample", m.wide, "--given", file, "-n", "0"}) == "a,b,c,d\n");
  CHECK(output_of({"sample", m.wide, "--given", file, "--no-output-header"}) == rows_from(one, 1));
  CHECK(output_of({"sample", m.wide, "--given", file, "-n", "4", "-o", folder / "out.csv"}).empty());
  CHECK(read_file(folder / "out.csv") == four);
  CHECK(output_of({"sample", m.wide, "--given", file, "-s", "1"}) != one);

  // Constant conditions are those of --where, and a file may supply what --where leaves open.
  CHECK(output_of({"sample", m.wide, "--given", "-", "-n", "5"}, "a,b\n0.5,104\n") ==
        output_of({"sample", m.wide, "--where", "b=104", "--where", "a=0.5", "-n", "5"}));
  CHECK(output_of({"sample", m.wide, "--given", "-", "--where", "b=104"}, "a\n0.5\n0.25\n") ==
        output_of({"sample", m.wide, "--given", "-"}, "a,b\n0.5,104\n0.25,104\n"));
  CHECK(lines_of(output_of({"sample", m.bivariate, "--where", "x=1"})).size() == 1001);
}

TEST_CASE("conditional draws do not depend on threads, and prefixes and --skip are exact") {
  const Models& m = models();
  const TemporaryFolder folder;
  const std::string file = m.bivariate_csv;
  for (const Words& words : {Words{"sample", m.bivariate, "--given", file, "-n", "3"},
                             Words{"sample", m.bivariate, "--where", "x=2", "-n", "9000"}}) {
    auto with = [&](const Words& more) {
      Words all = words;
      all.insert(all.end(), more.begin(), more.end());
      return output_of(all);
    };
    const std::string rows = with({"-j", "1"});
    CHECK((with({"-j", "3"}) == rows));
    CHECK((with({"-j", "3", "--with-log-prob", "--double"}) == with({"-j", "1", "--with-log-prob", "--double"})));
  }

  const std::string whole = output_of({"sample", m.bivariate, "--given", file, "-n", "3"});
  REQUIRE(lines_of(whole).size() == 12001);
  for (const int skip : {1, 3, 4, 8191, 11999}) {
    CAPTURE(skip);
    const std::string rest =
        output_of({"sample", m.bivariate, "--given", file, "-n", "3", "--skip", std::to_string(skip)});
    CHECK((rest == "x,y\n" + rows_from(whole, static_cast<std::size_t>(skip) + 1)));
  }
  CHECK(output_of({"sample", m.bivariate, "--given", file, "-n", "3", "--skip", "12000"}) == "x,y\n");
  CHECK(output_of({"sample", m.bivariate, "--given", file, "-n", "3", "--skip", "1e18"}) == "x,y\n");
  const auto prefix = output_of({"sample", m.bivariate, "--given", file, "-n", "3", "--limit", "2000"});
  CHECK(lines_of(prefix).size() == 6001);
  CHECK((whole.starts_with(prefix)));

  const std::string some = output_of({"sample", m.bivariate, "--where", "x=2", "-n", "6000"});
  CHECK((some.starts_with(output_of({"sample", m.bivariate, "--where", "x=2", "-n", "5000"}))));
  CHECK((output_of({"sample", m.bivariate, "--where", "x=2", "-n", "1000", "--skip", "5000"}) ==
         "x,y\n" + rows_from(some, 5001)));
  // The same draw number has the same noise under either flag.
  CHECK(output_of({"sample", m.bivariate, "--where", "x=2", "-n", "2"}) ==
        output_of({"sample", m.bivariate, "--given", "-"}, "x\n2\n2\n"));
}

TEST_CASE("scores of conditional draws are those that --with-log-prob prints, on any number of threads") {
  const Models& m = models();
  const TemporaryFolder folder;
  for (const Words& words : {Words{"sample", m.wide, "--given", m.wide_csv, "-n", "50"},
                             Words{"sample", m.bivariate, "--where", "x=2", "-n", "3000"}}) {
    Words with = words;
    with.push_back("--with-log-prob");
    const std::string rows = folder.file("rows.csv", output_of(words)), beside = output_of(with);
    const std::string scores = output_of({"score", "-j", "1", words[1], rows});
    CHECK((output_of({"score", "-j", "2", words[1], rows}) == scores));
    CHECK((output_of({"score", "-a", words[1], rows}) == beside));
  }
}

TEST_CASE("sample asks for what a conditional model needs") {
  const Models& m = models();
  check_refused(biject_run("sample", m.bivariate), 2, "bivariate.flow: the model is p(y | x) and needs a value for x", "");
  for (const Words& words : {Words{"sample", m.wide}, Words{"sample", m.wide, "--where", "b=104"}}) {
    const Result result = Run(words).run();
    CAPTURE(result);
    CHECK(result.status == 2);
    const bool has_b = words.size() > 2;
    CHECK(contains(result.err, std::string("wide.flow: the model is p(c, d | a, b) and needs a value for a") +
                                   (has_b ? "\n" : ", b\n")));
    CHECK(contains(result.err, "\nhint: --where a=0.5"));
    CHECK(contains(result.err, " --where b=10") != has_b);
    CHECK(result.err.ends_with(", or --given FILE.csv with a table of values\n"));
    // What the hint says works when it is pasted.
    std::string hint = lines_of(result.err)[1].substr(6);
    Words pasted = words;
    for (hint = hint.substr(0, hint.rfind(", or")); !hint.empty();) {
      const auto end = std::min(hint.find(' '), hint.size());
      pasted.push_back(hint.substr(0, end));
      hint.erase(0, end + 1);
    }
    CHECK(lines_of(output_of(pasted)).size() == 1001);
  }
  check_refused(biject_run("sample", m.wide, "--given", m.folder.file("part.csv", "A,b\n1,2\n")), 3,
                "part.csv: no column 'a'; needed: a, b; the file has: A, b", "did you mean 'A'?");
}

TEST_CASE("a condition on what is not given is refused and says what helps") {
  const Models& m = models();
  const auto where = [](const std::string& model, const std::string& text) {
    return biject_run("sample", model, "--where", text);
  };
  check_refused(where(m.bivariate, "y=1"), 2,
                "bivariate.flow: --where: 'y' is not a given column of the model, p(y | x)",
                "biject fit --given y trains a model that can be conditioned on it");
  check_refused(where(m.wide, "A=1"), 2, "wide.flow: --where: the model, p(c, d | a, b), has no column 'A'",
                "did you mean 'a'?");
  check_refused(where(m.wide, "temperature=1"), 2,
                "wide.flow: --where: the model, p(c, d | a, b), has no column 'temperature'",
                "the given columns are a, b");
  check_refused(where(m.joint, "x=1"), 2, "joint.flow: --where: 'x' is not a given column of the model, p(x, y)",
                "biject fit --given x trains a model that can be conditioned on it");
  check_refused(where(m.joint, "X=1"), 2, "joint.flow: --where: the model, p(x, y), has no column 'X'",
                "did you mean 'x'? biject fit --given x trains a model that can be conditioned on it");
  check_refused(where(m.joint, "temperature=1"), 2,
                "joint.flow: --where: the model, p(x, y), has no column 'temperature'",
                "biject fit --given SEL trains a model that can be conditioned");
  check_refused(biject_run("sample", m.joint, "--given", m.bivariate_csv), 2,
                "joint.flow: --given: the model, p(x, y), has no given columns",
                "biject fit --given SEL trains a model that can be conditioned");
  check_refused(biject_run("sample", m.bivariate, "--where", "x=1", "--given", m.bivariate_csv), 2,
                "bivariate.flow: --given: all given columns (x) have a value from --where",
                "keep --where or --given FILE");
  check_refused(biject_run("sample", m.wide, "--where", "a=1.50", "--given", m.wide_csv), 2,
                "wide.csv: the column 'a' is here and in --where", "leave out --where a=1.5, or the column of the file");
}

TEST_CASE("--where is read strictly") {
  const Models& m = models();
  const auto where = [&](const std::string& text) { return biject_run("sample", m.bivariate, "--where", text); };
  for (const std::string text : {"x=", "x=abc", "x=nan", "x=inf", "x=1e400", "x=0x10", "x=1,5", "x= 1", "x=1 ", "x=1_000"})
    check_refused(where(text), 2, "biject: --where: '" + text + "' does not end in a finite number",
                  "write --where x=1.5");
  check_refused(where("x"), 2, "biject: --where: 'x' is not a column and its value", "write --where x=1.5");
  check_refused(where("=1"), 2, "biject: --where: '=1' names no column", "write --where COLUMN=1.5");
  check_refused(where(""), 2, "biject: --where: '' is not a column and its value", "write --where COLUMN=1.5");
  check_refused(biject_run("sample", m.bivariate, "--where", "x=1", "--where", "x=1"), 2,
                "biject: --where gives 'x' twice", "keep one of them; --given FILE takes many values, one in each row");
  check_refused(biject_run("sample", m.bivariate, "--where"), 2, "biject: --where needs a value",
                "biject sample --help explains it");
  check_refused(biject_run("sample", "--where", "-q", m.bivariate), 2,
                "biject: --where needs a value, but the flag '-q' follows", "biject sample --help explains it");
  check_refused(biject_run("sample", m.bivariate, "--given", "a", "--given", "b"), 2,
                "biject: --given is given twice", "keep one of them");
  check_refused(biject_run("sample", m.bivariate, "--where", "x=1", "--missing", "skip"), 2,
                "biject: --missing is about a table, and none is read", "sample reads a table with --given FILE");
  check_refused(biject_run("sample", m.joint, "--no-header"), 2,
                "biject: --no-header is about a table, and none is read", "sample reads a table with --given FILE");

  // One value belongs to one flag: the model may stand behind it.
  const std::string two = output_of({"sample", "--where", "x=-1.5e0", m.bivariate, "-n", "2"});
  CHECK(lines_of(two)[1].starts_with("-1.5,"));
  CHECK(output_of({"sample", m.bivariate, "-n", "2", "--where=x=-1.5"}) == two);
}

TEST_CASE("names of columns may hold an equals sign, blanks, quotes and dashes") {
  const TemporaryFolder folder;
  const std::string csv = folder.file("odd.csv", replaced(bivariate_csv(), "x,y", "\"a=b, it's\",-y"));
  const std::string model = folder / "odd.flow";
  const Result fit = biject_run("fit", "-f", "gaussian", "--epochs", "1", "--given", "1", csv, "-o", model).run();
  CAPTURE(fit);
  REQUIRE(fit.status == 0);
  CHECK(contains(fit.err, "-n 1000 --where 'a=b, it'\\''s="));
  const std::string rows = output_of({"sample", model, "-n", "2", "--where", "a=b, it's=3"});
  CHECK(rows.starts_with("\"a=b, it's\",-y\n3,"));
  const Result result = biject_run("sample", model).run();
  CHECK(contains(result.err, "hint: --where 'a=b, it'\\''s="));

  const std::string turned = folder / "turned.flow";
  CHECK(biject_run("fit", "-q", "-f", "gaussian", "--epochs", "1", "--given", "2", csv, "-o", turned).run().status == 0);
  const Result dash = biject_run("sample", turned).run();
  CHECK(contains(dash.err, "hint: --where=-y=4"));
  CHECK(contains(output_of({"sample", turned, "-n", "1", "--where=-y=4"}), "\n"));
}

TEST_CASE("a file of conditions is read as score reads a table") {
  const Models& m = models();
  const std::string plain = output_of({"sample", m.wide, "--given", "-"}, "a,b\n0.5,104\n0.25,101\n");
  const auto same = [&](const std::string& input, const Words& flags) {
    CAPTURE(input);
    Words words = {"sample", "-q", m.wide, "--given", "-"};
    words.insert(words.end(), flags.begin(), flags.end());
    CHECK(output_of(words, input) == plain);
  };
  same("0.5,104\n0.25,101\n", {});
  same("0.5,104\n0.25,101\n", {"--no-header"});
  same("a;b\n0.5;104\n0.25;101\n", {"-d", "semicolon"});
  same("b,a\r\n104,0.5\r\n101,0.25", {});
  same("a,b\n0.5,104\n,103\n0.25,101\n", {"--missing", "skip"});
  same("a,b\n0.5,104\n-,103\n0.25,101\n", {"--missing", "skip", "--na", "-"});
  same("a,b\n0.5,104\nx,103\n1\n0.25,101\n", {"--bad-rows", "skip"});
  same("a,b\n0.5,104\n0.25,101\n9,9\n", {"--limit", "2"});

  const TemporaryFolder folder;
  const auto given = [&](const std::string& text) {
    return biject_run("sample", m.wide, "--given", folder.file("g.csv", text));
  };
  check_refused(given("a,b\n0.5,104\n,103\n"), 3, "g.csv:3:1: column 'a': a missing value",
                "--missing skip leaves such rows out");
  check_refused(given("a,b\n0.5,104\n1\n"), 3, "g.csv:3: the row has 1 field, but the header in line 1 has 2",
                "--bad-rows skip leaves such rows out");
  check_refused(given("a,b\n"), 3, "g.csv: no data rows", "--no-header if the first row is data");
  check_refused(given(""), 3, "g.csv: the file is empty: no header, no data rows", "");
  check_refused(biject_run("sample", m.wide, "--given", folder / "none.csv"), 5,
                "none.csv: cannot open: No such file or directory", "");
  check_refused(biject_run("sample", m.wide, "--given", ""), 2, "biject: --given is empty", "give it a value");
  const std::string file = folder.file("g.csv", "a,b\n1,2\n");
  check_refused(biject_run("sample", m.wide, "--given", file, "-o", file), 2,
                "biject: --output: '" + file + "' is also an input",
                "write to another file; the input stays as it is");
  CHECK(read_file(file) == "a,b\n1,2\n");

  const Result skipped = biject_run("sample", m.wide, "--given", "-", "--missing", "skip").input("a,b\n1,\n0.5,104\n").run();
  CHECK(skipped.status == 0);
  CHECK(contains(skipped.err, "skipped 1 row: 1 with a missing value\n"));
}

TEST_CASE("a condition outside the training rows is told, and one that is absurd is refused") {
  const Models& m = models();
  const Result far = biject_run("sample", m.bivariate, "-n", "2", "--where", "x=100").run();
  CAPTURE(far);
  CHECK(far.status == 0);
  CHECK(far.err.starts_with("the model extrapolates: x = 100, but -"));
  CHECK(biject_run("sample", "-q", m.bivariate, "-n", "2", "--where", "x=100").run().err.empty());
  CHECK(biject_run("sample", m.bivariate, "-n", "2", "--where", "x=1").run().err.empty());
  const Result some = biject_run("sample", m.bivariate, "--given", "-").input("x\n100\n1\n-100\n").run();
  CHECK(some.err.starts_with("the model extrapolates for 2 of 3 rows; the first has x = 100, but -"));

  const Result absurd = biject_run("sample", m.wide, "--where", "a=1e300", "--where", "b=104").run();
  CAPTURE(absurd);
  CHECK(absurd.status == 2);
  CHECK(absurd.out.empty());
  CHECK(contains(absurd.err, "wide.flow: a = 1e+300 lies too far out for a draw: the model was trained on 0."));
  CHECK(biject_run("sample", m.wide, "--given", "-").input("a,b\n0.5,104\n0.5,-1e308\n").run().status == 3);
}

TEST_CASE("a stream of conditions is answered while it comes, and a reader that goes away ends it silently") {
  const Models& m = models();
  auto live = biject_run("sample", m.bivariate, "--given", "-").terminal(1).keep_input_open().start();
  live.write("x\n1\n2\n");
  CHECK(live.until([](const Result& r) { return contains(r.out, "\n2,"); }));
  live.write("3\n");
  CHECK(live.until([](const Result& r) { return contains(r.out, "\n3,"); }));
  const Result result = live.wait();
  CAPTURE(result);
  CHECK(result.status == 0);
  CHECK(result.out == output_of({"sample", m.bivariate, "--given", "-"}, "x\n1\n2\n3\n"));

  auto sample = biject_run("sample", m.bivariate, "--given", m.bivariate_csv, "-n", "1e12").start();
  CHECK(sample.until([](const Result& r) { return r.out.size() > 300000; }));
  sample.close_output();
  const Result ended = sample.wait();
  CHECK(ended.signal == SIGPIPE);
  CHECK(ended.err.empty());
}

TEST_CASE("info shows what is given") {
  const Models& m = models();
  const std::string text = output_of({"info", m.wide});
  CHECK(contains(text, "\ndensity         p(c, d | a, b)\ncolumns         4, 2 of them given\n"));
  int given = 0;
  for (const auto& line : lines_of(text))
    if (line.ends_with("  given")) CHECK(line.starts_with(given++ == 0 ? "  a " : "  b "));
  CHECK(given == 2);
  CHECK(contains(text, ", conditional too, on the same validation rows\n"));
  CHECK(contains(output_of({"info", "--json", m.wide}), "\"given\": true"));
  CHECK(!contains(output_of({"info", m.joint}), "\ndensity "));
}
