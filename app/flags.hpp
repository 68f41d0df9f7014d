#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace biject {

/// What was typed for a flag that takes a value: text, until somebody says what it means (values.hpp).
struct Value {
  std::string flag;                 // its long name, for messages
  std::optional<std::string> text;  // empty: the flag was not given
  explicit operator bool() const { return text.has_value(); }
  const std::string& operator*() const { return *text; }
  const std::string* operator->() const { return &*text; }
};

/// The same for a flag that may be given several times: its texts in the order in which they were typed.
struct Values {
  std::string flag;
  std::vector<std::string> texts;
  explicit operator bool() const { return !texts.empty(); }
};

/// One flag: how it is typed, what its help says, where the parser puts what it finds.
struct Flag {
  std::vector<std::string> names;  // "-o", "--output"
  std::string argument;            // "FILE"; empty for a switch
  std::string help;
  std::variant<bool*, Value*, Values*> target;
  bool takes_value() const { return !argument.empty(); }
  bool is_repeatable() const { return std::holds_alternative<Values*>(target); }
  const std::string& long_name() const;
};

/// Flags that belong together in the help. Those of a brief group are explained by `-h`, the others named
/// only.
struct FlagGroup {
  std::string title;
  bool is_brief = true;
  std::vector<Flag> flags;
};

/// The flags of a command. From this list come the parser, both helps, and the check of the man pages.
class Flags {
 public:
  Flags& group(std::string_view title, bool is_brief = true);
  /// `names` are separated by commas: "-o,--output".
  Flags& value(std::string_view names, std::string_view argument, Value& target, std::string_view help);
  Flags& values(std::string_view names, std::string_view argument, Values& target, std::string_view help);
  Flags& toggle(std::string_view names, bool& target, std::string_view help);

  const std::vector<FlagGroup>& groups() const { return groups_; }
  /// Null if no flag has that name ("-o" or "--output").
  const Flag* find(std::string_view name) const;
  std::vector<std::string> names() const;

 private:
  void add(std::string_view names, std::string_view argument, std::variant<bool*, Value*, Values*> target,
           std::string_view help);
  std::vector<FlagGroup> groups_;
};

}  // namespace biject
