#include "data/table.hpp"

#include <doctest/doctest.h>

#include "core/number.hpp"
#include "data/texts.hpp"

using namespace biject;
using namespace biject::csv_test;

namespace {

using Names = std::vector<std::string>;

Table read(const std::string& text, const TableColumns& columns = {}, CsvOptions options = {}) {
  options.open = options_for({{"file", text}}).open;
  const Names paths = {"file"};
  return read_table(paths, columns, options);
}

Error read_error(const std::string& text, const TableColumns& columns = {}, const CsvOptions& options = {}) {
  return error_of([&] { read(text, columns, options); });
}

TableColumns only(std::string selection) {
  return {std::move(selection), "", ""};
}

const char* kFlowers = "id,length,species,width\n1,5.1,setosa,3.5\n2,4.9,virginica,3.0\n";

}  // namespace

TEST_CASE("every column of numbers is taken and columns of text are left out by name") {
  const Table table = read(kFlowers);
  CHECK(table.names == Names{"id", "length", "width"});
  CHECK(table.values.matrix() == (Matrix<double>(2, 3) << 1, 5.1, 3.5, 2, 4.9, 3.0).finished());
  REQUIRE(table.skipped_columns.size() == 1);
  CHECK(table.skipped_columns[0].name == "species");
  CHECK(table.skipped_columns[0].reason == "text");
  CHECK(table.has_header);
  CHECK(table.weights.size() == 0);
}

TEST_CASE("selections choose and order the features") {
  CHECK(read(kFlowers, only("width,length")).names == Names{"width", "length"});
  CHECK(read(kFlowers, only("!id")).names == Names{"length", "width"});
  CHECK(read(kFlowers, {"", "id", ""}).names == Names{"length", "width"});
  CHECK(read(kFlowers, {"id,length", "id", ""}).names == Names{"length"});
  CHECK(read(kFlowers, only("width,length")).values(0, 0) == 3.5);
}

TEST_CASE("a selected column of text is an error with its first text") {
  const Error error = read_error(kFlowers, only("length,species"));
  CHECK(error.kind() == ErrorKind::data);
  CHECK(error.where() == "file:2:7");
  CHECK(error.excerpt() == "setosa");
  CHECK(contains(error.what(), "'species'"));
}

TEST_CASE("an unknown column is a mistake of usage, with a suggestion") {
  const Error error = read_error(kFlowers, only("lenght"));
  CHECK(error.kind() == ErrorKind::usage);
  CHECK(contains(error.hint(), "'length'"));
  CHECK(contains(read_error("1,2\n3,4\n", only("lenght")).what(), "no header was found"));
  CHECK(read_error("a;b\n1;2\n", only("a")).hint() == "-d semicolon");
}

TEST_CASE("one stray text in a column of numbers is an error, however late") {
  std::string text = "a,b\n";
  for (int i = 0; i < 3000; ++i) text += "1," + std::to_string(i) + "\n";
  const Error error = read_error(text + "1,oops\n");
  CHECK(error.where() == "file:3002:3");
  CHECK(read_error("a,b\n1,2\n1,x\n1,3\n").where() == "file:3:3");
}

TEST_CASE("the first row is a header if a selected field of it is no number") {
  CHECK(read("1,2\n3,4\n").names == Names{"x1", "x2"});
  CHECK_FALSE(read("1,2\n3,4\n").has_header);
  CHECK(read("1,NA,3\n3,4,5\n", only("1,3")).rows() == 2);
  CHECK(read("ann,1\nbob,2\n", only("2")).names == Names{"x2"});
  CHECK(read("ann,1\nbob,2\n", only("2")).rows() == 2);
  CHECK(read("1,2\n3,4\n", only("x2")).values(1, 0) == 4);
  CHECK(read("1,2,9\n3,4,9\n", only("3,1")).values(0, 1) == 1);
  CsvOptions options;
  options.header = Header::present;
  CHECK(read("1,2\n3,4\n", {}, options).names == Names{"1", "2"});
  options.header = Header::absent;
  CHECK(read_error("a,b\n1,2\n", only("1"), options).where() == "file:1:1");
}

