#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flows/catalogue.hpp"
#include "flows/spec.hpp"
#include "model/model.hpp"

namespace biject {

/// Words for people. What programs read is printed in full elsewhere.

/// "1 row", "3 rows".
std::string plural(std::int64_t count, std::string_view noun);
/// "88 kB"; powers of ten, as `ls --si` has them.
std::string describe_bytes(double bytes);
/// "0.8 s", "47 s", "3 m 20 s", "2 h 5 m".
std::string describe_seconds(double seconds);
/// "3.4121 ± 0.0312".
std::string describe(const LogProbSummary& summary);
/// "nsf: layers 5, hidden 64,64, …": what the flow reads, no more.
std::string describe(const FlowSpec& spec);
/// Names for a message, a dozen of them at most: "x, y, … (200 in all)".
std::string listed(const std::vector<std::string>& names);
/// "p(x, y | c)": what the density is of, and what is given.
std::string describe_density(const std::vector<std::string>& names, const std::vector<bool>& is_given);
std::string describe_density(const std::vector<Column>& columns);
/// A text as a shell takes it for one word.
std::string quoted(const std::string& text);
/// "--where c=1.5 --where d=20": values for given columns from the middle of the training rows, to be pasted behind
/// biject sample. For very many columns, "--given FILE.csv".
std::string where_flags(const std::vector<Column>& columns);
/// Why a training ended, as the end of a sentence.
std::string describe_stop(std::string_view stop);

/// One structural option of a flow, as typed behind --NAME.
struct SpecValue {
  std::string name, value;
};
std::vector<SpecValue> spec_values(const FlowSpec& spec);
/// The flow of that name. Throws Error usage, with the nearest name, if there is none.
const FlowRow& flow_named(const std::string& name);

}  // namespace biject
