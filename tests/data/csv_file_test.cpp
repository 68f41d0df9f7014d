#include "data/csv_file.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "data/texts.hpp"

using namespace biject;
using namespace biject::csv_test;

namespace {

using Rows = std::vector<std::vector<std::string>>;

// The CSV package takes 48 MiB for every block, which costs an address sanitizer milliseconds; small pieces
// are many blocks.
#ifdef __SANITIZE_ADDRESS__
constexpr int kTrials = 160;
#else
constexpr int kTrials = 5000;
#endif

// The simplest reader that can be right: one character after the other, for well-formed text only.
Rows read_naively(std::string_view text, char delimiter) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Rows rows;
  std::vector<std::string> row;
  std::string field;
  bool is_inside = false, has_content = false;
  std::size_t rows_without_blank_end = 0;
  const auto end_field = [&] {
    row.push_back(field);
    field.clear();
  };
  const auto end_row = [&] {
    end_field();  // a blank line is one empty field
    rows.push_back(row);
    if (has_content) rows_without_blank_end = rows.size();
    row.clear();
    has_content = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_inside) {
      if (c != '"') {
        field.push_back(c);
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field.push_back('"');
        ++i;
      } else {
        is_inside = false;
      }
    } else if (c == '"') {
      is_inside = has_content = true;
    } else if (c == delimiter) {
      end_field();
      has_content = true;
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      field.push_back(c);
      has_content = true;
    }
  }
  if (has_content) end_row();
  rows.resize(rows_without_blank_end);
  return rows;
}

Rows read_rows(CsvOptions options) {
  options.header = Header::absent;
  CsvFile file("file", options, {});
  Rows rows;
  while (file.next()) {
    rows.emplace_back();
    for (const Field& field : file.fields()) rows.back().emplace_back(field.text);
  }
  return rows;
}

// Every kind of thing that RFC 4180 allows, and blank lines except before the first row.
std::string random_csv(std::mt19937& random, char delimiter) {
  const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  const std::string end = below(2) == 0 ? "\n" : "\r\n";
  static constexpr const char* kPlain[] = {"a",
                                           "1.5",
                                           "-2e-7",
                                           "\xC3\xA4",
                                           "x y",
                                           "7",
                                           "\xEF\xBB\xBF"
                                           "b"};
  const std::string inner[] = {"\"\"", std::string(1, delimiter), "\n", "\r\n", "t", " ", "\xE2\x82\xAC",
                               "\n\n"};
  std::string text = below(3) == 0 ? "\xEF\xBB\xBF" : "";
  const unsigned rows = 1 + below(6), cols = 1 + below(4);
  for (unsigned i = 0; i < rows; ++i) {
    for (unsigned j = 0; j < cols; ++j) {
      if (j > 0) text.push_back(delimiter);
      if (below(3) == 0) {
        text.push_back('"');
        for (unsigned k = below(5); k > 0; --k) text += inner[below(8)];
        text.push_back('"');
      } else if (cols == 1 || below(6) != 0) {
        text += kPlain[below(7)];
      }
    }
    if (i + 1 < rows || below(2) == 0) text += end;
    if (i + 1 < rows && below(8) == 0) text += end;
  }
  return text;
}

Error open_error(const std::string& text) {
  return error_of([&] { read_rows(options_for({{"file", text}})); });
}

}  // namespace

TEST_CASE("random tables come out as a naive reader reads them, whatever the size of the pieces") {
  std::mt19937 random(3);
  for (int trial = 0; trial < kTrials; ++trial) {
    const char delimiter = ",;\t"[trial % 3];
    const std::string text = random_csv(random, delimiter);
    CAPTURE(text);
    const Rows expected = read_naively(text, delimiter);
    const std::size_t piece = trial % 8 == 0 ? 1 << 20 : static_cast<std::size_t>(trial % 8);
    CsvOptions options = options_for({{"file", text}}, piece);
    options.delimiter = Delimiter::given;
    options.delimiter_char = delimiter;
    REQUIRE(read_rows(options) == expected);
  }
}

TEST_CASE("a row keeps its text and its line, also when it spans lines") {
  for (const std::size_t piece : {1u, 3u, 1000u}) {
    CsvOptions options = options_for({{"file", "a,b\r\n1,\"x\r\ny\"\r\n\"2\", 3\n"}}, piece);
    options.header = Header::present;
    CsvFile file("file", options, {});
    CHECK(file.header_text() == "a,b");
    REQUIRE(file.next());
    CHECK(file.record().text == "1,\"x\r\ny\"");
    CHECK(file.place() == "file:2");
    REQUIRE(file.next());
    CHECK(file.record().text == "\"2\", 3");
    CHECK(file.place(1) == "file:4:5");
    CHECK_FALSE(file.next());
    CHECK_FALSE(file.next());
  }
}

TEST_CASE("columns of a place count characters, not bytes") {
  CsvOptions options = options_for({{"file", "\xC3\xA4\xE2\x82\xAC,b\n"}});
  CsvFile file("file", options, [](auto) { return false; });
  REQUIRE(file.next());
  CHECK(file.place(1) == "file:1:4");
}

TEST_CASE("faults of quoting are found where they begin") {
  CHECK(open_error("a,b\n1,2\n3,\"4\n5,6\n7,8\n").where() == "file:3:3");
  CHECK(contains(open_error("a\n\"").what(), "never closed"));
  CHECK(open_error("a,b\n\"x\ny\",\"z\nw\n").where() == "file:3:4");
  CHECK(open_error("a,b\n1,5\" pipe\n").where() == "file:2:4");
  CHECK(contains(open_error("a,b\n1,5\" pipe\n").what(), "a quote inside a field"));
  CHECK(contains(open_error("a,b\n1,5\" or 6\" pipe\n").what(), "a quote inside a field"));
  CHECK(contains(open_error("a,b\n\"1\"x,2\n").what(), "text after a closing quote"));
  const std::string endless = "a,b\n1,\"2\n" + std::string(3 << 20, '\n');
  CHECK(open_error(endless).where() == "file:2:3");
  CHECK(open_error("a,b\n1,\"2\n").kind() == ErrorKind::data);
}

