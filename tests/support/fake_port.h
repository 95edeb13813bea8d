// SPDX-License-Identifier: Apache-2.0
//
// FakePort: a FramePort that is two lists: frames to receive, frames that were sent.
//
// Threads  One.
// Memory   Buffers come from a bounded pool, like a NIC's: free_buffers() tells whether all came
//          home.
#pragma once

#include "base/pool.h"
#include "dataplane/api/frame_port.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace sluice::test {

class FakePort final : public dataplane::FramePort {
 public:
  static constexpr std::uint32_t kBufferSize = 2048 + 128;

  explicit FakePort(std::string name, dataplane::MacAddress mac, std::uint16_t queues = 1,
                    std::uint32_t buffers = 1024)
      : pool_(kBufferSize, buffers), rx_(queues), tx_(queues) {
    info_.name = std::move(name);
    info_.mac = mac;
    info_.queues = queues;
  }

  const dataplane::PortInfo& info() const noexcept override { return info_; }
  dataplane::PortInfo& mutable_info() { return info_; }

  std::uint32_t receive(std::uint16_t queue, std::span<dataplane::RxFrame> out) noexcept override {
    std::uint32_t count = 0;
    for (auto& waiting = rx_[queue]; count < out.size() && !waiting.empty(); ++count) {
      out[count] = std::move(waiting.front());
      waiting.pop_front();
    }
    return count;
  }
  std::uint32_t transmit(std::uint16_t queue,
                         std::span<dataplane::TxFrame> frames) noexcept override {
    std::uint32_t count = 0;
    for (; count < frames.size() && tx_room != 0; ++count) {
      if (tx_room != kUnlimited) --tx_room;
      if (discard) {
        frames[count].bytes.reset();
      } else {
        tx_[queue].push_back(std::move(frames[count]));
      }
    }
    return count;
  }
  OwnedBytes allocate(std::uint32_t size, std::uint32_t headroom) noexcept override {
    return pool_.allocate(size, headroom);
  }
  std::uint32_t largest_buffer() const noexcept override { return kBufferSize; }
  int wake_fd(std::uint16_t) noexcept override { return -1; }
  bool link_up() const noexcept override { return true; }

  // Puts a frame where the next receive() finds it.
  void put(ByteView frame, std::uint16_t queue = 0,
           dataplane::RxChecksum checksum = dataplane::RxChecksum::Unknown,
           bool truncated = false) {
    dataplane::RxFrame rx;
    rx.bytes = pool_.allocate(static_cast<std::uint32_t>(frame.size()), 128);
    if (!rx.bytes) rx.bytes = OwnedBytes::copy_of(frame, 128);
    std::copy(frame.begin(), frame.end(), rx.bytes.data());
    rx.checksum = checksum;
    rx.truncated = truncated;
    rx_[queue].push_back(std::move(rx));
  }

  // What was sent since the last call.
  std::vector<dataplane::TxFrame> sent(std::uint16_t queue = 0) {
    return std::exchange(tx_[queue], {});
  }

  std::uint32_t free_buffers() noexcept { return pool_.count_free(); }
  std::uint32_t buffers() const noexcept { return pool_.count(); }

  static constexpr std::uint32_t kUnlimited = ~0U;
  std::uint32_t tx_room = kUnlimited;  // how many frames transmit() still takes
  bool discard = false;                // transmit() frees what it takes

 private:
  dataplane::PortInfo info_;
  BufferPool pool_;
  std::vector<std::deque<dataplane::RxFrame>> rx_;
  std::vector<std::vector<dataplane::TxFrame>> tx_;
};

}  // namespace sluice::test
