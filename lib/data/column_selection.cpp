#include "data/column_selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.hpp"
#include "core/number.hpp"
#include "core/suggest.hpp"

namespace biject {

namespace {

using Names = std::span<const std::string>;

[[noreturn]] void fail(const std::string& what, const std::string& hint = {}) {
  throw Error(ErrorKind::usage, "", what, hint);
}

std::vector<Index> columns_named(std::string_view name, Names names) {
  std::vector<Index> found;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) found.push_back(static_cast<Index>(i));
  }
  return found;
}

// name[k], the k-th of several columns of one name.
std::optional<Index> find_numbered(std::string_view text, Names names) {
  const std::size_t bracket = text.rfind('[');
  if (!text.ends_with(']') || bracket == std::string_view::npos) return std::nullopt;
  const auto number = parse_seed(text.substr(bracket + 1, text.size() - bracket - 2));
  const std::vector<Index> found = columns_named(text.substr(0, bracket), names);
  if (!number || *number < 1 || *number > found.size()) return std::nullopt;
  return found[*number - 1];
}

// A column by its literal name or as name[k]; empty if there is none.
std::optional<Index> find_name(std::string_view text, Names names) {
  const std::vector<Index> found = columns_named(text, names);
  if (found.size() > 1) {
    fail(fmt::format("{} columns are named '{}' ({})", found.size(), text,
                     fmt::format("columns {} and {}", found[0] + 1, found[1] + 1)),
         fmt::format("say which: '{0}[1]' or '{0}[2]'", text));
  }
  return found.size() == 1 ? std::optional(found.front()) : find_numbered(text, names);
}

// One end of a range or a single column that is not quoted: a name, else a number from 1.
std::optional<Index> find_one(std::string_view text, Names names) {
  if (const auto column = find_name(text, names)) return column;
  const auto number = parse_seed(text);
  if (!number) return std::nullopt;
  if (*number < 1 || *number > names.size()) {
    fail(fmt::format("there is no column {}: the table has {}", *number, names.size()));
  }
  return static_cast<Index>(*number - 1);
}

struct Range {
  Index first, last;
};

// Any dash may be the one that separates, because names have dashes too: the first that leaves a column on
// either side.
std::optional<Range> find_range(std::string_view text, Names names) {
  const auto last_column = static_cast<Index>(names.size()) - 1;
  for (std::size_t dash = text.find('-'); dash != std::string_view::npos; dash = text.find('-', dash + 1)) {
    const std::string_view left = text.substr(0, dash), right = text.substr(dash + 1);
    if (left.empty() && right.empty()) continue;
    const auto first = left.empty() ? std::optional<Index>(0) : find_one(left, names);
    const auto last = right.empty() ? std::optional(last_column) : find_one(right, names);
    if (first && last) return Range{*first, *last};
  }
  return std::nullopt;
}

struct Part {
  std::string text;
  bool is_quoted;
};

std::vector<Part> split_parts(std::string_view selection) {
  std::vector<Part> parts;
  for (std::size_t i = 0;; ++i) {
    Part part{"", i < selection.size() && selection[i] == '"'};
    if (part.is_quoted) {
      for (++i;; ++i) {
        if (i >= selection.size()) fail("a quote in the selection is not closed");
        if (selection[i] == '"' && (++i >= selection.size() || selection[i] != '"')) break;
        part.text.push_back(selection[i]);
      }
      if (i < selection.size() && selection[i] != ',') fail("a quoted name in a selection ends at a comma");
    } else {
      for (; i < selection.size() && selection[i] != ','; ++i) part.text.push_back(selection[i]);
      if (part.text.empty()) fail("an empty column name in the selection");
    }
    parts.push_back(std::move(part));
    if (i >= selection.size()) return parts;
  }
}

[[noreturn]] void fail_unknown(const std::string& text, Names names) {
  std::string hint = did_you_mean(text, names);
  if (hint.empty()) hint = "the columns are " + list_of(names);
  fail(fmt::format("there is no column '{}'", text), hint);
}

Range find_part(const Part& part, Names names) {
  if (const auto column = part.is_quoted ? find_name(part.text, names) : find_one(part.text, names)) {
    return {*column, *column};
  }
  if (const auto range = part.is_quoted ? std::nullopt : find_range(part.text, names)) return *range;
  fail_unknown(part.text, names);
}

}  // namespace

bool is_inverted_selection(std::string_view selection) {
  return selection.starts_with('!');
}

std::vector<Index> select_columns(std::string_view selection, Names names) {
  if (selection.empty()) fail("the selection of columns is empty");
  if (const auto whole = columns_named(selection, names); whole.size() == 1) return whole;
  const bool is_inverted = is_inverted_selection(selection);
  if (is_inverted) selection.remove_prefix(1);

  std::vector<Index> chosen;
  std::vector<bool> is_chosen(names.size(), false);
  for (const Part& part : split_parts(selection)) {
    const Range range = find_part(part, names);
    const Index step = range.first <= range.last ? 1 : -1;
    for (Index column = range.first;; column += step) {
      if (!is_chosen[static_cast<std::size_t>(column)]) chosen.push_back(column);
      is_chosen[static_cast<std::size_t>(column)] = true;
      if (column == range.last) break;
    }
  }
  if (!is_inverted) return chosen;

  std::vector<Index> others;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!is_chosen[i]) others.push_back(static_cast<Index>(i));
  }
  if (others.empty()) fail("the selection leaves no column");
  return others;
}

std::vector<Index> select_columns(const TableColumns& columns, Names names) {
  std::vector<Index> chosen = select_columns(columns.only.empty() ? "1-" : columns.only, names);
  if (columns.without.empty()) return chosen;
  const std::vector<Index> unwanted = select_columns(columns.without, names);
  std::erase_if(chosen, [&](Index column) { return std::ranges::find(unwanted, column) != unwanted.end(); });
  return chosen;
}

std::vector<Index> find_columns(Names names, Names present, const std::string& where,
                                const std::string& hint) {
  std::vector<Index> columns;
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    try {
      if (const auto column = find_name(name, present)) {
        columns.push_back(*column);
      } else {
        missing.push_back(name);
      }
    } catch (const Error& error) {  // a name that several columns share: here the file is at fault
      throw Error(ErrorKind::data, where, error.what(), "rename one of them");
    }
  }
  if (missing.empty()) return columns;
  const std::string suggestion = hint.empty() ? did_you_mean(missing.front(), present) : hint;
  throw Error(ErrorKind::data, where,
              fmt::format("no column{} '{}'; needed: {}; the file has: {}", missing.size() > 1 ? "s" : "",
                          fmt::join(missing, "', '"), list_of(names), list_of(present)),
              suggestion);
}

std::string unique_name(Names names, Index column) {
  const std::string& name = names[static_cast<std::size_t>(column)];
  const std::vector<Index> equal = columns_named(name, names);
  if (equal.size() == 1) return name;
  return fmt::format("{}[{}]", name, std::ranges::find(equal, column) - equal.begin() + 1);
}

std::string list_of(Names names) {
  constexpr std::size_t kMost = 20;
  std::string list = fmt::format("{}", fmt::join(names.first(std::min(kMost, names.size())), ", "));
  return names.size() > kMost ? fmt::format("{}, … ({} in all)", list, names.size()) : list;
}

}  // namespace biject