TEST_CASE("what is not text is refused and named") {
  using namespace std::string_literals;
  const auto check = [](const std::string& text, const char* expected) {
    CAPTURE(expected);
    const Error error = open_error(text);
    CHECK(error.kind() == ErrorKind::data);
    CHECK(contains(error.what(), expected));
    return error;
  };
  CHECK(contains(check("\x1f\x8b\x08\n"s, "gzip").hint(), "zcat"));
  check("\x28\xb5\x2f\xfd..."s, "zstd");
  check("PK\x03\x04..."s, "zip");
  check(
      "\x7f"
      "ELF\x02"s,
      "program");
  check(
      "\xff\xfe"
      "a\0\n\0"s,
      "UTF-16");
  CHECK(check("a,b\n1,\0"
              "2\n"s,
              "NUL")
            .where() == "file:2:3");
  check("a\n1\n\0"s, "NUL");
  check("a\n1\n"s + std::string(4096, '\0'), "NUL");
  CHECK(check("a,b\n1,\xE4\n"s, "invalid UTF-8").where() == "file:2:3");
  check("a\n\xC0\xAF\n"s, "invalid UTF-8");          // overlong
  check("a\n\xED\xA0\x80\n"s, "invalid UTF-8");      // surrogate
  check("a\n\xF4\x90\x80\x80\n"s, "invalid UTF-8");  // beyond the last character
  CHECK(contains(check("a,b\r1,2\r3,4\r"s, "carriage return").hint(), "tr"));
  check("a,b\r1,2\n"s, "carriage return");
}

TEST_CASE("a line that is too long is refused before the rest is read") {
  for (const char* content : {"1", ","}) {
    std::string line;
    for (std::size_t i = 0; i < 2 * kMaxLine; ++i) line += content;
    CHECK(open_error(line).kind() == ErrorKind::limit);
    CHECK(open_error("a\n" + line + "\n").kind() == ErrorKind::limit);
  }
  const std::string longest(kMaxLine, '1');
  CHECK(read_rows(options_for({{"file", longest + "\n2\n"}})).size() == 2);
  CHECK(open_error(longest + "1\n2\n").kind() == ErrorKind::limit);
}

TEST_CASE("a file without any row is refused") {
  for (const char* text : {"", "\n", "\n\n\r\n", "\xEF\xBB\xBF", "\xEF\xBB\xBF\n", "  \n"}) {
    CAPTURE(text);
    const Error error = open_error(text);
    CHECK(error.kind() == ErrorKind::data);
    CHECK(contains(error.what(), "no header"));
  }
  CHECK(open_error("\na,b\n1,2\n").where() == "file:1");
}

TEST_CASE("the names of columns must be there and printable") {
  const auto header_error = [](const std::string& text) {
    return error_of([&] { CsvFile("file", options_for({{"file", text}}), [](auto) { return true; }); });
  };
  CHECK(contains(header_error("a,,c\n").what(), "column 2 has no name"));
  CHECK(header_error("a,\x1b[31mred\n").where() == "file:1:3");
  CHECK(contains(header_error("a,\"b\nc\"\n").what(), "control character"));
}

TEST_CASE("the delimiter is found among the usual four when asked") {
  const auto found = [](const std::string& text) {
    CsvOptions options = options_for({{"file", text}});
    options.delimiter = Delimiter::detect;
    return CsvFile("file", options, [](auto) { return false; }).delimiter();
  };
  CHECK(found("1,2\n3,4\n") == ',');
  CHECK(found("1;2\n3;4\n") == ';');
  CHECK(found("1,5;2,5;7\n3,5;4;8\n") == ';');
  CHECK(found("1\t2\n3\t4\n") == '\t');
  CHECK(found("1|2\r\n3|4\r\n") == '|');
  CHECK(found("\"a;b;c\",2\n\"d;e\",4\n") == ',');
  CHECK(found("1\n2\n") == ',');
}

TEST_CASE("a name that ends in .tsv means tabs") {
  const CsvOptions options = options_for({{"t.tsv", "1\t2\n"}, {"t.csv", "1\t2\n"}});
  CHECK(CsvFile("t.tsv", options, [](auto) { return false; }).columns().size() == 2);
  CHECK(CsvFile("t.csv", options, [](auto) { return false; }).columns().size() == 1);
}

TEST_CASE("runs of spaces are one delimiter and those at the ends are none") {
  CsvOptions options = options_for({{"file", "  1   2 3\n4 5    6  \n\"a b\"  \"\" 7\n"}});
  set_delimiter(options, "space");
  CHECK(read_rows(options) == Rows{{"1", "2", "3"}, {"4", "5", "6"}, {"a b", "", "7"}});
}

TEST_CASE("delimiters are words or single marks") {
  CsvOptions options;
  set_delimiter(options, "semicolon");
  CHECK(options.delimiter_char == ';');
  set_delimiter(options, ":");
  CHECK(options.delimiter_char == ':');
  for (const char* text : {"", "a", "1", ".", "-", "\"", "\n", ",,", "commas"}) {
    CAPTURE(text);
    CHECK(error_of([&] { set_delimiter(options, text); }).kind() == ErrorKind::usage);
  }
}
