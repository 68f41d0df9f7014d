#pragma once

#include <string>

#include "command.hpp"

namespace biject {

/// A dozen lines for somebody who typed nothing but the name.
std::string introduction();

/// Of the tool.
std::string short_help();
std::string long_help();

/// Of a command: a screen, or everything.
std::string short_help(const CommandRow& row);
std::string long_help(const CommandRow& row);

/// For a command that got nothing to work on: its short help on stderr and exit code 2.
int explain(const CommandRow& row);

}  // namespace biject
