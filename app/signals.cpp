#include "signals.hpp"

#include <atomic>
#include <csignal>

#include "core/atomic_file.hpp"

namespace biject {
namespace {

std::atomic<bool> g_is_polite = false;
std::atomic<int> g_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch it");

void handle(int signal) {
  if (g_is_polite && g_signal.exchange(signal) == 0) return;
  remove_temporaries_in_signal_handler();
  // Dying of the signal itself tells the shell that it was a signal. It is blocked until this function
  // returns.
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

void remove_temporaries_when_killed() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old {};
    ::sigaction(signal, nullptr, &old);
    if (old.sa_handler == SIG_IGN) continue;  // nohup
    struct sigaction action {};
    action.sa_handler = handle;
    action.sa_flags = SA_RESTART;  // writing the model must not fail because somebody is impatient
    ::sigaction(signal, &action, nullptr);
  }
}

PoliteStop::PoliteStop() {
  g_signal = 0;
  g_is_polite = true;
  remove_temporaries_when_killed();
}

PoliteStop::~PoliteStop() {
  g_is_polite = false;
}

int PoliteStop::signal() {
  return g_signal;
}

}  // namespace biject
