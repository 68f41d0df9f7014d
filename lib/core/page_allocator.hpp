#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace biject {

/// For large arrays that come and go: every array has pages of its own, which the system has back as soon as it is freed.
/// malloc keeps what it thinks will be wanted again.
template <class T> struct PageAllocator {
  using value_type = T;
  PageAllocator() = default;
  template <class U> PageAllocator(const PageAllocator<U>&) {}

  T* allocate(std::size_t count) {
    void* pages = ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    return static_cast<T*>(pages);
  }
  void deallocate(T* pages, std::size_t count) noexcept { ::munmap(pages, count * sizeof(T)); }
  template <class U> bool operator==(const PageAllocator<U>&) const { return true; }
};

}  // namespace biject