TEST_CASE("tables without rows or without numbers are refused") {
  CHECK(contains(read_error("").what(), "no header"));
  CHECK(contains(read_error("a,b\n").what(), "no data rows"));
  CHECK(contains(read_error("a,b\nx,y\n").what(), "no column holds numbers"));
  CHECK(read_error("a;b\n1;2\n").hint() == "-d semicolon");
  CHECK(read_error("a;b\n1,5;2,5\n").hint() == "-d semicolon");
  CsvOptions semicolon;
  set_delimiter(semicolon, "semicolon");
  CHECK(contains(read_error("a;b\n1,5;2,5\n", {}, semicolon).hint(), "decimal commas"));
  CsvOptions skip;
  skip.missing = skip.bad_rows = RowPolicy::skip;
  CHECK(read_error("a,b\n1,\n,2\n", {}, skip).what() ==
        std::string("no data rows are left: 2 rows have a missing cell"));
  CHECK(contains(read_error("a,b\n1,\n1,2,3\n,2\n", {}, skip).what(),
                 "2 rows have a missing cell, 1 row has a wrong number of fields"));
}

TEST_CASE("given columns are marked, and stand where the file or the selection has them") {
  const auto read_given = [](const TableColumns& columns) { return read(kFlowers, columns); };
  const auto marks = [](const Table& table) { return table.is_given; };
  using Marks = std::vector<bool>;
  CHECK(marks(read(kFlowers)) == Marks{false, false, false});
  CHECK(read_given({"", "", "", "length"}).names == Names{"id", "length", "width"});
  CHECK(marks(read_given({"", "", "", "length"})) == Marks{false, true, false});
  CHECK(read_given({"width", "", "", "id"}).names == Names{"id", "width"});
  CHECK(read_given({"width,id", "", "", "length"}).names == Names{"length", "width", "id"});
  CHECK(marks(read_given({"width,id,length", "", "", "length"})) == Marks{false, false, true});
  CHECK(marks(read_given({"", "id", "", "!width"})) == Marks{true, false});
  CHECK(marks(read_given({"", "", "id", "!width"})) == Marks{true, false});
  CHECK(read_given({"", "", "", "!width"}).skipped_columns.at(0).name == "species");
  CHECK(read_given({"width", "", "", "length"}).values(1, 0) == 4.9);
  const Index kept[] = {1, 0};
  CHECK(marks(keep_columns(read_given({"width", "", "", "length"}), kept)) == Marks{false, true});

  // A header is found by a given column too.
  CHECK(read("7,h,k\n1,2,x\n", {"1", "", "", "2"}).names == Names{"7", "h"});
  CHECK(read("7,8,k\n1,2,x\n", {"1", "", "", "2"}).names == Names{"x1", "x2"});
  CHECK(read("a,b,a\n1,2,3\n", {"b", "", "", "a[2]"}).names == Names{"b", "a[2]"});
  CHECK(contains(read_error("a,b,a\n1,2,3\n", {"", "", "", "b"}).what(), "several columns are named 'a'"));
}

TEST_CASE("equal names are an error only if it matters which is meant") {
  const char* text = "a,b,a\n1,2,3\n4,5,6\n";
  CHECK(contains(read_error(text).what(), "several columns are named 'a'"));
  CHECK(read_error(text).kind() == ErrorKind::data);
  CHECK(contains(read_error(text, only("a,b")).hint(), "a[2]"));
  CHECK(read(text, only("b")).names == Names{"b"});
  CHECK(read(text, {"", "a[2]", ""}).names == Names{"a[1]", "b"});
  CHECK(read(text, only("3,2")).names == Names{"a[2]", "b"});
  CHECK(read(text, only("a[2]")).values(0, 0) == 3);
  CHECK(read("t,1st,t\nx,2,y\n").names == Names{"1st"});
}

