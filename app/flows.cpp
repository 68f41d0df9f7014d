#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "core/error.hpp"
#include "describe.hpp"
#include "flows/catalogue.hpp"
#include "output.hpp"
#include "terminal.hpp"

namespace biject {

namespace {

using Line = std::array<std::string, 5>;

/// Columns as wide as their widest cell, two blanks apart.
std::string aligned(const std::vector<Line>& lines) {
  std::array<std::size_t, 5> widths{};
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += line[i];
      text += i + 1 < line.size() ? std::string(widths[i] + 2 - width_of(line[i]), ' ') : "\n";
    }
  }
  return text;
}

std::string table() {
  std::vector<Line> lines{{"name", "score cost", "sample cost", "good for", "paper"}};
  for (const auto& row : catalogue())
    lines.push_back({std::string(row.name), std::string(row.score_cost), std::string(row.sample_cost),
                     std::string(row.summary), std::string(row.paper)});
  return aligned(lines);
}

constexpr Index kShownColumns = 5;  // some defaults depend on the number of columns too

/// What an option of a flow defaults to, and from how many rows on, if that depends on them.
std::string default_text(const FlowRow& row, Index context, const std::string& option) {
  const auto value = [&](Index rows) {
    const auto values = spec_values(default_spec(row, rows, kShownColumns, context));
    return std::ranges::find(values, option, &SpecValue::name)->value;
  };
  std::string text = value(1);
  for (Index low = 1, high = 2; high < 10'000'000; low = high, high *= 2) {
    if (value(low) == value(high)) continue;
    Index before = low, after = high;  // where in between it changes
    while (after - before > 1) (value(before) == value((before + after) / 2) ? before : after) = (before + after) / 2;
    text += fmt::format("; {} from {} rows on", value(high), after);
  }
  return text;
}

std::string in_full(const FlowRow& row) {
  auto text = fmt::format("{}: {}\n\n", row.name, row.summary);
  text += fmt::format("paper        {}\nformula      {}\nscore cost   {}\nsample cost  {}\n", row.paper,
                      row.formula, row.score_cost, row.sample_cost);
  text += fmt::format("\noptions of biject fit and their defaults, for rows to train on of {} columns:\n", kShownColumns);
  const std::string plain = options_of(default_spec(row, 1, kShownColumns, 0));
  const auto options = words_of(options_of(default_spec(row, 1, kShownColumns, 1)));
  std::size_t width = 10;
  for (const auto& option : options) width = std::max(width, option.size());
  for (const auto& option : options) {
    const bool is_plain = lists(plain, option);
    text += fmt::format("  --{:<{}} {}{}\n", option, width, default_text(row, is_plain ? 0 : 1, option),
                        is_plain ? "" : "; only with --given");
  }
  return text;
}

class Flows final : public Command {
 public:
  void declare(Flags&) override {}

  int run(const Settings&, const std::vector<std::string>& names) override {
    if (names.size() > 1)
      throw Error(ErrorKind::usage, "", "flows shows one flow at a time", "biject flows " + names.front());
    const auto text = names.empty() ? table() : in_full(flow_named(names.front()));
    Output output;
    output.write(text);
    output.commit();
    return 0;
  }
};

}  // namespace

const CommandRow kFlows{
    .name = "flows",
    .summary = "the flows that fit can train",
    .usage = "[NAME]",
    .description =
        "Lists the flows that biject fit can train with --flow, the default first: what scoring and sampling "
        "cost, "
        "in passes through the networks, what the flow is good for, and where it was published. With a name, "
        "shows that "
        "flow in full: paper, formula, the options that it reads and their defaults.",
    .examples = "biject flows\nbiject flows nsf",
    .make = [] { return std::unique_ptr<Command>(new Flows); },
};

}  // namespace biject
