#include "data/row_reader.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "data/texts.hpp"

using namespace biject;
using namespace biject::csv_test;

namespace {

using Rows = std::vector<std::vector<double>>;

const std::vector<std::string> kXY = {"x", "y"};

Rows take_all(RowReader& reader) {
  Rows rows;
  while (reader.next()) rows.emplace_back(reader.values().begin(), reader.values().end());
  return rows;
}

Rows read(const std::string& text, CsvOptions options = {}, std::vector<std::string> names = kXY) {
  options.open = options_for({{"file", text}}).open;
  RowReader reader(std::move(names), {"file"}, options);
  return take_all(reader);
}

Error read_error(const std::string& text, const CsvOptions& options = {}) {
  return error_of([&] { read(text, options); });
}

const Rows kClean = {{1, 2}, {3, 4}};

}  // namespace

TEST_CASE("line ends, byte-order mark, quotes and blanks do not change a table") {
  for (const char* text :
       {"x,y\n1,2\n3,4\n", "x,y\r\n1,2\r\n3,4\r\n", "\xEF\xBB\xBFx,y\n1,2\n3,4\n",
        "\xEF\xBB\xBFx,y\r\n1,2\r\n3,4", "x,y\n1,2\n3,4", "x,y\n1,2\n3,4\n\n\n", "x,y\n1,2\n3,4\r\n\r\n",
        "\"x\",\"y\"\n\"1\",\"2\"\n3,\"4\"\n", " x , y\n 1 ,\t2\n3\t, 4 \n", "x,y\n+1,2.\n3e0,.4e1\n"}) {
    CAPTURE(text);
    CHECK(read(text) == kClean);
  }
}

TEST_CASE("columns are found by name, in any order, and others are ignored") {
  CHECK(read("y,x\n2,1\n4,3\n") == kClean);
  CHECK(read("id,y,note,x\n7,2,\"a\nb\",1\n,4,,3\n") == kClean);
  CHECK(read("x,y,x\n1,2,9\n", {}, {"x[2]", "y"}) == Rows{{9, 2}});
}

TEST_CASE("a missing or renamed column is an error that says what is needed") {
  const Error missing = read_error("x,z\n1,2\n");
  CHECK(missing.kind() == ErrorKind::data);
  CHECK(missing.where() == "file");
  CHECK(contains(missing.what(), "no column 'y'; needed: x, y; the file has: x, z"));
  CHECK(contains(read_error("x,Y\n1,2\n").hint(), "'Y'"));
  CHECK(contains(read_error("x,x,y\n1,2,3\n").what(), "named 'x'"));
  CHECK(read_error("x;y\n1;2\n").hint() == "-d semicolon");
  CHECK(read_error("x\ty\n1\t2\n").hint() == "-d tab");
}

TEST_CASE("a file without header is matched by numbered names, else by position if the width is right") {
  CHECK(read("1,2\n3,4\n") == kClean);
  CHECK(read("1,2,5\n3,4,6\n", {}, {"x3", "x1"}) == Rows{{5, 1}, {6, 3}});
  CHECK(read("1,2\n3,4\n", {}, {"x2", "x1"}) == Rows{{2, 1}, {4, 3}});
  const Error error = read_error("1,2,3\n");
  CHECK(contains(error.what(), "no columns 'x', 'y'"));
  CHECK(contains(error.hint(), "--header"));
}

