#pragma once

#include <string>
#include <string_view>

namespace biject {

enum class When { automatic, always, never };

/// Opens what is missing of descriptors 0, 1 and 2, so that no file of ours takes their place. What is opened
/// fails when it is used: reading a closed stdin and writing to a closed stdout are errors, not nothing.
void open_missing_streams();

bool is_terminal(int descriptor);
/// A terminal that understands escape sequences.
bool is_capable_terminal(int descriptor);
/// Columns of the terminal there; 80 if that cannot be known.
int terminal_width(int descriptor);

/// Whether text for that descriptor is coloured: NO_COLOR, TERM=dumb and --color decide.
bool wants_color(int descriptor, When choice);

/// The text with control characters and broken UTF-8 as \n, \x1b: safe to show, whatever it is; cut after
/// `width` characters.
std::string escaped(std::string_view text, std::size_t width = std::string_view::npos);

/// Characters of something typed that a message repeats; its beginning says as much as all of it.
inline constexpr std::size_t kShownWidth = 40;

/// Characters of a UTF-8 text.
std::size_t width_of(std::string_view text);

/// Text for people, to stderr. Failure is ignored: there is nobody left to tell.
void print_to_stderr(std::string_view text);

}  // namespace biject
