#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <memory>
#include <new>
#include <span>

#include "core/layout.hpp"
#include "core/types.hpp"

namespace biject {

/// A cache-line aligned array of numbers, zero at the start; the memory under Arena and Workspace. Large ones ask for large pages, where
/// these are whole: a step of training passes through more small ones than the processor remembers places of.
template <class S> class AlignedBlock {
 public:
  AlignedBlock() = default;
  explicit AlignedBlock(Index size) : size_(size) {
    const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(S), in_large_pages = bytes / kLargePage * kLargePage;
    const std::align_val_t alignment{in_large_pages > 0 ? kLargePage : static_cast<std::size_t>(kAlignment)};
    data_ = {static_cast<S*>(::operator new(bytes, alignment)), Free{alignment}};
#if defined(MADV_HUGEPAGE)
    if (in_large_pages > 0) ::madvise(data_.get(), in_large_pages, MADV_HUGEPAGE);  // advice: without it all goes on as well
#endif
    std::fill_n(data_.get(), size, S(0));
  }
  AlignedBlock(const AlignedBlock& other) : AlignedBlock(other.size_) {
    std::copy_n(other.data_.get(), size_, data_.get());
  }
  AlignedBlock& operator=(const AlignedBlock& other) {
    if (size_ != other.size_) return *this = AlignedBlock(other);
    std::copy_n(other.data_.get(), size_, data_.get());
    return *this;
  }
  AlignedBlock(AlignedBlock&&) noexcept = default;
  AlignedBlock& operator=(AlignedBlock&&) noexcept = default;

  S* data() const { return data_.get(); }
  Index size() const { return size_; }

 private:
  static constexpr std::size_t kLargePage = std::size_t{2} << 20;
  struct Free {
    std::align_val_t alignment{static_cast<std::size_t>(kAlignment)};
    void operator()(S* block) const { ::operator delete(block, alignment); }
  };
  Index size_ = 0;
  std::unique_ptr<S, Free> data_;
};

/// One block of numbers seen through a Layout. Parameters, their gradient, Adam's moments, an average and the best so
/// far are all arenas of one layout. A copy is a copy of the numbers. The gaps between tensors are zero and stay zero.
template <class S> class Arena {
 public:
  using View = Eigen::Map<Matrix<S>, Eigen::AlignedMax>;
  using ConstView = Eigen::Map<const Matrix<S>, Eigen::AlignedMax>;

  Arena() = default;
  explicit Arena(Index size) : block_(size) {}
  explicit Arena(const Layout& layout) : Arena(layout.size()) {}

  View operator[](const Slot& slot) { return View(block_.data() + slot.offset, slot.rows, slot.cols); }
  ConstView operator[](const Slot& slot) const {
    return ConstView(block_.data() + slot.offset, slot.rows, slot.cols);
  }
  std::span<S> flat() { return {block_.data(), static_cast<std::size_t>(block_.size())}; }
  std::span<const S> flat() const { return {block_.data(), static_cast<std::size_t>(block_.size())}; }

  void set_zero() { std::ranges::fill(flat(), S(0)); }
  template <class T> Arena<T> cast() const {
    Arena<T> result(block_.size());
    std::ranges::transform(flat(), result.flat().begin(), [](S value) { return static_cast<T>(value); });
    return result;
  }

 private:
  AlignedBlock<S> block_;
};

}  // namespace biject
