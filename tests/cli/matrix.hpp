#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/run.hpp"

/// What the tests of bad and odd input share: a clean table, a tiny model, and the laws that every run obeys.
namespace biject::cli {

/// Replaces every `from` in `text`.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

inline std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

/// A header "x,y" and 60 rows of numbers with four decimals, always the same.
inline const std::string& clean_csv() {
  static const std::string kText = [] {
    std::string text = "x,y\n";
    unsigned state = 12345;
    auto uniform = [&state] { return (state = state * 1664525u + 1013904223u) / 4294967296.0; };
    for (int i = 0; i < 60; ++i) {
      const double x = uniform() + uniform() + uniform() - 1.5, y = 10 * x + 3 * uniform();
      char line[64];
      std::snprintf(line, sizeof line, "%.4f,%.4f\n", x, y);
      text += line;
    }
    return text;
  }();
  return kText;
}

/// The clean table with line `line` (from 1; 1 is the header) replaced.
inline std::string clean_csv_with(std::size_t line, const std::string& text) {
  auto lines = lines_of(clean_csv());
  lines.at(line - 1) = text;
  return joined(lines);
}

/// The clean table with the first cell of line 6 replaced.
inline std::string clean_csv_with_cell(const std::string& cell) {
  return clean_csv_with(6, cell + ",1.5");
}

/// Fits of the tests are as small as a fit can be.
inline Run tiny_fit(const std::string& csv, const std::string& output) {
  return biject_run("fit", "-q", "-f", "gaussian", "--epochs", "3", csv, "-o", output);
}

/// A model of the clean table, fitted once in a process.
struct TinyModel {
  TemporaryFolder folder;
  std::string csv = folder.file("clean.csv", clean_csv());
  std::string path = folder / "tiny.flow";
  std::string bytes, scores;  // of the model file; of the clean table

  TinyModel() {
    const Result fit = tiny_fit(csv, path).run();
    REQUIRE_MESSAGE(fit.status == 0, fit);
    bytes = read_file(path);
    const Result score = biject_run("score", path, csv).run();
    REQUIRE_MESSAGE(score.status == 0, score);
    scores = score.out;
  }
};

inline const TinyModel& tiny_model() {
  static const TinyModel kModel;
  return kModel;
}

/// Bytes that a terminal would obey, if they come from a file. A newline is the only one that a message may
/// hold.
inline bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 32 && c != '\n') || byte == 127;
  });
}

/// Whatever it was given: it ends by itself, with an exit code of the contract, and a failure begins with a
/// line that says what is wrong.
inline void check_laws(const Result& result) {
  CHECK(result.signal == 0);
  CHECK_FALSE(result.timed_out);
  CHECK(result.status >= 0);
  CHECK(result.status <= 7);
  CHECK_FALSE(has_control_characters(result.err));
  if (result.status != 0) CHECK(result.err.starts_with("biject: "));
}

inline void check_words(const Result& result, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    CAPTURE(word);
    CHECK(result.err.find(word) != std::string::npos);
  }
}

/// One row of the test matrix that concerns the bytes of a table.
struct CsvCase {
  std::string row;  // its number, for the record
  std::string what;
  std::string csv;
  std::vector<int> statuses;       // any of these
  std::vector<std::string> words;  // all of them in the message, if it fails
  bool like_clean = false;         // the result is that of the clean table, byte for byte
  std::vector<std::string> options = {};
};

inline bool contains(const std::vector<int>& statuses, int status) {
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

/// Scores the table. A failure may come after rows that were right: whole lines of them are all that stands
/// on stdout.
inline void check_score(const CsvCase& c) {
  const TinyModel& model = tiny_model();
  TemporaryFolder folder;
  Run run = biject_run("score", "-q", model.path, folder.file("case.csv", c.csv));
  for (const auto& option : c.options) run.arg(option);
  const Result result = run.run();
  CAPTURE(result);
  check_laws(result);
  CHECK(contains(c.statuses, result.status));
  CHECK((result.out.empty() || result.out.back() == '\n'));
  if (result.status == 0 && c.like_clean) CHECK(result.out == model.scores);
  if (result.status != 0) check_words(result, c.words);
  CHECK(folder.names() == std::vector<std::string>{"case.csv"});
}

/// Fits the table onto a file that exists: it is replaced by a whole model or stays as it is.
inline void check_fit(const CsvCase& c) {
  TemporaryFolder folder;
  const std::string output = folder.file("model.flow", "the old bytes");
  Run run = tiny_fit(folder.file("case.csv", c.csv), output);
  for (const auto& option : c.options) run.arg(option);
  const Result result = run.run();
  CAPTURE(result);
  check_laws(result);
  CHECK(contains(c.statuses, result.status));
  CHECK(result.out.empty());
  const std::string bytes = read_file(output);
  if (result.status == 0 && c.like_clean) CHECK((bytes == tiny_model().bytes));
  if (result.status == 0) CHECK((bytes != "the old bytes"));
  if (result.status != 0) CHECK((bytes == "the old bytes"));
  if (result.status != 0) check_words(result, c.words);
  CHECK(folder.names() == std::vector<std::string>{"case.csv", "model.flow"});
}

/// Both commands on every case.
inline void check_fit_and_score(const std::vector<CsvCase>& cases) {
  for (const auto& c : cases) {
    CAPTURE(c.row);
    CAPTURE(c.what);
    {
      INFO("score");
      check_score(c);
    }
    {
      INFO("fit");
      check_fit(c);
    }
  }
}

}  // namespace biject::cli
