#include "train/pipeline.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace biject;

namespace {

struct Chunk {
  int number = 0;
  std::vector<int> parts;
};

/// Chunks 0 … 49 of 1 to 5 parts, with what each stage does besides.
struct Stream {
  int chunks = 50, taken = 0;
  std::vector<int> given;
  std::atomic<int> takers = 0, givers = 0;
  std::atomic<bool> overlapped = false;

  template <class Take, class Work, class Give>
  void run(int threads, int depth, const Take& on_take, const Work& on_work, const Give& on_give) {
    ThreadPool pool(threads);
    Pipeline<Chunk> pipeline(pool, std::vector<Chunk>(static_cast<std::size_t>(depth)));
    pipeline.run(
        [&](Chunk& chunk) {
          if (++takers != 1) overlapped = true;
          chunk.number = taken;
          chunk.parts.assign(taken < chunks ? static_cast<std::size_t>(1 + taken % 5) : 0, -1);
          on_take(taken);
          if (taken < chunks) ++taken;
          --takers;
          return static_cast<int>(chunk.parts.size());
        },
        [&](int lane, Chunk& chunk, int part) {
          on_work(lane, chunk.number, part);
          chunk.parts[static_cast<std::size_t>(part)] = 10 * chunk.number + part;
        },
        [&](const Chunk& chunk) {
          if (++givers != 1) overlapped = true;
          on_give(chunk.number);
          for (const int part : chunk.parts) given.push_back(part);
          --givers;
        });
  }
};

constexpr auto kNothing = [](auto...) {};

std::vector<int> parts_before(int chunks) {
  std::vector<int> parts;
  for (int chunk = 0; chunk < chunks; ++chunk) {
    for (int part = 0; part <= chunk % 5; ++part) parts.push_back(10 * chunk + part);
  }
  return parts;
}

}  // namespace

TEST_CASE("a pipeline gives everything once and in order, whatever the threads and their speed") {
  for (const int threads : {1, 2, 3, 8}) {
    for (const int depth : {1, 2, 3, 5}) {
      CAPTURE(threads);
      CAPTURE(depth);
      std::vector<std::atomic<int>> users(static_cast<std::size_t>(threads));
      std::atomic<bool> is_shared = false;
      Stream stream;
      stream.run(
          threads, depth, kNothing,
          [&](int lane, int chunk, int part) {
            auto& user = users[static_cast<std::size_t>(lane)];
            if (++user != 1) is_shared = true;
            std::this_thread::sleep_for(std::chrono::microseconds((chunk * 7 + part * 13) % 40));
            --user;
          },
          kNothing);
      CHECK(stream.given == parts_before(50));
      CHECK(!stream.overlapped);
      CHECK(!is_shared);
    }
  }
}

TEST_CASE("a pipeline works on several parts and chunks at once") {
  std::atomic<int> waiting = 0;
  Stream stream;
  stream.chunks = 2;  // of 1 and 2 parts: all three must be worked on before any of them ends
  stream.run(3, 3, kNothing,
             [&](int, int, int) {
               ++waiting;
               while (waiting < 3) std::this_thread::yield();
             },
             kNothing);
  CHECK(stream.given == parts_before(2));
}

TEST_CASE("one thread, or room for one chunk: given before the next is taken") {
  for (const auto& [threads, depth] : {std::pair{1, Pipeline<Chunk>::depth(ThreadPool(1))}, std::pair{4, 1}}) {
    Stream stream;
    int given = 0;
    bool is_late = false;
    stream.run(threads, depth, [&](int taken) { is_late |= given != taken; }, kNothing, [&](int) { ++given; });
    CHECK(!is_late);
    CHECK(given == 50);
  }
}

TEST_CASE("the first failure of a stream is thrown after everything before it was given") {
  for (const int threads : {1, 2, 3, 8}) {
    CAPTURE(threads);
    const auto message = [&](Stream& stream, const auto& take, const auto& work, const auto& give) {
      try {
        stream.run(threads, threads > 1 ? 3 : 1, take, work, give);
      } catch (const std::runtime_error& error) {
        return std::string(error.what());
      }
      return std::string();
    };
    Stream take, work, give;
    CHECK(message(take, [](int chunk) { if (chunk == 13) throw std::runtime_error("taking"); }, kNothing, kNothing) == "taking");
    CHECK(take.given == parts_before(13));

    const auto fail = [](int, int chunk, int part) {  // those behind the first fail sooner
      if (chunk < 23 || part < 1) return;
      std::this_thread::sleep_for(std::chrono::microseconds(chunk == 23 && part == 1 ? 500 : 0));
      throw std::runtime_error("working on " + std::to_string(10 * chunk + part));
    };
    CHECK(message(work, kNothing, fail, kNothing) == "working on 231");
    CHECK(work.given == parts_before(23));

    CHECK(message(give, kNothing, kNothing, [](int chunk) { if (chunk == 33) throw std::runtime_error("giving"); }) == "giving");
    CHECK(give.given == parts_before(33));
  }
}

TEST_CASE("an empty stream ends") {
  for (const int threads : {1, 3}) {
    Stream stream;
    stream.chunks = 0;
    stream.run(threads, 3, kNothing, kNothing, kNothing);
    CHECK(stream.given.empty());
  }
}
