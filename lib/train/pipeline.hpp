#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "train/thread_pool.hpp"

namespace biject {

/// A stream of chunks that goes through three stages on all threads of a pool, in memory for a few chunks:
///
///   int take(chunk)              fills the next chunk; returns in how many parts it can be worked on, 0 at the end
///   work(lane, chunk, part)      any parts at once; a lane (below the threads of the pool) is never in two of them
///   give(chunk)                  hands on what has become of it
///
/// take and give have one chunk after the other, in order, on whichever thread; so what is given does not depend on the
/// threads. With one thread, or room for one chunk, a chunk is given before the next is taken.
///
/// The first exception, in the order of the stream, is thrown again once all chunks before it have been given; nothing
/// is given after it. Chunks are used again and again: take begins by clearing.
template <class Chunk> class Pipeline {
 public:
  Pipeline(ThreadPool& pool, std::vector<Chunk> chunks) : pool_(pool) {
    for (Chunk& chunk : chunks) slots_.emplace_back(std::move(chunk));
  }

  /// Chunks that keep all threads of a pool busy: one that is taken, one that is worked on, one that is given.
  static int depth(const ThreadPool& pool) { return pool.threads() > 1 ? 3 : 1; }

  template <class Take, class Work, class Give> void run(Take&& take, Work&& work, Give&& give) {
    pool_.run(pool_.threads(), [&](int lane) { attend(lane, take, work, give); });
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  struct Slot {
    explicit Slot(Chunk&& contents) : chunk(std::move(contents)) {}
    Chunk chunk;
    int parts = 0, begun = 0, ended = 0;
    int failed_part = 0;
    std::exception_ptr failure;  // of the first part that has one, or of take
  };

  Slot& slot(std::uint64_t number) { return slots_[number % slots_.size()]; }
  bool can_give() { return !is_giving_ && given_ < taken_ && slot(given_).ended == slot(given_).parts; }
  bool can_take() const { return !is_taking_ && !is_over_ && taken_ - given_ < slots_.size(); }
  Slot* slot_with_work() {
    for (std::uint64_t i = given_; i < taken_; ++i) {
      if (slot(i).begun < slot(i).parts) return &slot(i);
    }
    return nullptr;
  }

  /// What one thread does until the stream is over: whatever is due, the end of the stream first.
  template <class Take, class Work, class Give> void attend(int lane, Take& take, Work& work, Give& give) {
    std::unique_lock lock(mutex_);
    const auto unlocked = [&](auto&& action) {
      lock.unlock();
      std::exception_ptr failure;
      try {
        action();
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      return failure;
    };
    while (!failure_ && !(is_over_ && !is_taking_ && given_ == taken_)) {
      if (can_give()) {
        Slot& oldest = slot(given_);
        is_giving_ = true;
        failure_ = oldest.failure ? oldest.failure : unlocked([&] { give(oldest.chunk); });
        is_giving_ = false;
        ++given_;
      } else if (can_take()) {
        Slot& next = slot(taken_);
        int parts = 0;
        is_taking_ = true;
        next.failure = unlocked([&] { parts = take(next.chunk); });
        is_taking_ = false;
        next.parts = parts;
        next.begun = next.ended = 0;
        if (parts > 0 || next.failure) ++taken_;
        if (parts == 0) is_over_ = true;
      } else if (Slot* busy = slot_with_work()) {
        const int part = busy->begun++;
        const std::exception_ptr failure = unlocked([&] { work(lane, busy->chunk, part); });
        if (failure && (!busy->failure || part < busy->failed_part)) {
          busy->failure = failure;
          busy->failed_part = part;
        }
        if (failure) is_over_ = true;
        if (++busy->ended < busy->parts) continue;  // news for nobody
      } else {
        changed_.wait(lock);
        continue;
      }
      changed_.notify_all();
    }
  }

  ThreadPool& pool_;
  std::vector<Slot> slots_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t taken_ = 0, given_ = 0;  // chunks
  bool is_taking_ = false, is_giving_ = false;
  bool is_over_ = false;  // nothing more is to be taken
  std::exception_ptr failure_;
};

}  // namespace biject
