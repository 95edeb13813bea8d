// SPDX-License-Identifier: Apache-2.0
//
// Worker: one poll core's share of the network: its queues, the stack above them, the way out.
//
// A turn takes at most one burst from each queue and each ring, and hands the sink all datagrams of
// a burst in one call; what was sent during the turn leaves in flush(), in one burst a port.
//
// Threads  poll(), flush(), send_datagram(): its core. allocate(): any lcore. Counters: any thread.
// Memory   Everything is reserved at construction. Topology, mesh, ports, large buffers and sink
//          outlive
//          the worker.
// Errors   Counted (net/drop_reasons.def); nothing here fails a turn.
// See      docs/architecture.md, "Life of a message".
#pragma once

#include "base/poll_loop.h"
#include "dataplane/api/egress.h"
#include "dataplane/api/sink.h"
#include "dataplane/net/stack.h"

#include <memory>
#include <span>
#include <vector>

namespace sluice::dataplane {

struct WorkerQueue {
  FramePort* port = nullptr;
  std::uint16_t index = 0;  // of the port in the topology
  std::uint16_t queue = 0;
};

class Worker final : public Poller, public Egress {
 public:
  static constexpr std::uint32_t kBurst = 32;

  // `self` is this worker's place in the mesh; `key` is secret and the worker's own. A worker needs
  // at least one queue: its first port lends the buffers of allocate().
  Worker(const Topology& topology, BounceMesh& mesh, BounceMesh::WorkerIndex self,
         LargeBuffers& large, HashKey key, std::span<const WorkerQueue> queues,
         const StackOptions& options = {});

  // Before the first poll(): the sink usually needs the Egress that this is.
  void set_sink(DatagramSink& sink) noexcept { sink_ = &sink; }

  std::uint32_t poll(Core& core) override;
  void flush(Core& core) override;

  OwnedBytes allocate(Core& core, std::uint32_t size) noexcept override;
  void send_datagram(Core& core, ListenerId listener, const Endpoint& remote,
                     OwnedBytes payload) noexcept override;

  // For wiring to register: one block for the worker, one for each of its queues.
  const NetCounters& counters() const noexcept { return stack_->counters(); }
  std::span<const std::unique_ptr<PortQueue>> queues() const noexcept { return queues_; }
  std::uint32_t waiting_for_neighbours() const noexcept { return stack_->waiting(); }

 private:
  void deliver(Core& core) noexcept;
  std::uint32_t drain_rings(Core& core) noexcept;

  // Constant after construction.
  BounceMesh& mesh_;
  const BounceMesh::WorkerIndex self_;
  LargeBuffers& large_;
  FramePort& lender_;
  const std::uint32_t largest_payload_;  // that fits a buffer of the lender
  std::vector<std::unique_ptr<PortQueue>> queues_;
  std::unique_ptr<Stack> stack_;
  DatagramSink* sink_ = nullptr;
  // Owner core only.
  bool started_ = false;
};

}  // namespace sluice::dataplane
