#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/temporary_folder.hpp"

/// Runs the real binary as a user's shell would.
///
///   auto result = biject_run("score", model, "-").input("x,y\n1,2\n").run();
///   CHECK(result.status == 0);
///
///   auto fit = biject_run("fit", csv, "-o", model).start();       // a live process
///   fit.until([](const Result& r) { return r.err.find("epoch 3") != std::string::npos; });
///   fit.send(SIGINT);
///   CHECK(fit.wait().status == 130);
namespace biject::cli {

inline constexpr double kTimeout = 60;  // seconds; generous, for sanitizers on a busy machine

struct Result {
  int status = -1;         // exit code, -1 if a signal ended it
  int signal = 0;          // the signal that ended it, or 0
  bool timed_out = false;  // it was killed because it took too long
  std::string out, err;    // what it wrote and where that was not redirected
  double peak_bytes = 0;   // of memory, the most that was resident
};

inline std::ostream& operator<<(std::ostream& to, const Result& r) {
  return to << "status " << r.status << ", signal " << r.signal << (r.timed_out ? ", timed out" : "")
            << "\n--- stdout\n"
            << r.out << "\n--- stderr\n"
            << r.err;
}

/// A running process, its three streams and the time it has left.
class Process {
 public:
  Process(Process&& other) noexcept { *this = std::move(other); }
  Process& operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(input_fd_, other.input_fd_);
    std::swap(output_fds_, other.output_fds_);
    std::swap(pending_, other.pending_);
    std::swap(keeps_input_open_, other.keeps_input_open_);
    std::swap(deadline_, other.deadline_);
    std::swap(result_, other.result_);
    return *this;
  }
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }

  void send(int signal) { ::kill(pid_, signal); }
  /// More text for its stdin; for processes that were started with keep_input_open().
  void write(std::string_view text) { pending_ += text; }
  void close_input() { keeps_input_open_ = false; }
  void close_output() { close_descriptor(output_fds_[0]); }  // as `head` does when it has seen enough
  const Result& so_far() const { return result_; }
  pid_t pid() const { return pid_; }

  /// Passes text in both directions until the condition holds; false if the process or its time ended first.
  bool until(const std::function<bool(const Result&)>& condition) {
    while (!condition(result_)) {
      if (output_fds_[0] < 0 && output_fds_[1] < 0) return false;
      if (!pump()) return false;
    }
    return true;
  }

  Result wait() {
    if (pid_ <= 0) return result_;
    keeps_input_open_ = false;
    until([](const Result&) { return false; });
    int status = 0;
    rusage usage{};
    while (::wait4(pid_, &status, WNOHANG, &usage) == 0) {  // it may have closed its streams and go on
      if (seconds_left() <= 0) {
        result_.timed_out = true;
        ::kill(pid_, SIGKILL);
      }
      ::usleep(1000);
    }
    pid_ = -1;
    for (int* fd : {&input_fd_, &output_fds_[0], &output_fds_[1]}) close_descriptor(*fd);
    result_.peak_bytes = 1024. * static_cast<double>(usage.ru_maxrss);
    result_.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return result_;
  }

 private:
  friend class Run;
  Process() = default;

  using Clock = std::chrono::steady_clock;
  double seconds_left() const { return std::chrono::duration<double>(deadline_ - Clock::now()).count(); }
  static void close_descriptor(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }

  bool pump() {
    // A terminal whose other end is closed is none any more.
    if (pending_.empty() && !keeps_input_open_ && !::isatty(input_fd_)) close_descriptor(input_fd_);
    std::array<pollfd, 3> polled{{{pending_.empty() ? -1 : input_fd_, POLLOUT, 0},
                                  {output_fds_[0], POLLIN, 0},
                                  {output_fds_[1], POLLIN, 0}}};
    if (seconds_left() <= 0) {
      result_.timed_out = true;
      ::kill(pid_, SIGKILL);
      return false;
    }
    ::poll(polled.data(), polled.size(), 20);
    if (polled[0].revents) {
      const auto written = ::write(input_fd_, pending_.data(), pending_.size());
      if (written > 0) pending_.erase(0, static_cast<std::size_t>(written));
      if (written < 0 && errno != EAGAIN) {  // it does not read to the end
        pending_.clear();
        keeps_input_open_ = false;
      }
    }
    for (std::size_t i : {0u, 1u}) {
      if (!polled[i + 1].revents) continue;
      char buffer[65536];
      const auto count = ::read(output_fds_[i], buffer, sizeof buffer);
      if (count > 0) (i == 0 ? result_.out : result_.err).append(buffer, static_cast<std::size_t>(count));
      if (count <= 0) close_descriptor(output_fds_[i]);  // 0 for a pipe, EIO for a terminal
    }
    return true;
  }

  pid_t pid_ = -1;
  int input_fd_ = -1;
  std::array<int, 2> output_fds_{-1, -1};
  std::string pending_;
  bool keeps_input_open_ = false;
  Clock::time_point deadline_;
  Result result_;
};

