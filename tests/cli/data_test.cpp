#include <cmath>

#include "cli/matrix.hpp"

// Sections C and E of the test matrix: tables that are well formed and hard to fit, and tables that do not
// suit a model.

using namespace biject::cli;

namespace {

struct DataCase {
  std::string row, what, csv;
  std::vector<int> statuses;
  std::vector<std::string> words;
};

std::string repeated(int count, const std::string& line) {
  std::string text;
  for (int i = 0; i < count; ++i) text += line + "\n";
  return text;
}

/// The clean table with a further column z, a function of the number of the row.
template <class Column>
std::string clean_csv_and(Column column) {
  auto lines = lines_of(clean_csv());
  lines[0] += ",z";
  for (std::size_t i = 1; i < lines.size(); ++i) lines[i] += std::string(",") + column(i);
  return joined(lines);
}

}  // namespace

TEST_CASE("a table that is hard to fit is refused, or gives a model with finite scores") {
  const DataCase kCases[] = {
      {"C43", "one row", "x,y\n1,2\n", {3}, {"case.csv: ", "at least 10 complete rows"}},
      {"C43", "two rows", "x,y\n1,2\n3,5\n", {3}, {"case.csv: ", "at least 10 complete rows"}},
      {"C43", "fewer rows than columns", "a,b,c,d,e\n1,2,3,4,6\n2,4,1,7,3\n9,1,3,2,4\n", {0, 3}, {"row"}},
      {"C44", "one column", "x\n1\n2\n4\n3\n2.5\n7\n1.5\n3.5\n2.25\n6\n5\n4.5\n", {0}, {}},
      {"C45", "all columns constant", "x,y\n" + repeated(40, "1,2"), {3}, {"case.csv: ", "constant"}},
      {"C45", "all zero", "x,y\n" + repeated(40, "0,0"), {3}, {"constant"}},
      {"C46",
       "constant but for one row",
       clean_csv_and([](std::size_t i) { return i == 17 ? "8" : "7"; }),
       {0, 3},
       {"z"}},
      {"C46",
       "constant up to the last bit",
       clean_csv_and([](std::size_t i) { return i % 2 ? "1" : "1.0000000000000002"; }),
       {0, 3},
       {"z"}},
      {"C47", "two distinct rows", "x,y\n" + repeated(20, "1,2\n3,5"), {0, 3, 7}, {}},
  };
  for (const auto& c : kCases) {
    CAPTURE(c.row);
    CAPTURE(c.what);
    TemporaryFolder folder;
    const std::string csv = folder.file("case.csv", c.csv), model = folder / "model.flow";
    const Result fit = tiny_fit(csv, model).run();
    CAPTURE(fit);
    check_laws(fit);
    CHECK(fit.out.empty());
    CHECK(contains(c.statuses, fit.status));
    if (fit.status != 0) {
      check_words(fit, c.words);
      CHECK(folder.names() == std::vector<std::string>{"case.csv"});
      continue;
    }
    const Result score = biject_run("score", model, csv).run();
    CAPTURE(score);
    CHECK(score.status == 0);
    const auto lines = lines_of(score.out);
    CHECK(lines.size() == lines_of(c.csv).size());
    for (std::size_t i = 1; i < lines.size(); ++i) CHECK(std::isfinite(std::stod(lines[i])));
  }
}

TEST_CASE("a constant column is left out and named, or an error if it was asked for") {
  TemporaryFolder folder;
  const std::string model = folder / "model.flow";
  for (const auto& [row, csv] :
       {std::pair{"C45: all the same", clean_csv_and([](std::size_t) { return "7"; })},
        std::pair{"C46: the same up to rounding",
                  clean_csv_and([](std::size_t i) { return i % 2 ? "0.1" : "0.10000000000000001"; })}}) {
    CAPTURE(std::string(row));
    const std::string path = folder.file("case.csv", csv);
    const Result fit = biject_run("fit", "-f", "gaussian", "--epochs", "3", path, "-o", model).run();
    CAPTURE(fit);
    REQUIRE(fit.status == 0);
    CHECK(fit.err.find("z (constant)") != std::string::npos);
    CHECK(biject_run("info", "--columns", model).run().out == "x\ny\n");
    const Result asked = tiny_fit(path, model).arg("-c").arg("x,z").run();
    CAPTURE(asked);
    check_laws(asked);
    CHECK(asked.status == 3);
    check_words(asked, {"z", "constant"});
  }
}

