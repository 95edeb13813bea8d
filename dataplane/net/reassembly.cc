// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/reassembly.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sluice::dataplane {

std::uint64_t FragmentKey::hash(const HashKey& key) const noexcept {
  std::uint8_t packed[40] = {};
  std::memcpy(packed, source.bytes.data(), 16);
  std::memcpy(packed + 16, destination.bytes.data(), 16);
  std::memcpy(packed + 32, &id, 4);
  std::memcpy(packed + 36, &port, 2);
  packed[38] = protocol;
  return siphash13(key, ByteView{packed, sizeof packed});
}

Reassembler::Reassembler(const ReassemblyOptions& options, HashKey key, LargeBuffers& buffers,
                         NetCounters& counters)
    : options_(options),
      key_(key),
      buffers_(buffers),
      contexts_(std::clamp(options.datagrams, 1U, 4096U)),
      heads_(std::bit_ceil(contexts_.size() * 2), kNone),
      of_source_(kSourceBuckets, 0),
      counters_(counters) {
  for (std::size_t i = contexts_.size(); i-- > 0;) {
    contexts_[i].chain = free_;
    free_ = static_cast<std::uint16_t>(i);
  }
}

NetCounter Reassembler::add(Core& core, const FragmentKey& key, const Fragment& fragment,
                            OwnedBytes& whole) noexcept {
  const auto length = static_cast<std::uint32_t>(fragment.bytes.size());
  if (length == 0 || (fragment.more && length % 8 != 0)) return NetCounter::FragmentMalformed;
  if (fragment.offset + length > wire::kLargestIpPayload) return NetCounter::FragmentMalformed;
  // RFC 1858 3, RFC 7112: the first fragment holds the whole transport header; nor may the second
  // start inside it (RFC 3128), which for a header of eight bytes the offset unit already excludes.
  if (fragment.offset == 0 && length < wire::kUdpLength) return NetCounter::FragmentTiny;

  const std::uint64_t hash = key.hash(key_);
  Context* context = find(hash, key);
  if (context == nullptr) context = open(core, hash, key);
  if (context == nullptr) return NetCounter::FragmentNoMemory;
  if (!context->buffer) return NetCounter::FragmentPoisoned;
  const NetCounter outcome = place(*context, fragment);
  if (outcome != NetCounter::FragmentHeld) return outcome;
  if (context->total == 0 || context->received != context->total) return NetCounter::FragmentHeld;
  whole = std::move(context->buffer);
  whole.resize(context->total);
  close(*context);
  return NetCounter::Delivered;
}

NetCounter Reassembler::place(Context& context, const Fragment& fragment) noexcept {
  const Range incoming{fragment.offset,
                       fragment.offset + static_cast<std::uint32_t>(fragment.bytes.size())};
  Range* const begin = context.range.data();
  Range* const end = begin + context.ranges;
  Range* const at = std::lower_bound(
      begin, end, incoming, [](const Range& a, const Range& b) { return a.begin < b.begin; });
  if (at != end && at->begin == incoming.begin && at->end == incoming.end) {
    const bool last = incoming.end == context.total;
    const bool same = std::memcmp(context.buffer.data() + incoming.begin, fragment.bytes.data(),
                                  fragment.bytes.size()) == 0;
    if (same && last == !fragment.more) return NetCounter::FragmentDuplicate;
    return poison(context, NetCounter::FragmentOverlap);
  }
  const bool overlaps =
      (at != end && at->begin < incoming.end) || (at != begin && (at - 1)->end > incoming.begin);
  // The end of the datagram may be said once, and nothing lies beyond it.
  const bool beyond = context.total != 0 && (incoming.end > context.total || !fragment.more);
  const bool short_end = !fragment.more && context.ranges != 0 && (end - 1)->end > incoming.end;
  if (overlaps || beyond || short_end) return poison(context, NetCounter::FragmentOverlap);
  if (context.ranges == kMostFragments) return poison(context, NetCounter::FragmentTooMany);

  std::memmove(at + 1, at, static_cast<std::size_t>(end - at) * sizeof(Range));
  *at = incoming;
  ++context.ranges;
  std::memcpy(context.buffer.data() + incoming.begin, fragment.bytes.data(), fragment.bytes.size());
  context.received += incoming.end - incoming.begin;
  if (!fragment.more) context.total = incoming.end;
  return NetCounter::FragmentHeld;
}

Reassembler::Context* Reassembler::find(std::uint64_t hash, const FragmentKey& key) noexcept {
  for (std::uint16_t i = heads_[hash & (heads_.size() - 1)]; i != kNone; i = contexts_[i].chain) {
    if (contexts_[i].hash == hash && contexts_[i].key == key) return &contexts_[i];
  }
  return nullptr;
}

Reassembler::Context* Reassembler::open(Core& core, std::uint64_t hash,
                                        const FragmentKey& key) noexcept {
  const std::uint32_t bucket =
      static_cast<std::uint32_t>(
          siphash13(key_, ByteView{key.source.bytes.data(), key.source.bytes.size()})) %
      kSourceBuckets;
  if (of_source_[bucket] >= options_.per_source) {
    for (std::uint16_t i = oldest_; i != kNone; i = contexts_[i].newer) {
      if (contexts_[i].source_bucket != bucket) continue;
      evict(contexts_[i]);
      break;
    }
  } else if (free_ == kNone) {
    evict(contexts_[oldest_]);
  }
  OwnedBytes buffer = buffers_.allocate(core, LargeBuffers::kSize);
  if (!buffer && oldest_ != kNone) {
    // The sinks hold the rest of the pool; make room out of our own.
    evict(contexts_[oldest_]);
    buffer = buffers_.allocate(core, LargeBuffers::kSize);
  }
  if (!buffer) return nullptr;

  const std::uint16_t index = free_;
  Context& context = contexts_[index];
  free_ = context.chain;
  context.key = key;
  context.hash = hash;
  context.source_bucket = bucket;
  context.deadline = core.now() + (key.source.is_v4() ? options_.timeout_v4 : options_.timeout_v6);
  context.buffer = std::move(buffer);
  context.total = context.received = 0;
  context.ranges = 0;
  std::uint16_t& head = heads_[hash & (heads_.size() - 1)];
  context.chain = head;
  head = index;
  context.older = newest_;
  context.newer = kNone;
  (newest_ == kNone ? oldest_ : contexts_[newest_].newer) = index;
  newest_ = index;
  ++of_source_[bucket];
  return &context;
}

void Reassembler::close(Context& context) noexcept {
  const std::uint16_t index = index_of(context);
  std::uint16_t* link = &heads_[context.hash & (heads_.size() - 1)];
  while (*link != index) link = &contexts_[*link].chain;
  *link = context.chain;
  (context.older == kNone ? oldest_ : contexts_[context.older].newer) = context.newer;
  (context.newer == kNone ? newest_ : contexts_[context.newer].older) = context.older;
  --of_source_[context.source_bucket];
  context.buffer.reset();
  context.chain = free_;
  free_ = index;
}

void Reassembler::evict(Context& context) noexcept {
  if (context.buffer) counters_[NetCounter::ReassemblyEvicted].add();
  close(context);
}

NetCounter Reassembler::poison(Context& context, NetCounter reason) noexcept {
  context.buffer.reset();
  return reason;
}

void Reassembler::tick(Instant now) noexcept {
  for (std::uint16_t i = oldest_; i != kNone;) {
    Context& context = contexts_[i];
    i = context.newer;
    if (context.deadline > now) continue;
    if (context.buffer) counters_[NetCounter::ReassemblyTimeouts].add();
    close(context);
  }
}

}  // namespace sluice::dataplane
