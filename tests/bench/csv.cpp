// Megabytes per second of reading and of writing numbers as CSV, on one thread. Not a test.
//
//     biject_csv_bench FILE.csv [REPEATS]
//
// Reads every column of FILE as numbers, then writes all of them to /dev/null. Prints one JSON line of medians.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "data/csv_file.hpp"
#include "data/csv_writer.hpp"
#include "data/row_reader.hpp"

using namespace biject;

namespace {

// Of the processor, which others may share.
double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class F> double median_seconds(int repeats, F&& run) {
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) {
    const double start = seconds_now();
    run();
    seconds.push_back(seconds_now() - start);
  }
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  struct stat status {};
  if (argc < 2 || ::stat(argv[1], &status) != 0) {
    fmt::print(stderr, "usage: biject_csv_bench FILE.csv [REPEATS]\n");
    return 2;
  }
  const std::string path = argv[1];
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 5;
  const CsvFile file(path, {}, [](auto) { return true; });
  const std::vector<std::string> columns(file.columns().begin(), file.columns().end());
  std::vector<double> values;
  const double reading = median_seconds(repeats, [&] {
    values.clear();
    RowReader reader(columns, {path}, {});
    while (reader.next()) values.insert(values.end(), reader.values().begin(), reader.values().end());
  });
  const int nowhere = ::open("/dev/null", O_WRONLY);
  const double writing = median_seconds(repeats, [&] {
    CsvWriter writer(nowhere, "/dev/null");
    for (std::size_t i = 0; i < values.size(); i += columns.size()) {
      writer.row(std::span(values).subspan(i, columns.size()));
    }
    writer.flush();
  });
  const double megabytes = static_cast<double>(status.st_size) / 1e6;
  fmt::print("{{\"megabytes\": {:.1f}, \"read\": {:.0f}, \"write\": {:.0f}}}\n", megabytes, megabytes / reading, megabytes / writing);
}
