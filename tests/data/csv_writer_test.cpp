#include "data/csv_writer.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <csignal>
#include <random>
#include <thread>
#include <vector>

#include "data/row_reader.hpp"
#include "data/texts.hpp"

using namespace biject;
using namespace biject::csv_test;

namespace {

class Pipe {
 public:
  Pipe() { REQUIRE(::pipe(ends_) == 0); }
  ~Pipe() {
    close_reader();
    close_writer();
  }
  int writer() const { return ends_[1]; }
  void close_reader() { close(ends_[0]); }
  void close_writer() { close(ends_[1]); }
  std::string read_some() const {
    std::string text(1 << 16, '\0');
    const ssize_t count = ::read(ends_[0], text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }

 private:
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  int ends_[2];
};

}  // namespace

TEST_CASE("texts are quoted where a reader needs it and numbers are short") {
  Pipe pipe;
  CsvWriter writer(pipe.writer(), "out");
  writer.header(std::vector<std::string>{"a", "b,c", "say \"hi\"", " d", "", "e\nf", "\xC3\xA4;"});
  writer.row(std::vector<double>{0.1, -0.0, 100000, 1e300});
  writer.verbatim("x,\"y\"");
  writer.number(2.5);
  writer.end_line();
  writer.flush();
  CHECK(pipe.read_some() ==
        "a,\"b,c\",\"say \"\"hi\"\"\",\" d\",\"\",\"e\nf\",\xC3\xA4;\n0.1,-0,100000,1e+300\nx,\"y\",2.5\n");
}

TEST_CASE("lines are written at once if somebody watches, else in blocks") {
  Pipe pipe;
  ::fcntl(pipe.writer(), F_SETFL, O_NONBLOCK);
  CsvWriter watched(pipe.writer(), "out", Flush::line, ';');
  watched.row(std::vector<double>{1, 2});
  CHECK(pipe.read_some() == "1;2\n");
  CsvWriter unwatched(pipe.writer(), "out", Flush::block);
  unwatched.row(std::vector<double>{3, 4});
  watched.row(std::vector<double>{5, 6});
  unwatched.flush();
  CHECK(pipe.read_some() == "5;6\n3,4\n");
}

TEST_CASE("what is written reads back as the same doubles") {
  std::mt19937_64 random(4);
  std::vector<double> values;
  while (values.size() < 30'000) {
    const double value = std::bit_cast<double>(random());
    if (std::isfinite(value)) values.push_back(value);
  }
  Pipe pipe;
  std::string text;
  std::thread reader([&] {  // far more than a pipe holds: writes come up short
    for (std::string part = pipe.read_some(); !part.empty(); part = pipe.read_some()) text += part;
  });
  CsvWriter writer(pipe.writer(), "out");
  writer.header(std::vector<std::string>{"a", "b", "c"});
  for (std::size_t i = 0; i < values.size(); i += 3) writer.row(std::span(values).subspan(i, 3));
  writer.flush();
  pipe.close_writer();
  reader.join();

  RowReader rows({"a", "b", "c"}, {"file"}, options_for({{"file", text}}));
  std::size_t found = 0;
  while (rows.next()) {
    for (const double value : rows.values()) {
      REQUIRE(std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(values[found++]));
    }
  }
  CHECK(found == values.size());
}

TEST_CASE("a full disk and a reader who left are output errors") {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  CsvWriter writer(full, "out.csv");
  writer.row(std::vector<double>{1});
  const Error error = error_of([&] { writer.flush(); });
  CHECK(error.kind() == ErrorKind::io);
  CHECK(error.where() == "out.csv");
  CHECK(std::string(error.what()) == "cannot write: No space left on device");
  ::close(full);

  const auto previous = std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close_reader();
  CsvWriter orphan(pipe.writer(), "out", Flush::line);
  CHECK(error_of([&] { orphan.row(std::vector<double>{1}); }).kind() == ErrorKind::io);
  std::signal(SIGPIPE, previous);
}
