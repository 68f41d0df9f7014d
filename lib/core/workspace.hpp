#pragma once

#include <algorithm>
#include <utility>

#include "core/arena.hpp"
#include "core/error.hpp"
#include "core/lanes.hpp"
#include "core/types.hpp"

namespace biject {

/// A handle to n × cols numbers of scratch, n being the rows of the shard at hand.
struct ScratchSlot {
  /// Where it lies in a workspace for gradients and in one for values (see Workspace): among what lasts or what passes.
  struct Place {
    Index column = 0;
    bool is_passing = false;
  };
  Index cols = 0;
  Place for_gradients, for_values;
};

/// What the layers of a flow need besides parameters, filled by their constructors.
///
/// `keep` lives from a forward to the backward that follows. `temporary` lives during one call only, so that layers
/// share the same memory: whatever is reserved inside a LayerScope is free again after it. Where nothing goes backward that is true of
/// what layers keep, too.
class ScratchLayout {
 public:
  ScratchSlot keep(Index cols) { return {cols, take(kept_, cols), is_in_layer_ ? pass(values_passing_, cols) : take(values_kept_, cols)}; }
  /// Of what lies between two layers: not even without a backward is it free after a LayerScope.
  ScratchSlot keep_between(Index cols) { return {cols, take(kept_, cols), take(values_kept_, cols)}; }
  ScratchSlot temporary(Index cols) { return {cols, pass(passing_, cols), pass(values_passing_, cols)}; }
  Slot fixed(Index rows, Index cols) { return fixed_.add("", rows, cols); }  // size independent of n

  /// Columns of workspaces.
  Index for_gradients() const { return kept_ + passing_.most; }
  Index for_values() const { return values_kept_ + values_passing_.most; }
  const Layout& fixed() const { return fixed_; }

 private:
  friend class LayerScope;
  template <class S> friend class Workspace;
  struct Stack {
    Index end = 0, most = 0;
  };
  static ScratchSlot::Place take(Index& end, Index cols) {
    end += cols;
    return {end - cols, false};
  }
  static ScratchSlot::Place pass(Stack& stack, Index cols) {
    stack.end += cols;
    stack.most = std::max(stack.most, stack.end);
    return {stack.end - cols, true};
  }
  Index kept_ = 0, values_kept_ = 0;
  Stack passing_, values_passing_;
  bool is_in_layer_ = false;
  Layout fixed_;
};

/// Gives back, at its end, what was reserved since its beginning and passes.
class LayerScope {
 public:
  explicit LayerScope(ScratchLayout& layout)
      : layout_(layout),
        begin_(layout.passing_.end),
        values_begin_(layout.values_passing_.end),
        was_in_layer_(std::exchange(layout.is_in_layer_, true)) {}
  ~LayerScope() {
    layout_.passing_.end = begin_;
    layout_.values_passing_.end = values_begin_;
    layout_.is_in_layer_ = was_in_layer_;
  }
  LayerScope(const LayerScope&) = delete;
  LayerScope& operator=(const LayerScope&) = delete;

 private:
  ScratchLayout& layout_;
  Index begin_, values_begin_;
  bool was_in_layer_;
};

/// Scratch for up to `capacity` rows. One per thread or lane; nothing in it outlives a forward-backward pair, or, in one for values,
/// the forward or inverse of one layer: a backward is only possible with one for gradients, but the other is so small that a cache
/// may hold it.
template <class S> class Workspace {
 public:
  using View = Eigen::Map<Matrix<S>, Eigen::AlignedMax>;
  enum class Use { gradients, values };

  Workspace(const ScratchLayout& layout, Index capacity, Use use = Use::gradients)
      : use_(use),
        capacity_(whole_lane_groups(capacity)),
        kept_((use == Use::values ? layout.values_kept_ : layout.kept_) * capacity_),
        passing_((use == Use::values ? layout.values_passing_ : layout.passing_).most * capacity_),
        fixed_(layout.fixed()),
        rows_(capacity) {}

  Index capacity() const { return capacity_; }
  Index rows() const { return rows_; }
  void set_rows(Index rows) {  // never allocates
    BIJECT_EXPECT(rows <= capacity_);
    rows_ = rows;
  }

  View operator[](const ScratchSlot& slot) {
    const ScratchSlot::Place& place = use_ == Use::values ? slot.for_values : slot.for_gradients;
    S* block = place.is_passing ? passing_.data() : kept_.data();
    return View(block + place.column * capacity_, rows_, slot.cols);
  }
  typename Arena<S>::View operator[](const Slot& slot) { return fixed_[slot]; }

 private:
  Use use_;
  Index capacity_;
  AlignedBlock<S> kept_, passing_;
  Arena<S> fixed_;
  Index rows_;
};

}  // namespace biject
