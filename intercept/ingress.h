// SPDX-License-Identifier: Apache-2.0
//
// Ingress: turns datagrams into messages and finds each one its servant core.
//
// The stages of a poll core in order: first bytes, parse (index), inspection, dispatch. Inspection
// may run on the servant's side of the ring instead (Handoff::Index): the same object, another
// core.
//
// Who gets a message (docs/architecture.md, "Dispatch"): a response goes to the servant that its
// top Via branch names; REGISTER to the keyed hash of the canonical AoR in To, so that each AoR has
// one writer; everything else to the keyed hash of its Call-ID, so that a dialog, its CANCEL and
// its ACK meet.
//
// Threads  One Ingress per poll core, used by it alone. The rings behind ServantLink have this core
//          as
//          their only producer.
// Memory   Message objects come from this core's pool and own the datagram's buffer.
// Errors   Nothing fails: what is refused is answered (503, or the parser's code) and counted.
#pragma once

#include "base/counters.h"
#include "base/hash.h"
#include "base/poll_loop.h"
#include "base/ring.h"
#include "dataplane/api/sink.h"
#include "intercept/inspection.h"
#include "sipcore/inbound.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::intercept {

enum class IngressCounter : std::uint8_t {
#define SLUICE_INGRESS(name, label, text) name,
#include "intercept/ingress_counters.def"
#undef SLUICE_INGRESS
  Count
};
using IngressCounters =
    CounterBlock<IngressCounter, static_cast<std::size_t>(IngressCounter::Count)>;
std::span<const CounterInfo> ingress_counter_infos();

using InboundRing = Ring<sip::InboundPointer>;

// The way from this poll core to one servant core: straight into its handler when it is the same
// core, otherwise a ring.
struct ServantLink {
  sip::InboundHandler* local = nullptr;
  InboundRing* ring = nullptr;
  PollLoop* loop = nullptr;  // woken after a push
};

// Which servant serves which bucket of the hash. Constant once published.
class DispatchTable {
 public:
  static constexpr std::uint32_t kBuckets = 4096;
  // Spreads the buckets evenly over `servants` (1-256).
  DispatchTable(HashKey key, std::uint32_t servants);

  std::uint32_t servants() const noexcept { return servants_; }
  std::uint8_t by_text(std::string_view text) const noexcept {
    return bucket_[siphash13(key_, text) % kBuckets];
  }
  // RFC 3261 10.3 step 5: the same AoR, however it is spelled.
  std::uint8_t by_aor(std::string_view canonical_aor) const noexcept {
    return by_text(canonical_aor);
  }

 private:
  HashKey key_;
  std::uint32_t servants_;
  std::array<std::uint8_t, kBuckets> bucket_;
};

// Where the work of a message is split between poll core and servant core.
enum class Handoff : std::uint8_t {
  Index,   // the servant core decodes and checks: balances one poll + one servant core
  Decode,  // the poll core does: a refused message never crosses
};

class Ingress final : public dataplane::DatagramSink, public Poller {
 public:
  struct Options {
    sip::Limits limits;
    Handoff handoff = Handoff::Decode;
    std::uint32_t messages = 8'192;  // message objects of this core
  };

  Ingress(const Options& options, const DispatchTable& table, std::vector<ServantLink> servants,
          Inspection& inspection, Refuser& refuser);

  void on_datagrams(Core& core, std::span<dataplane::Datagram> burst) noexcept override;

  // Poller: only to wake, once per turn, the servants that were given something.
  std::uint32_t poll(Core&) override { return 0; }
  void flush(Core& core) override;

  const IngressCounters& counters() const noexcept { return counters_; }
  sip::InboundPool& pool() noexcept { return pool_; }

 private:
  void on_datagram(Core& core, dataplane::Datagram& datagram) noexcept;
  int choose_servant(const sip::Message& message) const noexcept;
  void dispatch(Core& core, sip::InboundPointer inbound) noexcept;

  // Constant after construction.
  const Options options_;
  const DispatchTable& table_;
  std::vector<ServantLink> servants_;
  Inspection& inspection_;
  Refuser& refuser_;
  // This core only.
  sip::InboundPool pool_;
  std::vector<bool> given_;  // by servant, since the last flush
  // Written by this core, read by metrics.
  IngressCounters counters_;
};

}  // namespace sluice::intercept
