#pragma once

#include <algorithm>

#include "core/arena.hpp"
#include "core/error.hpp"
#include "core/types.hpp"

namespace biject {

/// A handle to n × cols numbers of scratch, n being the rows of the shard at hand.
struct ScratchSlot {
  Index column = 0, cols = 0;
  bool is_temporary = false;
};

/// What the layers of a flow need besides parameters, filled by their constructors.
///
/// `keep` lives from a forward to the backward that follows. `temporary` lives during one call only, so that layers
/// share the same memory: whatever is reserved inside a TemporaryScope is free again after it.
class ScratchLayout {
 public:
  ScratchSlot keep(Index cols) { return take(kept_, cols, false); }
  ScratchSlot temporary(Index cols) {
    const ScratchSlot slot = take(temporary_, cols, true);
    most_temporary_ = std::max(most_temporary_, temporary_);
    return slot;
  }
  Slot fixed(Index rows, Index cols) { return fixed_.add("", rows, cols); }  // size independent of n

  Index kept() const { return kept_; }
  Index most_temporary() const { return most_temporary_; }
  const Layout& fixed() const { return fixed_; }

 private:
  friend class TemporaryScope;
  static ScratchSlot take(Index& end, Index cols, bool is_temporary) {
    const ScratchSlot slot{end, cols, is_temporary};
    end += cols;
    return slot;
  }
  Index kept_ = 0, temporary_ = 0, most_temporary_ = 0;
  Layout fixed_;
};

/// Gives back, at its end, the temporaries that were reserved since its beginning.
class TemporaryScope {
 public:
  explicit TemporaryScope(ScratchLayout& layout) : layout_(layout), begin_(layout.temporary_) {}
  ~TemporaryScope() { layout_.temporary_ = begin_; }
  TemporaryScope(const TemporaryScope&) = delete;
  TemporaryScope& operator=(const TemporaryScope&) = delete;

 private:
  ScratchLayout& layout_;
  Index begin_;
};

/// Scratch for up to `capacity` rows. One per thread or lane; nothing in it outlives a forward-backward pair.
template <class S> class Workspace {
 public:
  using View = Eigen::Map<Matrix<S>, Eigen::AlignedMax>;

  Workspace(const ScratchLayout& layout, Index capacity)
      : capacity_((capacity + 15) / 16 * 16),
        kept_(layout.kept() * capacity_),
        temporary_(layout.most_temporary() * capacity_),
        fixed_(layout.fixed()),
        rows_(capacity) {}

  Index capacity() const { return capacity_; }
  Index rows() const { return rows_; }
  void set_rows(Index rows) {  // never allocates
    BIJECT_EXPECT(rows <= capacity_);
    rows_ = rows;
  }

  View operator[](const ScratchSlot& slot) {
    S* block = slot.is_temporary ? temporary_.data() : kept_.data();
    return View(block + slot.column * capacity_, rows_, slot.cols);
  }
  typename Arena<S>::View operator[](const Slot& slot) { return fixed_[slot]; }

 private:
  Index capacity_;
  AlignedBlock<S> kept_, temporary_;
  Arena<S> fixed_;
  Index rows_;
};

}  // namespace biject
