#include "train/thread_pool.hpp"

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace biject {

namespace {

/// std::barrier, but who waits looks for a while whether the others are there, and lets other threads run in between, before it goes to
/// sleep. A training step passes half a dozen barriers within a millisecond, and to be woken takes longer than what the threads
/// wait for one another.
class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}

  void arrive_and_wait() {
    constexpr int kLooks = 200;
    const unsigned round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      round_.notify_all();
      return;
    }
    for (int i = 0; i < kLooks; ++i) {
      if (round_.load(std::memory_order_acquire) != round) return;
      std::this_thread::yield();
    }
    round_.wait(round, std::memory_order_acquire);
  }

 private:
  int threads_;
  std::atomic<int> arrived_ = 0;
  std::atomic<unsigned> round_ = 0;
};

}  // namespace

struct ThreadPool::State {
  std::vector<std::jthread> workers;            // the caller of run() works too
  std::optional<Barrier> barrier;               // of all workers and the caller
  std::atomic<bool> is_ready = false;           // the barrier is there
  Body body = nullptr;                          // null at the start of a round: go home
  void* closure = nullptr;
  /// The tasks that a thread begins with: the same ones in every round of as many, as what they work on may be in its cache.
  struct alignas(64) Share {
    std::atomic<int> next = 0;
    int end = 0;
  };
  std::vector<Share> shares;                    // of each worker, and of the caller at the end
  std::atomic<bool> has_failed = false;
  std::exception_ptr failure;

  void divide(int tasks) {
    const int count = static_cast<int>(shares.size());
    for (int i = 0; i < count; ++i) {
      Share& share = shares[static_cast<std::size_t>(i)];
      share.next = static_cast<int>(std::int64_t{tasks} * i / count);
      share.end = static_cast<int>(std::int64_t{tasks} * (i + 1) / count);
    }
  }

  /// Its own share, then what others have left of theirs.
  void take_tasks(std::size_t thread) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      Share& share = shares[(thread + i) % shares.size()];
      for (int task = share.next.fetch_add(1); task < share.end; task = share.next.fetch_add(1)) {
        try {
          body(closure, task);
        } catch (...) {
          if (!has_failed.exchange(true)) failure = std::current_exception();
        }
      }
    }
  }

  void work(std::size_t thread) {
    is_ready.wait(false);
    while (true) {
      barrier->arrive_and_wait();
      if (body == nullptr) return;
      take_tasks(thread);
      barrier->arrive_and_wait();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads <= 0) threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  try {
    for (int i = 1; i < threads; ++i) {
      state_->workers.emplace_back([state = state_.get(), thread = state_->workers.size()] { state->work(thread); });
    }
  } catch (const std::system_error&) {
    // The system gives no more threads; results are the same with those we have.
  }
  state_->shares = std::vector<State::Share>(state_->workers.size() + 1);
  state_->barrier.emplace(static_cast<int>(state_->workers.size()) + 1);
  state_->is_ready = true;
  state_->is_ready.notify_all();
}

ThreadPool::~ThreadPool() {
  state_->body = nullptr;
  if (!state_->workers.empty()) state_->barrier->arrive_and_wait();
}

int ThreadPool::threads() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::run_erased(int tasks, Body body, void* closure) {
  state_->body = body;
  state_->closure = closure;
  state_->divide(tasks);
  if (!state_->workers.empty()) state_->barrier->arrive_and_wait();
  state_->take_tasks(state_->workers.size());
  if (!state_->workers.empty()) state_->barrier->arrive_and_wait();
  if (state_->has_failed.exchange(false)) std::rethrow_exception(std::exchange(state_->failure, nullptr));
}

}  // namespace biject
