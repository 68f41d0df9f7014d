#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "cli/matrix.hpp"

// Sections F and G of the test matrix: files that cannot be read or written, streams that end, threads and
// large counts.

using namespace biject::cli;
namespace fs = std::filesystem;

namespace {

/// As root every file can be read and every folder be written.
bool is_root() {
  return ::geteuid() == 0;
}

void check_failed(const Result& result, std::vector<int> statuses, const std::vector<std::string>& words) {
  CAPTURE(result);
  check_laws(result);
  CHECK(contains(statuses, result.status));
  CHECK(result.out.empty());
  check_words(result, words);
}

}  // namespace

TEST_CASE("F86: an input that cannot be read is an error of reading, never a table without rows") {
  TemporaryFolder folder;
  const std::string model = tiny_model().path, output = folder / "new.flow";
  const std::string missing = folder / "missing.csv";
  check_failed(biject_run("score", "-q", model, missing).run(), {5}, {"missing.csv"});
  check_failed(biject_run("score", "-q", model, folder.path()).run(), {5}, {folder.path()});
  check_failed(tiny_fit(missing, output).run(), {5}, {"missing.csv"});
  check_failed(tiny_fit(folder.path(), output).run(), {5}, {folder.path()});
  check_failed(biject_run("score", "-q", missing, tiny_model().csv).run(), {5}, {"missing.csv"});
  check_failed(biject_run("info", missing).run(), {5}, {"missing.csv"});
  check_failed(biject_run("sample", "-q", missing).run(), {5}, {"missing.csv"});
  if (!is_root()) {
    const std::string unreadable = folder.file("secret.csv", clean_csv());
    fs::permissions(unreadable, fs::perms::none);
    check_failed(biject_run("score", "-q", model, unreadable).run(), {5}, {"secret.csv"});
    fs::remove(unreadable);
  }
  CHECK(folder.names().empty());
}

TEST_CASE("F87: an output that cannot be written is found before training") {
  TemporaryFolder folder;
  const std::string csv = tiny_model().csv;
  // A fit of many epochs would take far longer than the time allowed here.
  const auto long_fit = [&](const std::string& output) {
    return biject_run("fit", "-q", "-f", "gaussian", "--epochs", "10000000", "--patience", "0", csv, "-o",
                      output)
        .timeout(10)
        .run();
  };
  check_failed(long_fit(folder / "missing/new.flow"), {5}, {"missing"});
  check_failed(long_fit(folder.path()), {5}, {folder.path()});
  check_failed(long_fit(folder / std::string(300, 'n')), {5}, {});
  check_failed(long_fit(""), {2, 5}, {});
  if (!is_root()) {
    fs::create_directory(folder / "closed");
    fs::permissions(folder / "closed", fs::perms::owner_read | fs::perms::owner_exec);
    check_failed(long_fit(folder / "closed/new.flow"), {5}, {"closed"});
    fs::remove(folder / "closed");
  }
  CHECK(folder.names().empty());
}

TEST_CASE("F88: an output that is an input is refused and stays as it is") {
  TemporaryFolder folder;
  const std::string csv = folder.file("data.csv", clean_csv());
  const std::string model = folder.file("tiny.flow", tiny_model().bytes);
  fs::create_symlink(csv, folder / "link.csv");
  fs::create_hard_link(csv, folder / "same.csv");
  for (const std::string name : {"data.csv", "link.csv", "same.csv"}) {
    CAPTURE(name);
    check_failed(tiny_fit(csv, folder / name).run(), {2, 5}, {name});
  }
  check_failed(biject_run("sample", "-q", model, "-o", model).run(), {2, 5}, {"tiny.flow"});
  check_failed(tiny_fit(csv, folder / "new.flow").arg("--log").arg(csv).run(), {2, 5}, {"data.csv"});
  CHECK(read_file(csv) == clean_csv());
  CHECK((read_file(model) == tiny_model().bytes));
  CHECK(folder.names() == std::vector<std::string>{"data.csv", "link.csv", "same.csv", "tiny.flow"});
}

