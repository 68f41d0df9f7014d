#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cli/matrix.hpp"
#include "cli/run.hpp"

using namespace biject::cli;

namespace {

/// A fit that goes on until it is told to stop.
Process start_endless_fit(const TemporaryFolder& folder, const std::string& model) {
  const auto csv = folder.file("a.csv", clean_csv());
  return biject_run("fit", "-v", "--epochs", "1e6", "--patience", "0", csv, "-o", model).start();
}

bool has_epoch(const Result& result) {
  return result.err.find("epoch 3/") != std::string::npos;
}

}  // namespace

TEST_CASE("G102: a fit that is interrupted writes the best model so far") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const TemporaryFolder folder;
    const auto model = folder / "m.flow";
    auto fit = start_endless_fit(folder, model);
    REQUIRE(fit.until(has_epoch));
    fit.send(signal);
    const auto result = fit.wait();
    CAPTURE(result.err.substr(result.err.size() - std::min<std::size_t>(result.err.size(), 500)));
    CHECK(result.status == 128 + signal);
    CHECK(result.err.find("interrupted") != std::string::npos);
    CHECK(folder.names() == std::vector<std::string>{"a.csv", "m.flow"});
    CHECK(biject_run("sample", model, "-n", "1").run().status == 0);
    CHECK(biject_run("info", "--json", model).run().out.find("\"stop\": \"interrupted\"") !=
          std::string::npos);
  }
}

TEST_CASE("G102: a fit that is interrupted before it found anything better than its start writes nothing") {
  const TemporaryFolder folder;
  const auto model = folder.file("m.flow", "old");
  // Steps that are too short to change a weight: the start is never beaten, whenever the signal comes.
  auto fit = biject_run("fit", "-v", "-f", "gaussian", "--learning-rate", "1e-300", "--average", "off",
                        "--epochs", "1e6", "--patience", "0", tiny_model().csv, "-o", model)
                 .start();
  REQUIRE(fit.until(has_epoch));
  fit.send(SIGINT);
  const auto result = fit.wait();
  CHECK(result.status == 128 + SIGINT);
  CHECK(result.err.find("nothing to write") != std::string::npos);
  CHECK(folder.names() == std::vector<std::string>{"m.flow"});
  CHECK(read_file(model) == "old");
}

TEST_CASE("G102: two signals at once leave an old or a whole new model and nothing else") {
  const TemporaryFolder folder;
  const auto model = folder.file("m.flow", read_file(tiny_model().path));
  auto fit = start_endless_fit(folder, model);
  REQUIRE(fit.until(has_epoch));
  fit.send(SIGINT);
  fit.send(SIGTERM);
  fit.wait();
  CHECK(folder.names() == std::vector<std::string>{"a.csv", "m.flow"});
  CHECK(biject_run("sample", model, "-n", "1").run().status == 0);
}

TEST_CASE("G102: a signal while data are read ends the fit and leaves the old model") {
  const TemporaryFolder folder;
  const auto model = folder.file("m.flow", "old");
  auto fit = biject_run("fit", "-", "-o", model).keep_input_open().start();
  fit.write("x,y\n1,2\n");
  // The temporary shows that the signals are watched; without it the default action would do as well.
  while (folder.names().size() < 2) ::usleep(1000);
  fit.send(SIGTERM);
  const auto result = fit.wait();
  CHECK(result.signal == SIGTERM);
  CHECK(folder.names() == std::vector<std::string>{"m.flow"});
  CHECK(read_file(model) == "old");
}

TEST_CASE("G102: an interrupted score or sample leaves no half of a file") {
  const TemporaryFolder folder;
  auto sample = biject_run("sample", tiny_model().path, "-n", "1e12", "-o", folder / "s.csv").start();
  while (folder.names().empty()) ::usleep(1000);
  sample.send(SIGINT);
  CHECK(sample.wait().signal == SIGINT);
  CHECK(folder.names().empty());
}

TEST_CASE("a live stream is answered line by line") {
  auto score =
      biject_run("score", "-a", "--buffer", "lines", tiny_model().path, "-").keep_input_open().start();
  const auto lines = [](const Result& result) { return std::ranges::count(result.out, '\n'); };
  score.write("x,y\n0.1,2.5\n");
  CHECK(score.until([&](const Result& result) { return lines(result) == 2; }));
  score.write("0.2,");
  score.write("3.5\n");
  CHECK(score.until([&](const Result& result) { return lines(result) == 3; }));
  const auto result = score.wait();
  CHECK(result.status == 0);
  CHECK(result.out.starts_with("x,y,log_prob\n0.1,2.5,"));
}

TEST_CASE("progress is a bar on a terminal, lines elsewhere, and silence with -q") {
  const auto csv = tiny_model().csv;
  const TemporaryFolder folder;
  const auto fit = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"fit", csv, "-o", folder / "m", "--epochs", "3"});
    return words;
  };
  CHECK(Run(fit({})).terminal(2).run().err.find("\r") != std::string::npos);
  CHECK(Run(fit({"--progress", "never"})).terminal(2).run().err.find("\r") == std::string::npos);
  CHECK(Run(fit({})).terminal(2).env("TERM", "dumb").run().err.find("\r") == std::string::npos);
  CHECK(Run(fit({})).run().err.find("epoch 1/3") == std::string::npos);
  CHECK(Run(fit({"-v"})).run().err.find("epoch 1/3") != std::string::npos);
  CHECK(Run(fit({"--progress", "always"})).run().err.find("epoch 3/3") != std::string::npos);
  CHECK(Run(fit({"-q"})).run().err.empty());
}

TEST_CASE("the log has a line for each epoch") {
  const TemporaryFolder folder;
  const auto log = folder / "log.csv";
  REQUIRE(biject_run("fit", "-q", tiny_model().csv, "-o", folder / "m", "--epochs", "3", "--log", log)
              .run()
              .status == 0);
  const auto lines = lines_of(read_file(log));
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "epoch,train,validation,rate,seconds");
  CHECK(lines[3].starts_with("3,"));
}

TEST_CASE("a log of another fit stays until training starts") {
  const TemporaryFolder folder;
  const auto log = folder.file("log.csv", std::string(1000, 'o')), few = folder.file("few.csv", "x,y\n1,2\n");
  const auto fit = [&](const std::string& csv) {
    return biject_run("fit", "-q", csv, "-o", folder / "m", "--epochs", "1", "--log", log).run().status;
  };
  CHECK(fit(folder / "missing.csv") == 5);
  CHECK(fit(few) == 3);
  CHECK(read_file(log) == std::string(1000, 'o'));
  CHECK(fit(tiny_model().csv) == 0);
  CHECK(lines_of(read_file(log)).size() == 2);
  CHECK(biject_run("fit", "-q", tiny_model().csv, "-o", folder / "m", "--epochs", "1", "--log", "/dev/null")
            .run()
            .status == 0);
}

TEST_CASE("a dry run reports and leaves nothing") {
  const TemporaryFolder folder;
  const auto result = biject_run("fit", "--dry-run", tiny_model().csv, "-o", folder / "m").run();
  CAPTURE(result);
  CHECK(result.status == 0);
  for (const std::string name : {"rows", "columns", "parameters", "memory", "seconds per epoch"})
    CHECK(result.out.find(name) != std::string::npos);
  CHECK(folder.names().empty());
}
