#include "cli/matrix.hpp"

// Section A of the test matrix: the form of a CSV file. The cells are right, what is around them is odd or
// broken.

using namespace biject::cli;
using namespace std::string_literals;

namespace {

// The clean table has a header in line 1 and rows in lines 2 to 61.
const std::string kBom = "\xEF\xBB\xBF";
const std::string kRow = "0.5,1.5";

std::string in_crlf() {
  return replaced(clean_csv(), "\n", "\r\n");
}
std::string without_last_newline() {
  return clean_csv().substr(0, clean_csv().size() - 1);
}
std::string rows_only() {
  return clean_csv().substr(clean_csv().find('\n') + 1);
}

std::string in_utf16() {
  std::string text = "\xFF\xFE";
  for (char c : clean_csv()) text += c, text += '\0';
  return text;
}

std::string quoted() {
  std::string text;
  for (const auto& line : lines_of(clean_csv())) text += "\"" + replaced(line, ",", "\",\"") + "\"\n";
  return text;
}

}  // namespace

TEST_CASE("tables that differ only in form give the same bytes") {
  const bool kLikeClean = true;
  check_fit_and_score({
      {"A1", "CRLF", in_crlf(), {0}, {}, kLikeClean},
      {"A2", "a byte order mark", kBom + clean_csv(), {0}, {}, kLikeClean},
      {"A2", "a byte order mark and CRLF", kBom + in_crlf(), {0}, {}, kLikeClean},
      {"A3", "no final newline", without_last_newline(), {0}, {}, kLikeClean},
      {"A4", "a blank line at the end", clean_csv() + "\n", {0}, {}, kLikeClean},
      {"A4", "blank lines at the end", clean_csv() + "\n\n\n", {0}, {}, kLikeClean},
      {"A4", "blank lines with CRLF at the end", in_crlf() + "\r\n\r\n", {0}, {}, kLikeClean},
      {"A16", "every cell in quotes", quoted(), {0}, {}, kLikeClean},
      {"A19",
       "blanks around numbers",
       clean_csv_with(2, " " + replaced(lines_of(clean_csv())[1], ",", "\t, ") + " "),
       {0},
       {},
       kLikeClean},
      {"A20", "tabs, said so", replaced(clean_csv(), ",", "\t"), {0}, {}, kLikeClean, {"-d", "tab"}},
      {"A20",
       "semicolons, said so",
       replaced(clean_csv(), ",", ";"),
       {0},
       {},
       kLikeClean,
       {"-d", "semicolon"}},
      {"A20", "semicolons, found", replaced(clean_csv(), ",", ";"), {0}, {}, kLikeClean, {"-d", "auto"}},
      {"A20", "pipes, found", replaced(clean_csv(), ",", "|"), {0}, {}, kLikeClean, {"-d", "auto"}},
  });
}

TEST_CASE("rows whose form is broken are skipped where that is asked for") {
  for (const char* row : {"0.5", "0.5,1.5,9", "sun,moon", "0.5,"}) {
    CAPTURE(std::string(row));
    const std::vector<std::string> skip = {"--bad-rows", "skip", "--missing", "skip"};
    check_score({"A13 to A15", row, clean_csv() + row + "\n", {0}, {}, true, skip});
    check_fit({"A13 to A15", row, clean_csv() + row + "\n", {0}, {}, false, skip});  // the model counts
                                                                                     // skipped rows
  }
}