TEST_CASE("selected columns stand for the names one by one") {
  const auto read_as = [](const std::string& text, const TableColumns& columns) {
    RowReader reader(kXY, {"file"}, options_for({{"file", text}}), columns);
    return take_all(reader);
  };
  const auto only = [](std::string selection) { return TableColumns{std::move(selection), "", ""}; };
  CHECK(read_as("b,name,a\n2,ann,1\n4,bob,3\n", only("a,b")) == kClean);
  CHECK(read_as("b,name,a\n2,ann,1\n4,bob,3\n", only("3,1")) == kClean);
  CHECK(read_as("a,b\n1,2\n3,4\n", only("1-")) == kClean);
  CHECK(read_as("y,x\n1,2\n3,4\n", only("y,x")) == kClean);     // by place, even if the names are known
  CHECK(read_as("ann,1,2\nbob,3,4\n", only("2-3")) == kClean);  // no header: the selected fields are numbers
  CHECK(read_as("2,1\n4,3\n", only("x2,x1")) == kClean);
  CHECK(read_as("a,w,b\n1,7,2\n3,7,4\n", {"1-", "w", ""}) == kClean);

  const Error error = error_of([&] { read_as("a,b,c\n1,2,3\n", only("a-c")); });
  CHECK(error.kind() == ErrorKind::usage);
  CHECK(error.where() == "file");
  CHECK(contains(error.what(), "needed: 2 (x, y); selected: 3 (a, b, c)"));
  CHECK(error_of([&] { read_as("a,b\n1,2\n", only("a,z")); }).kind() == ErrorKind::usage);

  RowReader reader(kXY, {"a", "b", "c"},
                   options_for({{"a", "n,p,q\nann,1,2\n"}, {"b", "q,p\n4,3\n"}, {"c", "eve,5,6\n"}}),
                   only("p,q"));
  CHECK(take_all(reader) == Rows{{1, 2}, {3, 4}, {5, 6}});
  CHECK(std::ranges::equal(reader.names(), std::vector<std::string>{"p", "q"}));
}

TEST_CASE("columns that are left out are not there for the names to be found") {
  const CsvOptions options = options_for({{"file", "x,y,x\n9,2,1\n9,4,3\n"}, {"other", "x,x,y\n9,5,6\n"}});
  RowReader reader(kXY, {"file", "other"}, options, {"", "1", ""});
  CHECK(take_all(reader) == Rows{{1, 2}, {3, 4}, {5, 6}});
  const Error error = error_of([&] { RowReader(kXY, {"file"}, options, {"", "y", ""}); });
  CHECK(contains(error.what(), "columns are named 'x'"));
  CHECK(contains(error_of([&] {
                   RowReader(kXY, {"file"}, options, {"", "x[1],y", ""});
                 }).what(),
                 "no column 'y'; needed: x, y; the file has: x"));
}

TEST_CASE("numbers can be names of columns") {
  CHECK(read("2014,2015\n1,2\n3,4\n", {}, {"2014", "2015"}) == kClean);
  CsvOptions with_header;
  with_header.header = Header::present;
  CHECK(read("1,2\n3,4\n", with_header, {"2", "1"}) == Rows{{4, 3}});
}

TEST_CASE("a cell that is no number is an error with its place, its column and its text") {
  for (const char* cell : {"abc", "inf", "-nan", "1e400", "0x10", "1_000", "\"1,5\"", "12abc",
                           "\xE2\x88\x92"
                           "1",
                           "\x1b[31m", "\"1\n2\"", "1 2"}) {
    CAPTURE(cell);
    const Error error = read_error("x,y\n1,2\n3," + std::string(cell) + "\n");
    CHECK(error.kind() == ErrorKind::data);
    CHECK(error.where() == "file:3:3");
    CHECK(contains(error.what(), "column 'y'"));
    CHECK_FALSE(error.excerpt().empty());
  }
  CHECK(contains(read_error("x,y\n1,1e400\n").what(), "out of range"));
  CHECK(contains(read_error("x,y\n1,?\n").hint(), "--na '?' --missing skip"));
  CHECK(contains(read_error("x,y\n1,\"2,5\"\n").hint(), "decimal commas"));
  CHECK(contains(read_error("x,y\n1,oops\n").hint(), "--bad-rows skip"));
  CHECK(read("x,y\n1e-400,-1e-99999999999\n") == Rows{{0, 0}});
}

