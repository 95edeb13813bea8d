// SPDX-License-Identifier: Apache-2.0
#include "intercept/ingress.h"

#include "sipcore/parse/fields.h"
#include "sipcore/txn/branch.h"

#include <algorithm>

namespace sluice::intercept {
namespace {

constexpr CounterInfo kInfos[] = {
#define SLUICE_INGRESS(name, label, text)                                              \
  {"ingress_datagrams_total", "result=\"" label "\"",                                  \
   "Datagrams that reached the ingress and were not refused, by what became of them.", \
   MetricKind::Counter},
#include "intercept/ingress_counters.def"
#undef SLUICE_INGRESS
};
static_assert(std::size(kInfos) == static_cast<std::size_t>(IngressCounter::Count));

// New work may fill three quarters of a ring; the rest is for dialogs that exist, their ACKs,
// CANCELs and responses. One ring with a reserve, not two by priority: a second ring would let a
// CANCEL overtake its INVITE.
constexpr std::uint32_t kReserveDivisor = 4;

bool is_white(std::uint8_t byte) {
  return byte == '\r' || byte == '\n' || byte == ' ' || byte == '\t';
}

// RFC 5626 4.4.1 CRLF, and the single NUL or blank that some phones send to keep a NAT open.
bool is_keepalive(ByteView bytes) {
  return bytes.size() <= 4 && std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) {
           return is_white(byte) || byte == 0;
         });
}

// RFC 8489 5: the two most significant bits are zero and the magic cookie stands at offset 4.
bool is_stun(ByteView bytes) {
  return bytes.size() >= 20 && bytes[0] < 4 && bytes[4] == 0x21 && bytes[5] == 0x12 &&
         bytes[6] == 0xa4 && bytes[7] == 0x42;
}

// Work that may be refused when a servant falls behind: it belongs to nothing that exists yet.
bool is_new_work(const sip::Message& message) {
  if (!message.is_request()) return false;
  if (message.method() == sip::Method::Ack || message.method() == sip::Method::Cancel) return false;
  const auto to = sip::parse_name_addr(message.value(sip::HeaderId::To));
  return !to || to->tag().empty();
}

}  // namespace

std::span<const CounterInfo> ingress_counter_infos() {
  return kInfos;
}

DispatchTable::DispatchTable(HashKey key, std::uint32_t servants) : key_(key), servants_(servants) {
  SLUICE_CHECK(servants >= 1 && servants <= 256);
  for (std::uint32_t i = 0; i < kBuckets; ++i) {
    bucket_[i] = static_cast<std::uint8_t>(i % servants);
  }
}

Ingress::Ingress(const Options& options, const DispatchTable& table,
                 std::vector<ServantLink> servants, Inspection& inspection, Refuser& refuser)
    : options_(options),
      table_(table),
      servants_(std::move(servants)),
      inspection_(inspection),
      refuser_(refuser),
      pool_(options.messages),
      given_(servants_.size(), false) {
  SLUICE_CHECK(servants_.size() == table.servants());
}

void Ingress::on_datagrams(Core& core, std::span<dataplane::Datagram> burst) noexcept {
  for (std::size_t i = 0; i < burst.size(); ++i) {
    if (i + 1 < burst.size()) __builtin_prefetch(burst[i + 1].payload.data());
    on_datagram(core, burst[i]);
  }
}

void Ingress::on_datagram(Core& core, dataplane::Datagram& datagram) noexcept {
  const ByteView payload = datagram.payload.view();
  if (is_keepalive(payload)) {
    counters_[IngressCounter::Empty].add();
    return;
  }
  if (is_stun(payload)) {
    counters_[IngressCounter::Stun].add();
    return;
  }
  sip::InboundPointer inbound = pool_.make();
  if (inbound == nullptr) {
    counters_[IngressCounter::ShedMemory].add();
    return;
  }
  inbound->bytes = std::move(datagram.payload);
  inbound->source = datagram.source;
  inbound->local = datagram.destination;
  inbound->listener = datagram.listener;
  inbound->transport = Transport::Udp;
  inbound->received = datagram.received;
  // A datagram has no connection: the flow only remembers which poll core to leave through.
  inbound->flow = FlowId(core.id(), 0, 0);

  const auto parsed = inbound->message.parse(inbound->bytes.view(), options_.limits);
  if (!parsed) {
    refuser_.refuse(core, *inbound, parsed.error());
    return;
  }
  if (options_.handoff == Handoff::Decode && !inspection_.admit(core, *inbound)) return;
  dispatch(core, std::move(inbound));
}

int Ingress::choose_servant(const sip::Message& message) const noexcept {
  if (message.is_response()) {
    std::string_view list = message.value(sip::HeaderId::Via);
    std::string_view top;
    if (!sip::next_value(list, top)) return -1;
    const auto via = sip::parse_via(top);
    if (!via) return -1;
    const auto servant = sip::servant_of_branch(via->branch);
    return servant && *servant < table_.servants() ? *servant : -1;
  }
  if (message.method() == sip::Method::Register) {
    const auto to = sip::parse_name_addr(message.value(sip::HeaderId::To));
    const auto uri = sip::parse_uri(to ? to->uri : std::string_view{});
    char aor[512];
    const std::size_t length = uri ? sip::canonical_aor(*uri, aor, sizeof aor) : 0;
    if (length != 0) return table_.by_aor({aor, length});
  }
  return table_.by_text(message.value(sip::HeaderId::CallId));
}

void Ingress::dispatch(Core& core, sip::InboundPointer inbound) noexcept {
  const int servant = choose_servant(inbound->message);
  if (servant < 0) {
    counters_[IngressCounter::NoServant].add();
    return;
  }
  const ServantLink& link = servants_[static_cast<std::size_t>(servant)];
  if (link.local != nullptr) {
    counters_[IngressCounter::Dispatched].add();
    link.local->on_message(core, std::move(inbound));
    return;
  }
  const std::uint32_t room = link.ring->free_count();
  if (room < link.ring->capacity() / kReserveDivisor && is_new_work(inbound->message)) {
    counters_[IngressCounter::ShedBusy].add();
    refuser_.busy(core, *inbound);
    return;
  }
  if (!link.ring->push(std::move(inbound))) {
    counters_[IngressCounter::ShedFull].add();
    return;
  }
  counters_[IngressCounter::Dispatched].add();
  given_[static_cast<std::size_t>(servant)] = true;
}

void Ingress::flush(Core&) {
  for (std::size_t i = 0; i < given_.size(); ++i) {
    if (!given_[i]) continue;
    given_[i] = false;
    servants_[i].loop->notify();
  }
}

}  // namespace sluice::intercept
