// SPDX-License-Identifier: Apache-2.0
//
// Cell: one immutable snapshot that everybody reads and one writer replaces whole.
//
//   rcu::Cell<const Routes> routes{writer, std::make_unique<const Routes>(...)};
//   const Routes& now = routes.get(scope);           // any core, one load
//   routes.publish(writer, std::move(next));         // the old one dies after a grace period
//
// Threads  get() anywhere under a ReadScope; publish() on the writer's thread. The old snapshot is
//          destroyed on the Reclaimer's thread.
// Memory   One small heap node per snapshot beside the snapshot itself: publishing is a control
//          path.
// Errors   A cell is never empty.
#pragma once

#include "base/assert.h"
#include "dal/rcu/read_scope.h"
#include "dal/rcu/writer.h"

#include <atomic>
#include <memory>
#include <type_traits>
#include <utility>

namespace sluice::rcu {

template <typename T>
class Cell {
  static_assert(std::is_const_v<T>, "a published snapshot is immutable: Cell<const T>");

 public:
  explicit Cell(std::unique_ptr<T> first)
      : now_(first.get()), node_(new Snapshot{{}, std::move(first)}) {
    SLUICE_CHECK(node_->value != nullptr);
  }
  // When no reader is left.
  ~Cell() { delete node_; }
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  // Good for this scope. Load once per turn or per message: two loads may see two snapshots.
  T& get(const ReadScope&) const noexcept { return *now_.load(std::memory_order_acquire); }

  void publish(Writer& writer, std::unique_ptr<T> next) {
    SLUICE_CHECK(next != nullptr);
    now_.store(next.get(), std::memory_order_release);
    Snapshot* old = std::exchange(node_, new Snapshot{{}, std::move(next)});
    writer.retire(*old, [](Retired* retired) noexcept { delete static_cast<Snapshot*>(retired); });
    // Snapshots are large and rare: do not let one wait for 63 others.
    writer.flush();
  }

 private:
  struct Snapshot : Retired {
    std::unique_ptr<T> value;
  };

  std::atomic<T*> now_;
  Snapshot* node_;  // writer only: owns what now_ points at
};

}  // namespace sluice::rcu
