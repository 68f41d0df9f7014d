#pragma once

#include <fmt/format.h>

#include <string>

/// What a law says of its subject: empty if it holds, else what was seen. Laws return it instead of asserting, so that the same
/// law can be shown to catch a planted fault.
struct Verdict {
  std::string complaint;
  bool holds() const { return complaint.empty(); }
};

inline Verdict holds() { return {}; }

template <class... Args> Verdict broken(fmt::format_string<Args...> format, Args&&... args) {
  return {fmt::format(format, std::forward<Args>(args)...)};
}

/// CHECK of a verdict, with its complaint as the message.
#define CHECK_LAW(verdict)                    \
  do {                                        \
    const Verdict verdict_ = (verdict);       \
    CHECK_MESSAGE(verdict_.holds(), verdict_.complaint); \
  } while (false)
