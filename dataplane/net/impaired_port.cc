// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/impaired_port.h"

#include "dataplane/net/wire.h"

#include <algorithm>

namespace sluice::dataplane {
namespace {

constexpr CounterInfo kInfos[] = {
    {"impairment_frames_total", "direction=\"rx\",what=\"lost\"", "Frames impaired on purpose."},
    {"impairment_frames_total", "direction=\"rx\",what=\"duplicated\"",
     "Frames impaired on purpose."},
    {"impairment_frames_total", "direction=\"rx\",what=\"reordered\"",
     "Frames impaired on purpose."},
    {"impairment_frames_total", "direction=\"rx\",what=\"corrupted\"",
     "Frames impaired on purpose."},
    {"impairment_frames_total", "direction=\"tx\",what=\"lost\"", "Frames impaired on purpose."},
    {"impairment_frames_total", "direction=\"tx\",what=\"duplicated\"",
     "Frames impaired on purpose."},
    {"impairment_frames_total", "direction=\"tx\",what=\"reordered\"",
     "Frames impaired on purpose."},
    {"impairment_frames_total", "direction=\"tx\",what=\"corrupted\"",
     "Frames impaired on purpose."},
};
// A worker receives and transmits by turns; after this many turns without a transmit(), nothing
// comes that a late frame could be later than. It is less than a core spins before it sleeps.
constexpr std::uint32_t kQuietTurns = 8;

static_assert(std::size(kInfos) == static_cast<std::size_t>(ImpairmentCounter::Count));

}  // namespace

std::span<const CounterInfo> ImpairedPort::counter_infos() noexcept {
  return kInfos;
}

ImpairedPort::ImpairedPort(FramePort& below, const ImpairedPortOptions& options)
    : below_(below), options_(options) {
  for (std::uint16_t i = 0; i < below.info().queues; ++i) {
    queues_.push_back(std::make_unique<Queue>());
    queues_.back()->random = options.seed + i * 0x9e3779b97f4a7c15ULL;
  }
}

std::uint64_t ImpairedPort::draw(Queue& queue) noexcept {
  std::uint64_t value = queue.random += 0x9e3779b97f4a7c15ULL;  // splitmix64
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
  return value ^ value >> 31;
}

bool ImpairedPort::happens(Queue& queue, double probability) noexcept {
  // Drawn even when it cannot happen: one knob does not change what the others do.
  return static_cast<double>(draw(queue) >> 11) * 0x1p-53 < probability;
}

void ImpairedPort::corrupt(Queue& queue, OwnedBytes& bytes) noexcept {
  if (bytes.size() <= wire::kEthernetLength) return;
  const std::uint64_t bit = draw(queue) % ((bytes.size() - wire::kEthernetLength) * 8U);
  bytes.data()[wire::kEthernetLength + bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
}

OwnedBytes ImpairedPort::copy(const OwnedBytes& bytes) noexcept {
  OwnedBytes out = below_.allocate(bytes.size(), bytes.headroom());
  if (out) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

bool ImpairedPort::spared(ByteView frame) const noexcept {
  if (!options_.spare_neighbours || frame.size() < wire::kEthernetLength) return false;
  std::size_t at = 12;
  std::uint16_t type = wire::load16(&frame[at]);
  while ((type == wire::kEtherVlan || type == wire::kEtherServiceVlan) && frame.size() >= at + 6) {
    at += wire::kVlanTagLength;
    type = wire::load16(&frame[at]);
  }
  if (type == wire::kEtherArp) return true;
  const std::size_t ip = at + 2;
  if (type != wire::kEtherIpv6 || frame.size() <= ip + wire::kIpv6Length) return false;
  const std::uint8_t icmp_type = frame[ip + wire::kIpv6Length];
  // RFC 4861: router solicitation (133) to redirect (137).
  return frame[ip + 6] == wire::kProtoIcmpv6 && icmp_type >= 133 && icmp_type <= 137;
}

std::uint32_t ImpairedPort::receive(std::uint16_t index, std::span<RxFrame> out) noexcept {
  Queue& queue = *queues_[index];
  const bool tx_waits = queue.tx.count + queue.tx_late.count != 0;
  if (tx_waits && ++queue.quiet_turns >= kQuietTurns) push_tx(index);
  // What was held comes after the new frames, so room is kept for it.
  const auto late = std::min(queue.rx.count, static_cast<std::uint32_t>(out.size()));
  const std::uint32_t fresh = below_.receive(index, out.first(out.size() - late));
  Held<RxFrame> next;
  const std::uint32_t room = kHeld - (queue.rx.count - late);
  std::uint32_t count = 0;
  const auto mark = [&](ImpairmentCounter what) { queue.counters[what].add(); };
  for (std::uint32_t i = 0; i < fresh; ++i) {
    RxFrame frame = std::move(out[i]);
    if (spared(frame.bytes.view())) {
      out[count++] = std::move(frame);
      continue;
    }
    const bool lost = happens(queue, options_.rx.loss);
    const bool doubled = happens(queue, options_.rx.duplicate);
    const bool late_one = happens(queue, options_.rx.reorder);
    const bool wrong = happens(queue, options_.rx.corrupt);
    if (lost) {
      mark(ImpairmentCounter::RxLost);
      continue;
    }
    if (doubled && next.count < room) {
      RxFrame twin{copy(frame.bytes), frame.checksum, frame.truncated};
      if (twin.bytes && next.add(std::move(twin))) mark(ImpairmentCounter::RxDuplicated);
    }
    if (wrong) {
      corrupt(queue, frame.bytes);
      frame.checksum = RxChecksum::Unknown;
      mark(ImpairmentCounter::RxCorrupted);
    }
    if (late_one && next.count < room) {
      next.add(std::move(frame));
      mark(ImpairmentCounter::RxReordered);
    } else {
      out[count++] = std::move(frame);
    }
  }
  for (std::uint32_t i = 0; i < late; ++i) out[count++] = std::move(queue.rx.frames[i]);
  queue.rx.drop_front(late);
  for (std::uint32_t i = 0; i < next.count; ++i) queue.rx.add(std::move(next.frames[i]));
  return count;
}

std::uint32_t ImpairedPort::transmit(std::uint16_t index, std::span<TxFrame> frames) noexcept {
  Queue& queue = *queues_[index];
  queue.quiet_turns = 0;
  const auto mark = [&](ImpairmentCounter what) { queue.counters[what].add(); };
  const std::uint32_t late_before = queue.tx_late.count;
  std::uint32_t taken = 0;
  for (; taken < frames.size() && queue.tx.count + 2 + late_before <= kHeld; ++taken) {
    TxFrame& frame = frames[taken];
    if (spared(frame.bytes.view())) {
      queue.tx.add(std::move(frame));
      continue;
    }
    const bool lost = happens(queue, options_.tx.loss);
    const bool doubled = happens(queue, options_.tx.duplicate);
    const bool late_one = happens(queue, options_.tx.reorder);
    const bool wrong = happens(queue, options_.tx.corrupt);
    if (lost) {
      frame.bytes.reset();
      mark(ImpairmentCounter::TxLost);
      continue;
    }
    if (doubled) {
      TxFrame twin{copy(frame.bytes), frame.l2_length, frame.l3_length, frame.offload_ipv4_checksum,
                   frame.offload_udp_checksum};
      if (twin.bytes) {
        queue.tx.add(std::move(twin));
        mark(ImpairmentCounter::TxDuplicated);
      }
    }
    if (wrong) {
      corrupt(queue, frame.bytes);
      mark(ImpairmentCounter::TxCorrupted);
    }
    if (late_one && queue.tx_late.count < kHeld) {
      queue.tx_late.add(std::move(frame));
      mark(ImpairmentCounter::TxReordered);
    } else {
      queue.tx.add(std::move(frame));
    }
  }
  // What was late before this call follows the frames of this call.
  for (std::uint32_t i = 0; i < late_before; ++i) queue.tx.add(std::move(queue.tx_late.frames[i]));
  queue.tx_late.drop_front(late_before);
  const std::uint32_t sent = below_.transmit(index, {queue.tx.frames.data(), queue.tx.count});
  queue.tx.drop_front(sent);
  return taken;
}

void ImpairedPort::push_tx(std::uint16_t index) noexcept {
  Queue& queue = *queues_[index];
  while (queue.tx_late.count != 0 && queue.tx.add(std::move(queue.tx_late.frames[0]))) {
    queue.tx_late.drop_front(1);
  }
  const std::uint32_t sent = below_.transmit(index, {queue.tx.frames.data(), queue.tx.count});
  queue.tx.drop_front(sent);
}

}  // namespace sluice::dataplane