TEST_CASE("F89: an existing output is replaced and keeps its mode") {
  TemporaryFolder folder;
  const std::string output = folder.file("model.flow", "the old bytes");
  fs::permissions(output, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  REQUIRE(tiny_fit(tiny_model().csv, output).run().status == 0);
  CHECK((read_file(output) == tiny_model().bytes));
  CHECK(fs::status(output).permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read));
  CHECK(folder.names() == std::vector<std::string>{"model.flow"});
}

TEST_CASE("F90: through a symbolic link the target is replaced and the link stays") {
  TemporaryFolder folder;
  folder.file("target.flow", "the old bytes");
  fs::create_symlink("target.flow", folder / "link.flow");
  REQUIRE(tiny_fit(tiny_model().csv, folder / "link.flow").run().status == 0);
  CHECK(fs::is_symlink(folder / "link.flow"));
  CHECK((read_file(folder / "target.flow") == tiny_model().bytes));
}

TEST_CASE("F93: a full device is an error of writing") {
  const TinyModel& model = tiny_model();
  const std::vector<Run> runs = {biject_run("score", "-q", model.path, model.csv),
                                 biject_run("sample", "-q", model.path, "-n", "1"),
                                 biject_run("sample", "-q", model.path, "-n", "100000"),
                                 biject_run("info", model.path),
                                 biject_run("info", "--json", model.path),
                                 biject_run("flows"),
                                 biject_run("--help"),
                                 biject_run("fit", "--help"),
                                 biject_run("--version")};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    CAPTURE(i);
    check_failed(Run(runs[i]).redirect(1, "/dev/full").run(), {5}, {"stdout"});
  }
}

TEST_CASE("F94: a closed output is an error of writing") {
  const TinyModel& model = tiny_model();
  check_failed(biject_run("score", "-q", model.path, model.csv).close(1).run(), {5}, {});
  check_failed(biject_run("sample", "-q", model.path).close(1).run(), {5}, {});
}

TEST_CASE("F95: when the reader goes away it ends silently") {
  auto sample = biject_run("sample", tiny_model().path, "-n", "1e12").start();
  REQUIRE(sample.until([](const Result& r) { return r.out.size() > 1000; }));
  sample.close_output();
  const Result result = sample.wait();
  CHECK(result.signal == SIGPIPE);
  CHECK(result.err.empty());
}

TEST_CASE("G108: the number of threads changes no byte") {
  const TinyModel& model = tiny_model();
  TemporaryFolder folder;
  const std::string samples = biject_run("sample", "-j", "1", model.path, "-n", "1000").run().out;
  REQUIRE(lines_of(samples).size() == 1001);
  for (const std::string threads : {"0", "1", "2", "3", "8", "256"}) {
    CAPTURE(threads);
    const std::string output = folder / "model.flow";
    const Result fit = tiny_fit(model.csv, output).arg("-j").arg(threads).env("OMP_NUM_THREADS", "64").run();
    CAPTURE(fit);
    CHECK(fit.status == 0);
    CHECK((read_file(output) == model.bytes));
    CHECK(biject_run("score", "-j", threads, model.path, model.csv).run().out == model.scores);
    CHECK((biject_run("sample", model.path, "-n", "1000", "-j", threads).run().out == samples));
  }
}

TEST_CASE("G109: any number of rows can be drawn") {
  const std::string model = tiny_model().path;
  CHECK(biject_run("sample", model, "-n", "0").run().out == "x,y\n");
  CHECK(biject_run("sample", model, "-n", "0", "--no-output-header").run().out.empty());

  const std::string ten = biject_run("sample", model, "-n", "10").run().out;
  const std::string million = biject_run("sample", model, "-n", "1e6").run().out;
  CHECK(million.starts_with(ten));
  CHECK(std::count(million.begin(), million.end(), '\n') == 1000001);

  for (const std::string rows : {"1e12", "9223372036854775807"}) {
    CAPTURE(rows);
    auto sample = biject_run("sample", model, "-n", rows).start();
    CHECK(sample.until([](const Result& r) { return r.out.size() > 300000; }));
    CHECK(sample.so_far().out.starts_with(ten));
    sample.close_output();
    CHECK(sample.wait().signal == SIGPIPE);
  }
  for (const std::string rows : {"9223372036854775808", "-1", "1.5", "ten", ""}) {
    CAPTURE(rows);
    check_failed(biject_run("sample", model, "-n", rows).run(), {2}, {});
  }
}
