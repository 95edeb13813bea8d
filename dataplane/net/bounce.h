// SPDX-License-Identifier: Apache-2.0
//
// BounceMesh: the rings between workers, and who serves which port.
//
// RSS is a speed-up, never a condition: a fragment that landed on the wrong core, a datagram for a
// port that another core serves, and what one core learned about a neighbour or a path cross here.
//
// Threads  Ring (from, to) is pushed by worker `from` and popped by worker `to`. All else is
//          constant once
//          the loops are set.
// Memory   Workers x workers rings, reserved at construction. Outlives the workers.
// Errors   A full ring refuses; the sender counts.
#pragma once

#include "base/endpoint.h"
#include "base/flow_id.h"
#include "base/poll_loop.h"
#include "base/ring.h"
#include "dataplane/api/frame_port.h"
#include "dataplane/net/neighbours.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sluice::dataplane {

struct BounceItem {
  enum class Kind : std::uint8_t { Frame, Datagram, Neighbour, PathMtu };

  Kind kind = Kind::Frame;
  RxChecksum checksum = RxChecksum::Unknown;
  std::uint16_t port = 0;
  std::uint16_t mtu = 0;                // PathMtu
  ListenerId listener = kNoListener;    // Datagram
  MacAddress mac{};                     // Neighbour
  Evidence evidence = Evidence::Reply;  // Neighbour
  Endpoint remote;                      // Datagram; the address of Neighbour and PathMtu
  OwnedBytes bytes;                     // Frame, Datagram
};

class BounceMesh {
 public:
  using WorkerIndex = std::uint8_t;

  // ports_of[w] are the ports that worker w has a queue of.
  BounceMesh(std::span<const std::vector<std::uint16_t>> ports_of, HashKey key,
             std::uint32_t ring_capacity = 256)
      : key_(key), workers_(static_cast<WorkerIndex>(ports_of.size())), loops_(ports_of.size()) {
    for (std::size_t i = 0; i < ports_of.size() * ports_of.size(); ++i) {
      const bool to_itself = i / workers_ == i % workers_;
      rings_.push_back(to_itself ? nullptr : std::make_unique<Ring<BounceItem>>(ring_capacity));
    }
    for (WorkerIndex worker = 0; worker < workers_; ++worker) {
      for (const std::uint16_t port : ports_of[worker]) {
        if (owners_.size() <= port) owners_.resize(port + 1U);
        if (owners_[port].empty() || owners_[port].back() != worker) {
          owners_[port].push_back(worker);
        }
      }
    }
  }

  // At start-up, so that push() can wake a sleeping core.
  void set_loop(WorkerIndex worker, PollLoop& loop) noexcept { loops_[worker] = &loop; }

  WorkerIndex workers() const noexcept { return workers_; }
  // In rising order; empty when nobody serves the port.
  std::span<const WorkerIndex> owners(std::uint16_t port) const noexcept {
    if (port >= owners_.size()) return {};
    return owners_[port];
  }
  // The same for all workers: it decides who reassembles what.
  const HashKey& key() const noexcept { return key_; }

  Ring<BounceItem>& ring(WorkerIndex from, WorkerIndex to) noexcept {
    return *rings_[std::size_t{from} * workers_ + to];
  }
  void notify(WorkerIndex worker) noexcept {
    if (loops_[worker] != nullptr) loops_[worker]->notify();
  }

 private:
  const HashKey key_;
  const WorkerIndex workers_;
  std::vector<PollLoop*> loops_;
  std::vector<std::unique_ptr<Ring<BounceItem>>> rings_;
  std::vector<std::vector<WorkerIndex>> owners_;
};

}  // namespace sluice::dataplane