TEST_CASE("a table whose form is broken is refused with its place") {
  check_fit_and_score({
      {"A5", "a blank line in the middle", clean_csv_with(30, ""), {3}, {"case.csv:30"}},
      {"A6", "CR as line end", replaced(clean_csv(), "\n", "\r"), {3}, {"case.csv"}},
      {"A7", "UTF-16", in_utf16(), {3}, {"UTF-16"}},
      {"A7", "gzip", "\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03 something"s, {3}, {"gzip"}},
      {"A7",
       "binary",
       "\x7F"
       "ELF\x02\x01\x01\x00\x00\x00\x00\x03\x00>\x00"s,
       {3},
       {"case.csv"}},
      {"A8", "an empty file", "", {3}, {"case.csv", "empty"}},
      {"A8", "a newline only", "\n", {3}, {"case.csv"}},
      {"A8", "a byte order mark only", kBom, {3}, {"case.csv"}},
      {"A9", "a header without rows", "x,y\n", {3}, {"no data rows"}},
      {"A13", "one field short in line 2", clean_csv_with(2, "0.5"), {3}, {"case.csv:2", "1 field", "2"}},
      {"A13",
       "one field short in the middle",
       clean_csv_with(30, "0.5"),
       {3},
       {"case.csv:30", "1 field", "2"}},
      {"A13",
       "one field short in the last line",
       clean_csv_with(61, "0.5"),
       {3},
       {"case.csv:61", "1 field", "2"}},
      {"A14", "one field too many", clean_csv_with(30, kRow + ",9"), {3}, {"case.csv:30", "3 fields", "2"}},
      {"A14", "a trailing comma", clean_csv_with(30, kRow + ","), {3}, {"case.csv:30", "3 fields", "2"}},
      {"A15", "a text row", clean_csv_with(30, "sun,moon"), {3}, {"case.csv:30:1", "sun"}},
      {"A17", "a quote that is never closed", clean_csv_with(30, "\"0.5,1.5"), {3}, {"case.csv:30", "quote"}},
      {"A18", "a stray quote inside a field", clean_csv_with(30, "0\"5,1.5"), {3}, {"case.csv:30"}},
      {"A18", "text after a closing quote", clean_csv_with(30, "\"0.5\"7,1.5"), {3}, {"case.csv:30"}},
      {"A20", "semicolons", replaced(clean_csv(), ",", ";"), {3}, {"case.csv", "-d semicolon"}},
      {"A20", "tabs", replaced(clean_csv(), ",", "\t"), {3}, {"case.csv", "-d tab"}},
      {"A21", "decimal commas", replaced(replaced(clean_csv(), ",", ";"), ".", ","), {3}, {"case.csv"}},
      {"A21", "a decimal comma in quotes", clean_csv_with(30, "\"0,5\",1.5"), {3}, {"case.csv:30:1", "0,5"}},
      {"A22", "NUL in a field", clean_csv_with(30, "0.\0005,1.5"s), {3}, {"case.csv:30", "NUL"}},
      {"A22", "NUL after a field", clean_csv_with(30, "0.5\0,1.5"s), {3}, {"case.csv:30", "NUL"}},
      {"A22", "NUL at the end of the file", clean_csv() + "\0"s, {3}, {"case.csv:62", "NUL"}},
      {"A22", "4 KiB of NUL at the end", clean_csv() + std::string(4096, '\0'), {3}, {"case.csv:62", "NUL"}},
      {"A23", "invalid UTF-8 in a cell", clean_csv_with(30, "\xFF\xFE,1.5"), {3}, {"case.csv:30"}},
      {"A23", "overlong UTF-8", clean_csv_with(30, "\xC0\xB1,1.5"), {3}, {"case.csv:30"}},
      {"A23", "Arabic digits", clean_csv_with(30, "\xD9\xA1\xD9\xA2,1.5"), {3}, {"case.csv:30:1"}},
      {"A23",
       "a typographic minus",
       clean_csv_with(30,
                      "\xE2\x88\x92"
                      "0.5,1.5"),
       {3},
       {"case.csv:30:1"}},
      {"A23",
       "a no-break space",
       clean_csv_with(30,
                      "\xC2\xA0"
                      "0.5,1.5"),
       {3},
       {"case.csv:30:1"}},
      {"A24",
       "terminal escape codes in a cell",
       clean_csv_with(30, "\x1B[31mred\x1B[0m,1.5"),
       {3},
       {"case.csv:30:1"}},
      {"A24",
       "C1 codes and a bell in a cell",
       clean_csv_with(30,
                      "\xC2\x9B"
                      "31m\a,1.5"),
       {3},
       {"case.csv:30:1"}},
      {"A25", "a comment line", clean_csv_with(30, "# midnight"), {3}, {"case.csv:30", "1 field"}},
  });
}

TEST_CASE("the header is found, or said to be there or not") {
  SUBCASE("A10: a first row of numbers is data; columns match by position") {
    check_score({"A10", "no header", rows_only(), {0}, {}, true});
    check_score({"A10", "no header, said so", rows_only(), {0}, {}, true, {"--no-header"}});
  }
  SUBCASE("A10: a header that is not there leaves the model's columns unknown") {
    check_score({"A10", "no header, but --header", rows_only(), {3}, {"case.csv"}, false, {"--header"}});
  }
  SUBCASE("A10: columns without a header are called x1 and x2") {
    TemporaryFolder folder;
    const std::string model = folder / "model.flow";
    REQUIRE(tiny_fit(folder.file("case.csv", rows_only()), model).run().status == 0);
    CHECK(biject_run("info", "--columns", model).run().out == "x1\nx2\n");
  }
  SUBCASE("A11, A24: names that clash or hold escape codes") {
    check_score({"A11", "a name twice", replaced(clean_csv(), "x,y", "x,x"), {3}, {"x"}});
    check_score({"A11", "a name twice, the other once", "x,x,y\n1,2,3\n", {3}, {"x"}});
    check_score({"A24", "escape codes in the header", clean_csv_with(1, "\x1B[31mx\x1B[0m,y"), {3}, {"x"}});
    check_fit({"A24", "escape codes in the header", clean_csv_with(1, "\x1B[31mx\x1B[0m,y"), {0, 3}, {}});
  }
  SUBCASE("A12: an empty name") {
    check_score({"A12", "an empty name", clean_csv_with(1, ",y"), {3}, {"x"}});
    check_fit({"A12", "an empty name", clean_csv_with(1, ",y"), {3}, {"case.csv:1", "1"}});
  }
}

TEST_CASE("a table that comes through a pipe is the same table") {
  const Result result = biject_run("score", tiny_model().path, "-").input(in_crlf()).run();
  CAPTURE(result);
  CHECK(result.status == 0);
  CHECK(result.out == tiny_model().scores);
}