TEST_CASE("columns are matched by name, never by place") {
  const TinyModel& model = tiny_model();
  std::string swapped, with_more, renamed = clean_csv();
  for (const auto& line : lines_of(clean_csv())) {
    const auto comma = line.find(',');
    const std::string x = line.substr(0, comma), y = line.substr(comma + 1);
    swapped += y + "," + x + "\n";
    with_more += (x == "x" ? "name," + y + ",n," + x : "sun \"set\"," + y + ",1," + x) + "\n";
  }
  with_more = replaced(with_more, "sun \"set\"", "\"sun \"\"set\"\", red\"");
  check_score({"E81", "another order", swapped, {0}, {}, true});
  check_score({"E82", "further columns, text and numbers", with_more, {0}, {}, true});
  check_score({"E80", "a column is missing", replaced(clean_csv(), "x,y", "x,z"), {3}, {"case.csv", "y"}});
  check_score(
      {"E80", "both columns are missing", replaced(clean_csv(), "x,y", "a,b"), {3}, {"case.csv", "x", "y"}});
  check_score({"E83", "another case", replaced(clean_csv(), "x,y", "X,y"), {3}, {"case.csv", "x"}});

  SUBCASE("E84: model and table swapped") {
    const Result result = biject_run("score", model.csv, model.path).run();
    CAPTURE(result);
    check_laws(result);
    CHECK(result.status == 4);
    CHECK(result.out.empty());
    check_words(result, {"clean.csv"});
  }
  SUBCASE("E82: appending keeps every line as it is") {
    TemporaryFolder folder;
    const Result result = biject_run("score", "-a", model.path, folder.file("case.csv", with_more)).run();
    CAPTURE(result.err);
    REQUIRE(result.status == 0);
    const auto in = lines_of(with_more), out = lines_of(result.out), scores = lines_of(model.scores);
    REQUIRE(out.size() == in.size());
    for (std::size_t i = 0; i < in.size(); ++i) CHECK(out[i] == in[i] + "," + scores[i]);
  }
}

TEST_CASE("selected columns of a table stand for those of the model") {
  const TinyModel& model = tiny_model();
  TemporaryFolder folder;
  std::string renamed, twice;
  for (const auto& line : lines_of(clean_csv())) {
    const auto comma = line.find(',');
    const std::string x = line.substr(0, comma), y = line.substr(comma + 1);
    renamed += (x == "x" ? "height,name,width" : y + ",ann," + x) + "\n";
    twice += line + "," + (x == "x" ? "x" : "7") + "\n";
  }
  const std::string csv = folder.file("renamed.csv", renamed);
  for (const std::string selection : {"width,height", "3,1"}) {
    CAPTURE(selection);
    const Result result = biject_run("score", "-c", selection, model.path, csv).run();
    CAPTURE(result);
    CHECK(result.status == 0);
    CHECK(result.out == model.scores);
    CHECK(result.err == "reading width for x, height for y\n");
  }
  const Result few = biject_run("score", "-c", "width", model.path, csv).run();
  CAPTURE(few);
  check_laws(few);
  CHECK(few.status == 2);
  check_words(few, {"renamed.csv", "2 (x, y)", "1 (width)"});

  const std::string with_twice = folder.file("twice.csv", twice);
  CHECK(biject_run("score", model.path, with_twice).run().status == 3);
  const Result result = biject_run("score", "-C", "x[2]", model.path, with_twice).run();
  CAPTURE(result);
  CHECK(result.out == model.scores);
  CHECK(result.err.empty());
}

TEST_CASE("a second column of one name is not appended") {
  const TinyModel& model = tiny_model();
  TemporaryFolder folder;
  const std::string scored =
      folder.file("scored.csv", biject_run("score", "-a", model.path, model.csv).run().out);
  const Result refused = biject_run("score", "-a", model.path, scored).run();
  CAPTURE(refused);
  check_laws(refused);
  CHECK(refused.status == 2);
  CHECK(refused.out.empty());
  check_words(refused, {"log_prob", "hint: --name "});
  CHECK(biject_run("score", "-a", "--name", "second", model.path, scored)
            .run()
            .out.starts_with("x,y,log_prob,second\n"));
}

TEST_CASE("an error about the rows of a table names the table") {
  TemporaryFolder folder;
  const std::string few = folder.file("few.csv", "x,y\n1,2\n3,5\n"),
                    empty = folder.file("empty.csv", "x,y\n");
  const std::string output = folder / "model.flow";
  CHECK(tiny_fit(few, output).run().err.starts_with("biject: " + few + ": "));
  CHECK(tiny_fit(few, output).arg(few).arg(few).run().err.starts_with("biject: " + few + " and 2 more: "));
  CHECK(biject_run("fit", "-", "-o", output).input("x,y\n1,2\n").run().err.starts_with("biject: stdin: "));
  CHECK(biject_run("score", tiny_model().path, empty).run().err.starts_with("biject: " + empty + ": "));
}

TEST_CASE("a fit that finds no finite log-density is an error of its own, and writes nothing") {
  TemporaryFolder folder;
  const std::string output = folder.file("model.flow", "old");
  // Held-out rows beyond every density; the rows to train on can hardly diverge, as bad steps are taken back.
  const std::string far = folder.file("far.csv", "x,y\n" + repeated(20, "1e300,-1e300"));
  const Result result = tiny_fit(tiny_model().csv, output).arg("--validation").arg(far).run();
  CAPTURE(result);
  check_laws(result);
  CHECK(result.status == 7);
  CHECK(result.out.empty());
  check_words(result, {"diverged", "hint: "});
  CHECK(read_file(output) == "old");
  CHECK(folder.names() == std::vector<std::string>{"far.csv", "model.flow"});
}
