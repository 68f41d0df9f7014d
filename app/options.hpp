#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "data/csv_options.hpp"
#include "flags.hpp"
#include "terminal.hpp"

namespace biject {

/// What every command is told.
struct Settings {
  bool is_quiet = false, is_verbose = false;
  int threads = 0;  // 0: one per core
  When progress = When::automatic, color = When::automatic;

  /// A line for people on stderr, unless they want silence. `say_more`: only if they want everything.
  void say(std::string_view line) const;
  void say_more(std::string_view line) const;
};

/// The flags of every command, as typed.
struct GlobalFlags {
  bool short_help = false, long_help = false, version = false, quiet = false, verbose = false;
  Value threads, progress, color;
  void declare(Flags& flags);
  Settings settings() const;
  /// As settings().color, but never an error: for messages about the command line itself.
  When color_choice() const;
};

/// The flags of every command that reads CSV, as typed.
struct CsvFlags {
  Value delimiter, na, missing, bad_rows, limit;
  bool header = false, no_header = false;
  void declare(Flags& flags);
  CsvOptions options() const;
  /// The flag of these that was given, or empty: for a command that reads CSV only when told to.
  std::string first_given() const;
};

/// "skipped 3 rows: 2 with a missing value, 1 with a wrong number of fields"; empty if there are none.
std::string describe(const SkippedRows& rows);

/// The files to read: standard input if none is named. Empty if that is a terminal: somebody is waiting for
/// help.
std::vector<std::string> input_files(const std::vector<std::string>& named);

/// What messages call these files together: "a.csv and 2 more".
std::string name_of(const std::vector<std::string>& files);

/// Does the action. An Error about the data that has no place of its own gets this one.
template <class Action>
auto with_place(const std::string& place, const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data || !error.where().empty()) throw;
    throw Error(error.kind(), place, error.what(), error.hint(), error.excerpt());
  }
}

/// The one file that a command takes. Error usage if there are none or several.
const std::string& only_file(const std::vector<std::string>& files, std::string_view command);

}  // namespace biject
