#pragma once

namespace biject {

/// From now on SIGINT, SIGTERM and SIGHUP still end the process, but remove the temporary files first.
void remove_temporaries_when_killed();

/// While it lives, the first SIGINT, SIGTERM or SIGHUP is only remembered, for a loop that polls. The second
/// one ends the process at once.
class PoliteStop {
 public:
  PoliteStop();
  ~PoliteStop();
  PoliteStop(const PoliteStop&) = delete;
  PoliteStop& operator=(const PoliteStop&) = delete;

  /// The signal that came, or 0.
  static int signal();
};

}  // namespace biject
