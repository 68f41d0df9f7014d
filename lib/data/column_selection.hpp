#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.hpp"

namespace biject {

/// The columns (from 0) that a selection names, in the order in which it names them, each once.
///
///   a,b       names                      "a,b"    a name with a comma, dash or bracket in it ("" inside is a
///   quote) 1,3       numbers from 1             1-4 3- -4 a-d d-a    ranges, both ends included; 3- and -4
///   are open a[2]      the second column named a  !a,b     all columns but these, in the order of the table
///
/// What exists literally as a name is that name: "x-y" before the range from x to y, "2015" before the
/// number. Throws Error usage: bad syntax, unknown column (with the nearest name), a name that several
/// columns share, nothing left.
std::vector<Index> select_columns(std::string_view selection, std::span<const std::string> names);

/// Which columns of a table are meant. All are selections; empty means not given.
struct TableColumns {
  std::string only;     // --columns; without it every column
  std::string without;  // --not-columns
  std::string weights;  // --weights: one column
  std::string given = {};  // --given: columns to condition on, of a table that is fitted
};

/// Those that `only` names, in its order, less those of `without`. Weights and given ones are not looked at.
std::vector<Index> select_columns(const TableColumns& columns, std::span<const std::string> names);

/// Whether the selection begins with `!`.
bool is_inverted_selection(std::string_view selection);

/// The columns that `names` stand for in a file with columns `present`: the literal name, or name[k] among
/// equal ones. Throws Error data at `where` that lists the missing ones, what is needed and what is there.
std::vector<Index> find_columns(std::span<const std::string> names, std::span<const std::string> present,
                                const std::string& where, const std::string& hint = {});

/// The name under which a column can be found again: its own, or name[k] if it is the k-th of several equal
/// ones.
std::string unique_name(std::span<const std::string> names, Index column);

/// "x, y, z", cut if there are very many: for messages.
std::string list_of(std::span<const std::string> names);

}  // namespace biject