/// A command line and its surroundings.
class Run {
 public:
  explicit Run(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
    environment_["TERM"] = "xterm";
    for (const char* name : {"NO_COLOR", "COLUMNS", "LC_ALL", "LC_NUMERIC", "LANG"}) environment_[name] = "";
  }

  /// Another executable than the one that was built.
  Run& program(std::string path) { return program_ = std::move(path), *this; }
  Run& arg(std::string text) { return arguments_.push_back(std::move(text)), *this; }
  Run& input(std::string text) { return input_ = std::move(text), *this; }
  Run& keep_input_open() { return keeps_input_open_ = true, *this; }
  Run& env(const std::string& name, std::string value) {
    return environment_[name] = std::move(value), *this;
  }
  Run& in(std::string folder) { return folder_ = std::move(folder), *this; }
  Run& timeout(double seconds) { return seconds_ = seconds, *this; }
  /// Opens descriptor 0, 1 or 2 on a file or device, such as /dev/full; a plain file is created.
  Run& redirect(int descriptor, std::string path) { return paths_[descriptor] = std::move(path), *this; }
  Run& close(int descriptor) { return paths_[descriptor] = kClosed, *this; }
  /// Puts a terminal at descriptor 0, 1 or 2. What is written to it is captured as from a pipe.
  Run& terminal(int descriptor) { return paths_[descriptor] = kTerminal, *this; }

  Result run() { return start().wait(); }

  Process start() {
    ::signal(SIGPIPE, SIG_IGN);  // for our own writes; the child gets the default back
    Process process;
    std::array<int, 3> child{-1, -1, -1};
    for (int descriptor : {0, 1, 2}) {
      auto [ours, theirs] = open_stream(descriptor);
      child[descriptor] = theirs;
      (descriptor == 0 ? process.input_fd_ : process.output_fds_[descriptor - 1]) = ours;
    }
    process.pending_ = process.input_fd_ >= 0 ? input_ : "";
    process.keeps_input_open_ = keeps_input_open_ || paths_[0] == kTerminal;
    process.deadline_ = Process::Clock::now() + std::chrono::duration_cast<Process::Clock::duration>(
                                                    std::chrono::duration<double>(seconds_));
    process.pid_ = spawn(child);
    for (int fd : child)
      if (fd >= 0) ::close(fd);
    return process;
  }

 private:
  static constexpr const char* kClosed = "\nclosed";
  static constexpr const char* kTerminal = "\nterminal";

  std::pair<int, int> open_stream(int descriptor) const {
    const std::string& path = paths_[descriptor];
    if (path == kClosed) return {-1, -1};
    if (path == kTerminal) {
      const int ours = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
      ::grantpt(ours);
      ::unlockpt(ours);
      const int theirs = ::open(::ptsname(ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
      termios mode{};
      ::tcgetattr(theirs, &mode);
      ::cfmakeraw(&mode);  // what it writes arrives as it is, without \r before every \n
      ::tcsetattr(theirs, TCSANOW, &mode);
      return {ours, theirs};
    }
    if (!path.empty()) {
      const int theirs = ::open(path.c_str(), (descriptor ? O_WRONLY | O_CREAT : O_RDONLY) | O_CLOEXEC, 0644);
      if (theirs < 0) throw std::runtime_error("cannot open " + path);
      return {-1, theirs};
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC)) throw std::runtime_error("pipe2 failed");
    const int ours = ends[descriptor == 0], theirs = ends[descriptor != 0];
    if (descriptor == 0) ::fcntl(ours, F_SETFL, O_NONBLOCK);
    return {ours, theirs};
  }

  /// Everything that allocates happens before the fork: other threads of the tests may hold the allocator's
  /// lock.
  pid_t spawn(const std::array<int, 3>& streams) const {
    std::vector<std::string> words{program_};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    std::vector<std::string> variables;
    for (char** variable = environ; *variable; ++variable) {
      const std::string text = *variable;
      if (!environment_.contains(text.substr(0, text.find('=')))) variables.push_back(text);
    }
    for (const auto& [name, value] : environment_)
      if (!value.empty()) variables.push_back(name + "=" + value);
    auto argv = pointers(words), envp = pointers(variables);

    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("fork failed");
    if (pid > 0) return pid;
    // What runs the tests may ignore these, as a shell does for SIGINT in a background job.
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
    if (!folder_.empty() && ::chdir(folder_.c_str())) ::_exit(126);
    for (int descriptor : {0, 1, 2})
      streams[descriptor] < 0 ? ::close(descriptor) : ::dup2(streams[descriptor], descriptor);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }

  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
  }

  std::string program_ = BIJECT_BINARY;
  std::vector<std::string> arguments_;
  std::map<std::string, std::string> environment_;  // an empty value: not set
  std::array<std::string, 3> paths_;                // empty: a pipe to us
  std::string input_, folder_;
  bool keeps_input_open_ = false;
  double seconds_ = kTimeout;
};

template <class... Arguments>
Run biject_run(const Arguments&... arguments) {
  return Run(std::vector<std::string>{std::string(arguments)...});
}

}  // namespace biject::cli
