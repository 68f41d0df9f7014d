#include "flags.hpp"

#include <algorithm>

namespace biject {

const std::string& Flag::long_name() const {
  const auto it = std::ranges::find_if(names, [](const auto& name) { return name.starts_with("--"); });
  return it == names.end() ? names.front() : *it;
}

Flags& Flags::group(std::string_view title, bool is_brief) {
  groups_.push_back({std::string(title), is_brief, {}});
  return *this;
}

Flags& Flags::value(std::string_view names, std::string_view argument, Value& target, std::string_view help) {
  add(names, argument, &target, help);
  target.flag = groups_.back().flags.back().long_name();
  return *this;
}

Flags& Flags::values(std::string_view names, std::string_view argument, Values& target,
                     std::string_view help) {
  add(names, argument, &target, help);
  target.flag = groups_.back().flags.back().long_name();
  return *this;
}

Flags& Flags::toggle(std::string_view names, bool& target, std::string_view help) {
  add(names, {}, &target, help);
  return *this;
}

void Flags::add(std::string_view names, std::string_view argument,
                std::variant<bool*, Value*, Values*> target, std::string_view help) {
  Flag flag{{}, std::string(argument), std::string(help), target};
  while (!names.empty()) {
    const auto length = std::min(names.find(','), names.size());
    flag.names.emplace_back(names.substr(0, length));
    names.remove_prefix(std::min(length + 1, names.size()));
  }
  groups_.back().flags.push_back(std::move(flag));
}

const Flag* Flags::find(std::string_view name) const {
  for (const auto& group : groups_)
    for (const auto& flag : group.flags)
      if (std::ranges::find(flag.names, name) != flag.names.end()) return &flag;
  return nullptr;
}

std::vector<std::string> Flags::names() const {
  std::vector<std::string> result;
  for (const auto& group : groups_)
    for (const auto& flag : group.flags) result.insert(result.end(), flag.names.begin(), flag.names.end());
  return result;
}

}  // namespace biject
