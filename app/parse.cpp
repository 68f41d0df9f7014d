#include "parse.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>

#include "core/error.hpp"
#include "core/suggest.hpp"
#include "terminal.hpp"

namespace biject {
namespace {

constexpr std::string_view kEndOfFlags = "--";

bool looks_like_flag(const std::string& word) {
  return word.size() > 1 && word[0] == '-';
}

Error usage(const std::string& what, const std::string& hint) {
  return {ErrorKind::usage, "", what, hint};
}

/// Whether the word after this one is its value: "--threads 4", "-j 4", "-qj 4", but not "-j4" nor
/// "--threads=4".
bool expects_value(const std::string& word, const Flags& flags) {
  const bool is_bundle = !word.starts_with("--") && word.size() > 2;
  const Flag* flag = flags.find(is_bundle ? std::string{'-', word.back()} : word);
  return flag && flag->takes_value();
}

/// What CLI11 reads otherwise than its user meant: the next word for the value of "--output=", and
/// "--quiet=3" for yes.
void check_equals_signs(const Words& words, const Flags& flags) {
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (!word.starts_with("--") || equals == word.npos) continue;
    const auto name = word.substr(0, equals);
    const Flag* flag = flags.find(name);
    if (flag && !flag->takes_value())
      throw usage(fmt::format("{} takes no value", name), "leave out the = sign");
    if (equals + 1 == word.size())
      throw usage(fmt::format("'{}' is followed by nothing", word),
                  "write the value right behind the = sign");
  }
}

void reject_unknown(const Words& unknown, const Flags& flags, const std::string& help) {
  if (unknown.empty()) return;
  const auto name = unknown.front().substr(0, unknown.front().find('='));
  const auto candidates = flags.names();
  const bool is_letter = name.size() <= 2;  // one letter is near to every other
  auto hint = is_letter ? "" : did_you_mean(name, candidates);
  if (hint.empty()) hint = help + " lists the flags; those of a command stand behind it";
  throw usage(fmt::format("unknown flag '{}'", escaped(name, kShownWidth)), hint);
}

void check_value(const Flag& flag, const std::vector<std::string>& given, const Flags& flags,
                 const std::string& help) {
  if (given.size() > 1 && !flag.is_repeatable())
    throw usage(flag.long_name() + " is given twice", "keep one of them");
  for (const auto& text : given)
    if (flags.find(text))  // a file of that name can be written ./-q
      throw usage(fmt::format("{} needs a value, but the flag '{}' follows", flag.long_name(), text),
                  help + " explains it");
}

}  // namespace

CommandLine split_at_command(const Words& words, const Flags& global) {
  for (auto it = words.begin(); it != words.end() && *it != kEndOfFlags; ++it) {
    if (!looks_like_flag(*it)) return {{words.begin(), it}, *it, {std::next(it), words.end()}};
    if (expects_value(*it, global) && std::next(it) != words.end()) ++it;
  }
  return {words, {}, {}};
}

Words parse(const Flags& flags, Words words, const std::string& command) {
  const auto help = fmt::format("biject {}{}--help", command, command.empty() ? "" : " ");
  // CLI11 knows `--` too, but not behind a file.
  const auto end_of_flags = std::ranges::find(words, kEndOfFlags);
  Words behind;
  if (end_of_flags != words.end()) {
    behind.assign(std::next(end_of_flags), words.end());
    words.erase(end_of_flags, words.end());
  }
  check_equals_signs(words, flags);

  CLI::App app;
  app.set_help_flag();  // help is a flag like others
  app.allow_extras();   // unknown flags get a suggestion of ours
  Words files;
  app.add_option("files", files);
  struct Parsed {
    const Flag* flag;
    CLI::Option* option;
  };
  std::vector<Parsed> options;
  for (const auto& group : flags.groups())
    for (const auto& flag : group.flags) {
      const auto names = fmt::format("{}", fmt::join(flag.names, ","));
      CLI::Option* option = nullptr;
      if (flag.takes_value())
        option = app.add_option(names, [](const CLI::results_t&) { return true; })
                     ->type_size(1)
                     ->expected(1)
                     ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      else
        option = app.add_flag(names, *std::get<bool*>(flag.target));
      options.push_back({&flag, option});
    }

  std::string complaint;
  try {
    app.parse(Words(words.rbegin(), words.rend()));  // CLI11 wants them backwards
  } catch (const CLI::ArgumentMismatch&) {
    const auto it = std::ranges::find_if(options, [&](const Parsed& p) {
      return p.flag->takes_value() && !words.empty() &&
             std::ranges::find(p.flag->names, words.back()) != p.flag->names.end();
    });
    complaint = it != options.end() ? it->flag->long_name() + " needs a value" : "a flag lacks its value";
  } catch (const CLI::ParseError& error) {
    complaint = error.what();
  }
  for (const auto& [flag, option] : options)
    if (flag->takes_value() && option->count()) {
      if (flag->is_repeatable())
        std::get<Values*>(flag->target)->texts = option->results();
      else
        std::get<Value*>(flag->target)->text = option->results().back();
    }
  for (const auto& [flag, option] : options)
    if (flag->takes_value()) check_value(*flag, option->results(), flags, help);
  reject_unknown(app.remaining(), flags, help);
  if (!complaint.empty()) throw usage(complaint, help + " explains it");

  files.insert(files.end(), behind.begin(), behind.end());
  if (std::ranges::find(files, "") != files.end())
    throw usage("an empty file name", "use - for standard input");
  return files;
}

}  // namespace biject
