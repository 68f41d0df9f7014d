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
/// Why a training ended, as the end of a sentence.
std::string describe_stop(std::string_view stop);

/// One structural option of a flow, as typed behind --NAME.
struct SpecValue {
  std::string name, value;
};
std::vector<SpecValue> spec_values(const FlowSpec& spec, const FlowRow& row);
/// The flow of that name. Throws Error usage, with the nearest name, if there is none.
const FlowRow& flow_named(const std::string& name);
/// The names in FlowRow::options.
std::vector<std::string> option_names(const FlowRow& row);

}  // namespace biject