TEST_CASE("a missing cell is an error unless such rows are left out and counted") {
  CsvOptions skip;
  skip.missing = RowPolicy::skip;
  for (const char* cell : {"", "  ", "NA", "N/A", "NaN", "nan", "null", "NULL", "\"\"", " NA "}) {
    CAPTURE(cell);
    const std::string text = "x,y\n1,2\n5," + std::string(cell) + "\n3,4\n";
    const Error error = read_error(text);
    CHECK(error.where() == "file:3:3");
    CHECK(contains(error.what(), "missing"));
    CHECK(contains(error.hint(), "--missing skip"));
    CHECK(read(text, skip) == kClean);
  }
  CHECK(read("x,y,z\n1,2,\n3,4,NA\n") == kClean);
  CHECK(read_error("x,y\n,oops\n", skip).where() == "file:2:2");
}

TEST_CASE("the list of missing tokens can be replaced") {
  CsvOptions options;
  options.missing = RowPolicy::skip;
  set_missing_tokens(options, "?,-999");
  CHECK(read("x,y\n1,2\n-999,3\n5,?\n6,\n3,4\n", options) == kClean);
  CHECK(read_error("x,y\n1,NA\n", options).where() == "file:2:3");
}

TEST_CASE("a row with a wrong number of fields is an error with both counts") {
  for (const char* row : {"5", "5,6,7", "5,6,"}) {
    const Error error = read_error("x,y\n1,2\n" + std::string(row) + "\n3,4\n");
    CHECK(error.where() == "file:3");
    CHECK(contains(error.what(), row == std::string("5") ? "1 field," : "3 fields,"));
    CHECK(contains(error.what(), "the header in line 1 has 2"));
  }
  CHECK(contains(read_error("x,y\n# 1\n").hint(), "grep -v '^#'"));
  CHECK(contains(read_error("1,2\n3\n").what(), "no header was found"));
  CHECK(contains(read_error("x,y\n1,2\n\n3,4\n").what(), "blank line"));
  CHECK(read_error("x,y\n1,2\n\n3,4\n").where() == "file:3");
}

TEST_CASE("bad rows can be left out and are counted by reason") {
  CsvOptions options = options_for({{"file", "x,y\n1,2\n5\n\n5,6,7\nabc,5\n,5\n1e400,5\n3,4\n"}});
  options.bad_rows = options.missing = RowPolicy::skip;
  RowReader reader(kXY, {"file"}, options);
  CHECK(take_all(reader) == kClean);
  CHECK(reader.skipped().field_count == 3);
  CHECK(reader.skipped().not_a_number == 2);
  CHECK(reader.skipped().missing == 1);
  CHECK(reader.rows_read() == 8);
}

TEST_CASE("in a single column a blank line between rows is a missing cell") {
  CsvOptions options;
  options.missing = RowPolicy::skip;
  CHECK(read("x\n1\n\n2\n\n", options, {"x"}) == Rows{{1}, {2}});
  CHECK(error_of([] { read("x\n1\n\n2\n", {}, {"x"}); }).where() == "file:3:1");
}

TEST_CASE("files follow one another, each with its own order of columns") {
  CsvOptions options =
      options_for({{"a", "x,y\n1,2\n"}, {"b", "y,z,x\n4,0,3"}, {"c", "x,y\n"}, {"d", "5,6\n"}});
  RowReader reader(kXY, {"a", "b", "c", "d"}, options);
  CHECK(take_all(reader) == Rows{{1, 2}, {3, 4}, {5, 6}});
  CHECK(reader.place() == "d:1");
  options.limit = 2;
  RowReader first_two(kXY, {"a", "b", "c", "d"}, options);
  CHECK(take_all(first_two) == kClean);

  RowReader strict(kXY, {"a", "b"}, options);
  strict.require_same_headers();
  CHECK(strict.next());
  CHECK(error_of([&] { strict.next(); }).where() == "b:1");
}

