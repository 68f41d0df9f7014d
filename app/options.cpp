#include "options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "core/error.hpp"
#include "values.hpp"

namespace biject {
namespace {

When when(const Value& value) {
  const auto word = as_word(value, "auto always never").value_or("auto");
  return word == "auto" ? When::automatic : word == "always" ? When::always : When::never;
}

}  // namespace

void Settings::say(std::string_view line) const {
  if (!is_quiet) print_to_stderr(fmt::format("{}\n", line));
}

void Settings::say_more(std::string_view line) const {
  if (is_verbose) say(line);
}

void GlobalFlags::declare(Flags& flags) {
  flags.group("Everywhere", false)
      .toggle("-h", short_help, "a short help")
      .toggle("--help", long_help, "the whole help")
      .toggle("-V,--version", version, "version; with -v also how it was built")
      .toggle("-q,--quiet", quiet, "say nothing but errors")
      .toggle("-v,--verbose", verbose, "say what is decided on the way")
      .value("-j,--threads", "N", threads, "threads; 0 means all cores. Never changes a result [0]")
      .value("--progress", "WHEN", progress, "auto, always or never [auto]")
      .value("--color", "WHEN", color, "auto, always or never [auto]");
}

Settings GlobalFlags::settings() const {
  if (quiet && verbose)
    throw Error(ErrorKind::usage, "", "--quiet and --verbose contradict each other", "keep one of them");
  Settings settings;
  settings.is_quiet = quiet;
  settings.is_verbose = verbose;
  settings.threads = static_cast<int>(as_count(threads, 0, 1024).value_or(0));
  settings.progress = when(progress);
  settings.color = when(color);
  return settings;
}

When GlobalFlags::color_choice() const {
  try {
    return when(color);
  } catch (const Error&) {
    return When::automatic;
  }
}

void CsvFlags::declare(Flags& flags) {
  flags.group("Reading CSV", false)
      .value("-d,--delimiter", "CHAR", delimiter,
             "a character, or comma, tab, semicolon, pipe, space, auto [comma; tab for .tsv]")
      .toggle("--header", header,
              "the first row holds names [it does if a field that is used is not a number]")
      .toggle("--no-header", no_header, "the first row is data; columns are x1, x2, …")
      .value("--na", "LIST", na, "what else than an empty cell means missing [NA,N/A,NaN,nan,null,NULL]")
      .value("--missing", "POLICY", missing, "rows with a missing cell: error or skip [error]")
      .value("--bad-rows", "POLICY", bad_rows,
             "rows with a wrong number of fields or an unreadable number: error or skip [error]")
      .value("--limit", "N", limit, "read the first N rows only [all]");
}

CsvOptions CsvFlags::options() const {
  if (header && no_header)
    throw Error(ErrorKind::usage, "", "--header and --no-header contradict each other", "keep one of them");
  CsvOptions options;
  if (const auto text = as_text(delimiter)) set_delimiter(options, *text);
  if (header) options.header = Header::present;
  if (no_header) options.header = Header::absent;
  if (na) set_missing_tokens(options, *na);
  if (missing) options.missing = parse_row_policy(*missing, missing.flag);
  if (bad_rows) options.bad_rows = parse_row_policy(*bad_rows, bad_rows.flag);
  constexpr Index most = std::numeric_limits<Index>::max();
  if (const auto rows = as_count(limit, 1, most)) options.limit = static_cast<std::uint64_t>(*rows);
  return options;
}

std::string CsvFlags::first_given() const {
  for (const Value* value : {&delimiter, &na, &missing, &bad_rows, &limit})
    if (*value) return value->flag;
  return header ? "--header" : no_header ? "--no-header" : "";
}

std::string describe(const SkippedRows& rows) {
  if (rows.total() == 0) return {};
  std::vector<std::string> reasons;
  const auto add = [&](std::uint64_t count, std::string_view reason) {
    if (count) reasons.push_back(fmt::format("{} with {}", count, reason));
  };
  add(rows.missing, "a missing value");
  add(rows.field_count, "a wrong number of fields");
  add(rows.not_a_number, "an unreadable number");
  return fmt::format("skipped {} row{}: {}", rows.total(), rows.total() == 1 ? "" : "s",
                     fmt::join(reasons, ", "));
}

std::vector<std::string> input_files(const std::vector<std::string>& named) {
  if (std::ranges::count(named, "-") > 1)
    throw Error(ErrorKind::usage, "", "standard input (-) is named twice", "it can be read only once");
  if (!named.empty()) return named;
  if (is_terminal(STDIN_FILENO)) return {};
  return {"-"};
}

std::string name_of(const std::vector<std::string>& files) {
  const std::string first = files.front() == "-" ? "stdin" : files.front();
  return files.size() == 1 ? first : fmt::format("{} and {} more", first, files.size() - 1);
}

const std::string& only_file(const std::vector<std::string>& files, std::string_view command) {
  const auto help = fmt::format("biject {} -h shows how to call it", command);
  if (files.empty()) throw Error(ErrorKind::usage, "", fmt::format("{} needs a model file", command), help);
  if (files.size() > 1)
    throw Error(ErrorKind::usage, "",
                fmt::format("{} takes one model, but '{}' follows '{}'", command, files[1], files[0]), help);
  return files.front();
}

}  // namespace biject
