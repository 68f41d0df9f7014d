#pragma once

#include <memory>
#include <type_traits>

namespace biject {

/// A fixed set of workers. run() returns when body(task) was called for every task in [0, tasks); which thread calls which
/// is undefined, so a result must not depend on it. Nothing is allocated in run(). The first exception of a body is
/// thrown again by run(), after all have returned.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // 0: one per core. Fewer if the system refuses more
  ~ThreadPool();
  int threads() const;

  using Body = void (*)(void* closure, int task);
  template <class F> void run(int tasks, F&& body) {
    run_erased(tasks, [](void* closure, int task) { (*static_cast<std::remove_reference_t<F>*>(closure))(task); }, &body);
  }

 private:
  void run_erased(int tasks, Body body, void* closure);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace biject
