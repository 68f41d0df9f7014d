#include "laws/allocations.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <vector>

// The test binary's own malloc counts and hands on to the one of the C library.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)

namespace {
thread_local long count = 0;
}

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_calloc(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  ++count;
  return __libc_malloc(size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++count;
  return __libc_memalign(alignment, size);
}
void* realloc(void* block, std::size_t size) {
  ++count;
  return __libc_realloc(block, size);
}
void* calloc(std::size_t number, std::size_t size) {
  ++count;
  return __libc_calloc(number, size);
}
}

long allocations_so_far() { return count; }
bool can_watch_allocations() { return true; }

#else

long allocations_so_far() { return 0; }
bool can_watch_allocations() { return false; }

#endif

TEST_CASE("the watch on the allocator sees an allocation") {
  if (!can_watch_allocations()) return;
  const long before = allocations_so_far();
  const auto block = std::make_unique<std::vector<int>>(1000, 1);
  CHECK(block->front() == 1);
  CHECK(allocations_so_far() >= before + 2);
}
