// SPDX-License-Identifier: Apache-2.0
//
// ImpairedPort: a bad network in front of a good port: loss, duplication, reordering, corruption.
//
// A FramePort stacked on a FramePort, for the lab's lossy runs. The same seed and the same frames
// give the same accidents.
//
// Threads  As the port below: a queue pair belongs to one core, and so does what is kept for it
//          here.
// Memory   At most kHeld frames kept per queue and direction; a duplicate is a copy in a buffer of
//          the port
//          below, and is left out when that is dry.
// Errors   What was done is counted per queue.
#pragma once

#include "base/counters.h"
#include "dataplane/api/frame_port.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace sluice::dataplane {

// Probabilities, 0 to 1, each drawn for every frame.
struct Impairment {
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;  // comes after the frames that follow it
  double corrupt = 0;  // one bit behind the Ethernet header
};

struct ImpairedPortOptions {
  Impairment rx;
  Impairment tx;
  std::uint64_t seed = 1;
  // ARP and neighbour discovery pass untouched, so that a run measures what SIP makes of the loss.
  bool spare_neighbours = true;
};

enum class ImpairmentCounter : std::uint8_t {
  RxLost,
  RxDuplicated,
  RxReordered,
  RxCorrupted,
  TxLost,
  TxDuplicated,
  TxReordered,
  TxCorrupted,
  Count
};
using ImpairmentCounters =
    CounterBlock<ImpairmentCounter, static_cast<std::size_t>(ImpairmentCounter::Count)>;

class ImpairedPort final : public FramePort {
 public:
  static constexpr std::uint32_t kHeld = 64;

  ImpairedPort(FramePort& below, const ImpairedPortOptions& options);

  const PortInfo& info() const noexcept override { return below_.info(); }
  std::uint32_t receive(std::uint16_t queue, std::span<RxFrame> out) noexcept override;
  std::uint32_t transmit(std::uint16_t queue, std::span<TxFrame> frames) noexcept override;
  OwnedBytes allocate(std::uint32_t size, std::uint32_t headroom) noexcept override {
    return below_.allocate(size, headroom);
  }
  std::uint32_t largest_buffer() const noexcept override { return below_.largest_buffer(); }
  int wake_fd(std::uint16_t queue) noexcept override { return below_.wake_fd(queue); }
  bool link_up() const noexcept override { return below_.link_up(); }

  const ImpairmentCounters& counters(std::uint16_t queue) const noexcept {
    return queues_[queue]->counters;
  }
  static std::span<const CounterInfo> counter_infos() noexcept;

 private:
  template <typename Frame>
  struct Held {
    std::array<Frame, kHeld> frames;
    std::uint32_t count = 0;

    bool add(Frame&& frame) noexcept {
      if (count == kHeld) return false;
      frames[count++] = std::move(frame);
      return true;
    }
    void drop_front(std::uint32_t taken) noexcept {
      std::move(frames.begin() + taken, frames.begin() + count, frames.begin());
      count -= taken;
    }
  };
  struct Queue {
    std::uint64_t random = 0;
    Held<RxFrame> rx;               // to be delivered by the next receive()
    Held<TxFrame> tx;               // on its way to the port below
    Held<TxFrame> tx_late;          // to follow the frames of the next transmit()
    std::uint32_t quiet_turns = 0;  // receive() calls since the last transmit()
    ImpairmentCounters counters;
  };

  bool spared(ByteView frame) const noexcept;
  static bool happens(Queue& queue, double probability) noexcept;
  static std::uint64_t draw(Queue& queue) noexcept;
  static void corrupt(Queue& queue, OwnedBytes& bytes) noexcept;
  OwnedBytes copy(const OwnedBytes& bytes) noexcept;
  void push_tx(std::uint16_t index) noexcept;

  // Constant after construction.
  FramePort& below_;
  const ImpairedPortOptions options_;
  // Each element by the core that owns the queue.
  std::vector<std::unique_ptr<Queue>> queues_;
};

}  // namespace sluice::dataplane