TEST_CASE("further pieces of a table without header are matched like the first") {
  const CsvOptions options = options_for({{"a", "name,x,y\nann,1,2\n"}, {"b", "bob,3,4\n"}});
  RowReader reader(kXY, {"a", "b"}, options);
  CHECK(take_all(reader) == kClean);
}

TEST_CASE("the text of a row and of the header is handed on as it stands") {
  const CsvOptions options = options_for({{"file", "id;\"x\";y\r\n \"a;b\" ;1; 2\r\n"}, {"bare", "1;2"}});
  CsvOptions semicolon = options;
  set_delimiter(semicolon, "semicolon");
  CHECK(error_of([&] { RowReader(kXY, {"file"}, semicolon).next(); }).where() ==
        "file:2:2");  // blanks outside quotes
  RowReader reader(kXY, {"bare"}, semicolon);
  CHECK(reader.header_text() == "x1;x2");
  CHECK_FALSE(reader.has_header());
  CHECK(reader.delimiter() == ';');
  REQUIRE(reader.next());
  CHECK(reader.text() == "1;2");
}

TEST_CASE("rows arrive one by one over a pipe, and what has not arrived is not claimed") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto send = [&](std::string_view text) {
    REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  };
  const std::string path = "/dev/fd/" + std::to_string(ends[0]);
  send("x,y\r\n1,2\r\n3,");
  RowReader reader(kXY, {path}, {});
  CHECK(reader.next_is_ready());
  REQUIRE(reader.next());
  CHECK(reader.values()[1] == 2);
  CHECK_FALSE(reader.next_is_ready());
  send("4\n5,6\n\"7\n");  // would wait for ever if a row needed the bytes after it
  REQUIRE(reader.next());
  CHECK(reader.values()[0] == 3);
  CHECK(reader.next_is_ready());
  REQUIRE(reader.next());
  CHECK(reader.values()[1] == 6);
  CHECK_FALSE(reader.next_is_ready());  // a line, but not a row
  ::close(ends[1]);
  CHECK_THROWS_AS(reader.next(), Error);
  ::close(ends[0]);
}

TEST_CASE("after the last line of what has arrived nothing is ready, whatever the line ends") {
  for (const std::string end : {"\n", "\r\n"}) {
    const std::string text = "x,y" + end + "1,2" + end + "3,4" + end + end;
    RowReader reader(kXY, {"file"}, options_for({{"file", text}}));
    REQUIRE(reader.next());
    CHECK(reader.next_is_ready());
    REQUIRE(reader.next());
    CHECK_FALSE(reader.next_is_ready());
  }
}

TEST_CASE("what cannot be read is an input error, never an empty table") {
  for (const char* path : {"/", "/nonexistent/file.csv", "/proc/self/mem"}) {
    CAPTURE(path);
    const Error error = error_of([&] { RowReader(kXY, {path}, {}); });
    CHECK(error.kind() == ErrorKind::io);
    CHECK(error.where() == path);
  }
}

TEST_CASE("a file of many megabytes without final newline is read to the last row") {
  // Ends behind a block of the CSV package, where its own reader used to look one byte too far.
  constexpr std::size_t kSize = std::size_t{50} << 20;
  const std::string row = "0.12345678901,-1.5e-3\n";
  std::string text = "x,y\n";
  text.reserve(kSize + row.size());
  std::size_t rows = 0;
  for (; text.size() < kSize; ++rows) text += row;
  text.pop_back();
  RowReader reader(kXY, {"file"}, options_for({{"file", std::move(text)}}));
  std::size_t found = 0;
  double sum = 0;
  for (; reader.next(); ++found) sum += reader.values()[0];
  CHECK(found == rows);
  CHECK(sum == doctest::Approx(0.12345678901 * static_cast<double>(rows)));
}

TEST_CASE("millions of blank lines at the end are nothing") {
  CHECK(read("x,y\n1,2\n3,4\n" + std::string(std::size_t{16} << 20, '\n')) == kClean);
}
