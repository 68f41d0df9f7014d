#pragma once

#include <cassert>
#include <stdexcept>
#include <string>
#include <utility>

namespace biject {

/// What went wrong, as far as somebody who must repair it is concerned. The values are the exit codes of the tool.
enum class ErrorKind {
  usage = 2,     // the command line contradicts itself or the data
  data = 3,      // the CSV is not what it should be
  model = 4,     // the model file is not one of ours, damaged, or of another version
  io = 5,        // something cannot be opened, read or written
  limit = 6,     // out of memory or over a stated limit
  diverged = 7,  // training left the numbers that a computer can hold
};

/// The only exception that the library throws on purpose: for what a user can repair.
///
/// `where` is FILE, FILE:LINE or FILE:LINE:COL (empty if there is no place), `what` says what was found and what was
/// expected, `excerpt` is the offending text as it stands in the file (unescaped; whoever prints it escapes it),
/// `hint` is a next step, with a flag that can be pasted.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, std::string where, const std::string& what, std::string hint = {}, std::string excerpt = {})
      : std::runtime_error(what),
        kind_(kind),
        where_(std::move(where)),
        hint_(std::move(hint)),
        excerpt_(std::move(excerpt)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& where() const { return where_; }
  const std::string& hint() const { return hint_; }
  const std::string& excerpt() const { return excerpt_; }

 private:
  ErrorKind kind_;
  std::string where_, hint_, excerpt_;
};

}  // namespace biject

/// A mistake of the programmer (a wrong shape), not of the user.
#define BIJECT_EXPECT(condition) assert(condition)
