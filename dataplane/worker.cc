// SPDX-License-Identifier: Apache-2.0
#include "dataplane/worker.h"

#include <array>

namespace sluice::dataplane {
namespace {

// Far enough ahead for a header to arrive while its predecessors are looked at.
constexpr std::uint32_t kPrefetchAhead = 4;

FramePort& first_port(std::span<const WorkerQueue> queues) {
  SLUICE_CHECK(!queues.empty() && queues.front().port != nullptr);
  return *queues.front().port;
}

}  // namespace

Worker::Worker(const Topology& topology, BounceMesh& mesh, BounceMesh::WorkerIndex self,
               LargeBuffers& large, HashKey key, std::span<const WorkerQueue> queues,
               const StackOptions& options)
    : mesh_(mesh),
      self_(self),
      large_(large),
      lender_(first_port(queues)),
      largest_payload_(lender_.largest_buffer() - wire::kTxHeadroom) {
  for (const WorkerQueue& queue : queues) {
    SLUICE_CHECK(queue.index < topology.ports().size());
    queues_.push_back(std::make_unique<PortQueue>(*queue.port, queue.index, queue.queue,
                                                  topology.port(queue.index)));
  }
  stack_ = std::make_unique<Stack>(topology, mesh, self, large, key, options, queues_);
}

std::uint32_t Worker::poll(Core& core) {
  if (!started_) {
    SLUICE_CHECK(sink_ != nullptr);
    started_ = true;
    stack_->start(core);
  }
  std::uint32_t work = drain_rings(core);
  std::array<RxFrame, kBurst> burst;
  for (const auto& queue : queues_) {
    const std::uint32_t count = queue->receive(burst);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i + kPrefetchAhead < count) __builtin_prefetch(burst[i + kPrefetchAhead].bytes.data());
      stack_->input(core, *queue, std::move(burst[i]));
    }
    deliver(core);
    // What a port did not take keeps the core awake until it is gone.
    work += count + queue->pending();
  }
  return work;
}

std::uint32_t Worker::drain_rings(Core& core) noexcept {
  std::uint32_t work = 0;
  std::array<BounceItem, kBurst> items;
  for (BounceMesh::WorkerIndex from = 0; from < mesh_.workers(); ++from) {
    if (from == self_) continue;
    const std::uint32_t count = mesh_.ring(from, self_).pop_burst(items);
    for (std::uint32_t i = 0; i < count; ++i) stack_->input_bounced(core, std::move(items[i]));
    if (count != 0) deliver(core);
    work += count;
  }
  return work;
}

void Worker::deliver(Core& core) noexcept {
  if (stack_->datagrams().empty()) return;
  sink_->on_datagrams(core, stack_->datagrams());
  stack_->forget_datagrams();
}

void Worker::flush(Core&) {
  for (const auto& queue : queues_) queue->flush();
  stack_->notify_peers();
}

OwnedBytes Worker::allocate(Core& core, std::uint32_t size) noexcept {
  if (size <= largest_payload_) {
    return lender_.allocate(size, wire::kTxHeadroom);
  }
  return large_.allocate(core, size);
}

void Worker::send_datagram(Core& core, ListenerId listener, const Endpoint& remote,
                           OwnedBytes payload) noexcept {
  stack_->send(core, listener, remote, std::move(payload));
}

}  // namespace sluice::dataplane