TEST_CASE("missing cells of columns that are left out do not matter") {
  const Table table = read("name,a\n,1\nann,2\nNA,3\n");
  CHECK(table.names == Names{"a"});
  CHECK(table.rows() == 3);
  const Table empty = read("a,b,none\n1,2,\n3,4,NA\n");
  REQUIRE(empty.skipped_columns.size() == 1);
  CHECK(empty.skipped_columns[0].reason == "no values");
}

TEST_CASE("weights are numbers from zero on, and not a feature") {
  const Table table = read("a,w,b\n1,0,2\n3,2.5,4\n", {"", "", "w"});
  CHECK(table.names == Names{"a", "b"});
  CHECK(table.weights == (Vector<double>(2) << 0, 2.5).finished());
  CHECK(read("a,w\n1,2\n", {"", "", "2"}).weights(0) == 2);
  CHECK(read_error("a,w\n1,2\n3,-1\n", {"", "", "w"}).where() == "file:3:3");
  CHECK(read_error("a,w\n1,inf\n", {"", "", "w"}).where() == "file:2:3");
  CHECK(contains(read_error("a,w\n1,0\n2,0\n", {"", "", "w"}).what(), "all weights are zero"));
  CHECK(read_error("a,w\n1,0\n", {"", "", "1-2"}).kind() == ErrorKind::usage);
  CHECK(read_error("a,w\n1,0\n", {"w", "", "w"}).kind() == ErrorKind::usage);
}

TEST_CASE("several files are one table, matched by name") {
  CsvOptions options = options_for(
      {{"a", "x,y,w\n1,2,1\n"}, {"b", "w,y,extra,x\n2,4,q,3\n"}, {"c", "5,6,3\n"}, {"d", "x,w\n1,2\n"}});
  const Names paths = {"a", "b", "c"};
  const Table table = read_table(paths, {"y,x", "", "w"}, options);
  CHECK(table.values.matrix() == (Matrix<double>(3, 2) << 2, 1, 4, 3, 6, 5).finished());
  CHECK(table.weights == (Vector<double>(3) << 1, 2, 3).finished());
  const Names with_gap = {"a", "d"};
  CHECK(error_of([&] { read_table(with_gap, {}, options); }).where() == "d");
  options.limit = 2;
  CHECK(read_table(paths, {}, options).rows() == 2);
}

TEST_CASE("a table like another has its columns in its order") {
  const CsvOptions options = options_for({{"v", "b,w,a\n2,1,1\n4,0,3\n"}});
  const Names names = {"a", "b"}, paths = {"v"};
  const Table table = read_table_like(names, "w", paths, options);
  CHECK(table.values.matrix() == (Matrix<double>(2, 2) << 1, 2, 3, 4).finished());
  CHECK(table.weights(1) == 0);
  const Names other = {"a", "c"};
  CHECK(error_of([&] { read_table_like(other, "", paths, options); }).kind() == ErrorKind::data);
}

TEST_CASE("a long table arrives whole and in order") {
  std::string text = "a,b,c\n";
  constexpr int kRows = 150'000;  // more than one piece of the store
  for (int i = 0; i < kRows; ++i)
    text += std::to_string(i) + "," + std::to_string(-i) + "," + shortest(i * 0.1) + "\n";
  const Table table = read(text);
  REQUIRE(table.rows() == kRows);
  for (Index i = 0; i < kRows; ++i) {
    const double number = static_cast<double>(i);
    REQUIRE((table.values(i, 0) == number && table.values(i, 1) == -number &&
             table.values(i, 2) == number * 0.1));
  }
}

TEST_CASE("constant columns are listed, counting rows of positive weight only") {
  CHECK(constant_columns(read("a,b,c\n1,7,0\n2,7,0\n")) == std::vector<Index>{1, 2});
  CHECK(constant_columns(read("a,b,w\n1,7,1\n2,7,1\n1,8,0\n", {"", "", "w"})) == std::vector<Index>{1});
  const Index kept[] = {2, 0};
  const Table table = keep_columns(read("a,b,c\n1,7,0\n2,7,5\n"), kept);
  CHECK(table.names == Names{"c", "a"});
  CHECK(table.values.matrix() == (Matrix<double>(2, 2) << 0, 1, 5, 2).finished());
}
