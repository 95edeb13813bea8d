// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/transaction.h"

#include "sipcore/txn/layer.h"
#include "sipcore/write/response.h"

namespace sluice::sip {
namespace {

constexpr TxnCounter kCreated[] = {
    TxnCounter::InviteServersCreated,
    TxnCounter::InviteClientsCreated,
    TxnCounter::NonInviteServersCreated,
    TxnCounter::NonInviteClientsCreated,
};

// Rows by TxnKind, columns by TxnState; Count where the machine does not have the state.
constexpr TxnCounter kNone = TxnCounter::Count;
constexpr TxnCounter kLive[4][6] = {
    {kNone, kNone, TxnCounter::InviteServerProceeding, TxnCounter::InviteServerCompleted,
     TxnCounter::InviteServerConfirmed, TxnCounter::InviteServerAccepted},
    {TxnCounter::InviteClientCalling, kNone, TxnCounter::InviteClientProceeding,
     TxnCounter::InviteClientCompleted, kNone, TxnCounter::InviteClientAccepted},
    {kNone, TxnCounter::NonInviteServerTrying, TxnCounter::NonInviteServerProceeding,
     TxnCounter::NonInviteServerCompleted, kNone, kNone},
    {kNone, TxnCounter::NonInviteClientTrying, TxnCounter::NonInviteClientProceeding,
     TxnCounter::NonInviteClientCompleted, kNone, kNone},
};

TxnCounter live_counter(TxnKind kind, TxnState state) {
  return kLive[static_cast<std::size_t>(kind)][static_cast<std::size_t>(state)];
}

TxnCounter class_counter(std::uint16_t status) {
  return static_cast<TxnCounter>(static_cast<unsigned>(TxnCounter::Responses1xx) + status / 100 -
                                 1);
}

Hop way_back(const Received& request) noexcept {
  const Inbound& inbound = request.inbound;
  return {response_target(request.essentials.via, inbound.source), inbound.flow, inbound.listener,
          inbound.transport};
}

}  // namespace

Transaction::Transaction(TransactionLayer& layer, const TransactionKey& key, TxnKind kind,
                         TxnState state, Method method, const Hop& hop) noexcept
    : TableNode(key), layer_(layer), hop_(hop), kind_(kind), state_(state), method_(method) {
  layer_.counters()[kCreated[static_cast<std::size_t>(kind)]].add();
  layer_.counters()[live_counter(kind, state)].add();
}

Transaction::~Transaction() = default;

void Transaction::enter(TxnState state) noexcept {
  if (state == state_) return;
  layer_.counters()[live_counter(kind_, state_)].subtract();
  state_ = state;
  if (state != TxnState::Terminated) layer_.counters()[live_counter(kind_, state)].add();
}

void Transaction::terminate() noexcept {
  if (state_ == TxnState::Terminated) return;
  TransactionLayer::Scope scope(layer_);
  enter(TxnState::Terminated);
  retransmit_.cancel();
  deadline_.cancel();
  layer_.remove(*this);
}

void Transaction::terminate_after(Core& core, Duration linger) {
  if (linger > Duration::zero()) {
    core.arm(deadline_, linger);
  } else {
    terminate();
  }
}

void Transaction::send_copy(Core& core, const OwnedBytes& bytes, TxnCounter counter) noexcept {
  if (bytes && layer_.send_bytes(core, bytes.view(), hop_)) layer_.count(counter);
}

void Transaction::fire_retransmit(Core& core) {
  TransactionLayer::Scope scope(layer_);
  on_retransmit_timer(core);
}

void Transaction::fire_deadline(Core& core) {
  TransactionLayer::Scope scope(layer_);
  on_deadline(core);
}

ServerTransaction::ServerTransaction(TransactionLayer& layer, const TransactionKey& key,
                                     TxnKind kind, TxnState state, const Received& request) noexcept
    : Transaction(layer, key, kind, state, request.message().method(), way_back(request)),
      live_(&request),
      source_(request.inbound.source) {}

void ServerTransaction::respond(Core& core, const Response& response) {
  TransactionLayer::Scope scope(layer_);
  if (!accepts(response.status)) {
    layer_.count(TxnCounter::LateResponses);
    if (response.status == 408 && kind() == TxnKind::NonInviteServer) terminate();
    return;
  }
  Message copy;
  const Message* request = &copy;
  if (live_ != nullptr) {
    request = &live_->message();
  } else if (!layer_.parse_copy(request_, copy)) {
    layer_.count(TxnCounter::SendFailures);
    return;
  }
  const TransactionLayer::Tag tag = layer_.tag_for(key());
  // 8.2.6.2: 100 may go without a tag, and a proxy's 100 says nothing about a dialog.
  const std::string_view to_tag = response.status == 100 ? std::string_view{} : tag.view();
  std::size_t extra = 256 + response.body.size();
  for (const HeaderLine& line : response.headers) extra += line.name.size() + line.value.size() + 4;
  const auto estimate =
      static_cast<std::uint32_t>(request->size() - request->body().size() + extra);
  send_response(core, response.status,
                layer_.write(core, estimate, [&](std::span<std::uint8_t> out) {
                  return write_response(*request, source_, to_tag, response, out);
                }));
}

bool ServerTransaction::send_response(Core& core, std::uint16_t status, OwnedBytes bytes) {
  TransactionLayer::Scope scope(layer_);
  if (!accepts(status)) {
    layer_.count(TxnCounter::LateResponses);
    return false;
  }
  layer_.count(class_counter(status));
  if (!bytes) {
    layer_.count(TxnCounter::SendFailures);
  } else {
    // Over a stream nothing is ever sent twice; the 2xx of an INVITE is repeated by who made it.
    const bool repeats =
        !reliable() && (method() != Method::Invite || status < 200 || status >= 300);
    if (repeats) {
      reply_.reset();
      reply_ = layer_.store_.copy(bytes.view());
    }
    layer_.send_stateless(core, std::move(bytes), hop());
  }
  on_sent(core, status);
  return true;
}

}  // namespace sluice::sip
