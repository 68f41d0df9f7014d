#include "data/column_selection.hpp"

#include <doctest/doctest.h>

#include "data/texts.hpp"

using namespace biject;
using namespace biject::csv_test;

namespace {

using Columns = std::vector<Index>;

const std::vector<std::string> kNames = {"a", "b", "x-y", "c", "2015", "d,e", "!f"};

Columns select(std::string_view selection) {
  return select_columns(selection, kNames);
}
Error select_error(std::string_view selection, std::vector<std::string> names = kNames) {
  return error_of([&] { select_columns(selection, names); });
}

}  // namespace

TEST_CASE("columns are selected by name, number and range") {
  CHECK(select("a") == Columns{0});
  CHECK(select("c,a") == Columns{3, 0});
  CHECK(select("2") == Columns{1});
  CHECK(select("2-4") == Columns{1, 2, 3});
  CHECK(select("6-") == Columns{5, 6});
  CHECK(select("-2") == Columns{0, 1});
  CHECK(select("a-c") == Columns{0, 1, 2, 3});
  CHECK(select("c-a") == Columns{3, 2, 1, 0});
  CHECK(select("a-2") == Columns{0, 1});
  CHECK(select("1,1-2,b") == Columns{0, 1});
}

TEST_CASE("what exists literally is a name before it is a range or a number") {
  CHECK(select("x-y") == Columns{2});
  CHECK(select("2015") == Columns{4});
  CHECK(select("b-x-y") == Columns{1, 2});
  CHECK(select("x-y-c") == Columns{2, 3});
  CHECK(select("!f") == Columns{6});
  CHECK(select("d,e") == Columns{5});
  CHECK(select("\"d,e\",a") == Columns{5, 0});
  CHECK(select_columns("\"say \"\"hi\"\"\"", std::vector<std::string>{"x", "say \"hi\""}) == Columns{1});
}

TEST_CASE("an exclamation mark inverts the whole selection") {
  CHECK(select("!a,c") == Columns{1, 2, 4, 5, 6});
  CHECK(select("!2-") == Columns{0});
  CHECK(contains(select_error("!1-").what(), "no column"));
  CHECK(is_inverted_selection("!a"));
  CHECK_FALSE(is_inverted_selection("a"));
}

TEST_CASE("columns of one name are told apart by their number") {
  const std::vector<std::string> names = {"a", "b", "a", "a"};
  CHECK(select_columns("a[2]", names) == Columns{2});
  CHECK(select_columns("a[1],b[1],a[3]", names) == Columns{0, 1, 3});
  const Error error = select_error("b,a", names);
  CHECK(contains(error.hint(), "a[2]"));
  CHECK(contains(error.what(), "3 columns are named 'a'"));
  CHECK(error.kind() == ErrorKind::usage);
  CHECK_THROWS_AS(select_columns("a[4]", names), Error);
  CHECK_THROWS_AS(select_columns("a[0]", names), Error);
  CHECK(unique_name(names, 1) == "b");
  for (Index column = 0; column < 4; ++column)
    CHECK(select_columns(unique_name(names, column), names) == Columns{column});
}

TEST_CASE("selections that fit nothing are refused with a suggestion") {
  CHECK(contains(select_error("hight", {"height", "width"}).hint(), "'height'"));
  CHECK(contains(select_error("nothing").hint(), "a, b, x-y"));
  CHECK(contains(select_error("9").what(), "there is no column 9: the table has 7"));
  CHECK(contains(select_error("0").what(), "no column 0"));
  for (const char* text : {"", ",", "a,", "a,,b", "\"a", "\"a\"b", "-", "!", "a-zz", "A", "\"2-3\""}) {
    CAPTURE(text);
    CHECK(select_error(text).kind() == ErrorKind::usage);
  }
}

TEST_CASE("columns that a model needs are found by name or listed as missing") {
  const std::vector<std::string> present = {"y", "x", "z", "z"};
  CHECK(find_columns(std::vector<std::string>{"x", "y", "z[2]"}, present, "file") == Columns{1, 0, 3});
  const Error missing = error_of([&] {
    find_columns(std::vector<std::string>{"x", "w", "X"}, present, "file");
  });
  CHECK(missing.kind() == ErrorKind::data);
  CHECK(missing.where() == "file");
  CHECK(contains(missing.what(), "no columns 'w', 'X'"));
  CHECK(contains(missing.what(), "needed: x, w, X; the file has: y, x, z, z"));
  CHECK(error_of([&] { find_columns(std::vector<std::string>{"z"}, present, "file"); }).kind() ==
        ErrorKind::data);
  // A number is no name here.
  CHECK_THROWS_AS(find_columns(std::vector<std::string>{"1"}, present, "file"), Error);
}
