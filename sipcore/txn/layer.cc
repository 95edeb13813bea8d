// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/layer.h"

#include "sipcore/write/request.h"
#include "sipcore/write/response.h"

#include <charconv>
#include <cstring>

namespace sluice::sip {

TransactionLayer::TransactionLayer(std::uint8_t servant, const TransactionOptions& options,
                                   const Limits& limits, const HashKey& secret, Outbox& outbox)
    : servant_(servant),
      options_(options),
      limits_(limits),
      secret_(secret),
      outbox_(outbox),
      servers_(options.invite_servers + options.non_invite_servers),
      clients_(options.invite_clients + options.non_invite_clients),
      invite_servers_(options.invite_servers),
      invite_clients_(options.invite_clients),
      non_invite_servers_(options.non_invite_servers),
      non_invite_clients_(options.non_invite_clients),
      store_(options.messages) {}

TransactionLayer::~TransactionLayer() {
  user_ = nullptr;  // gone before us
  while (ServerTransaction* transaction = servers_.any()) transaction->terminate();
  while (ClientTransaction* transaction = clients_.any()) transaction->terminate();
}

void TransactionLayer::on_message(Core& core, InboundPointer inbound) {
  Essentials essentials;
  if (const auto checked = check(inbound->message, limits_, essentials); !checked) {
    count(TxnCounter::Malformed);
    refuse(core, *inbound, checked.error());
    return;
  }
  on_message(core, Received{*inbound, essentials});
}

void TransactionLayer::on_message(Core& core, const Received& received) {
  Scope scope(*this);
  if (received.message().is_response()) return on_response(core, received);
  if (received.message().method() == Method::Ack) return on_ack(core, received);

  const TransactionKey key = key_of(received, received.message().method_text());
  if (ServerTransaction* transaction = servers_.find(key)) {
    transaction->on_retransmission(core);
  } else {
    on_new_request(core, received, key);
  }
}

void TransactionLayer::on_response(Core& core, const Received& response) {
  const Essentials& essentials = response.essentials;
  ClientTransaction* transaction =
      clients_.find(client_key(secret_, essentials.via.branch, essentials.cseq.method));
  if (transaction == nullptr) {
    count(TxnCounter::StrayResponses);
    user_->on_stray_response(core, response);
    return;
  }
  transaction->on_response(core, response);
}

void TransactionLayer::on_ack(Core& core, const Received& ack) {
  const TransactionKey key = key_of(ack, to_string(Method::Invite));
  if (ServerTransaction* transaction = servers_.find(key)) {
    if (transaction->on_ack(core)) user_->on_ack(core, ack);
    return;
  }
  // RFC 3261 8.2.7: the ACK for a response that we sent without state carries the tag we gave it.
  if (ack.essentials.to_tag == tag_for(key).view()) {
    count(TxnCounter::AcksAbsorbed);
    return;
  }
  count(TxnCounter::AcksWithoutTransaction);
  user_->on_ack(core, ack);
}

void TransactionLayer::on_new_request(Core& core, const Received& request,
                                      const TransactionKey& key) {
  // Room for the copy is taken before the application hears of the request: afterwards it is too
  // late to refuse it.
  OwnedBytes room = store_.reserve(request.message().size());
  ServerTransaction* transaction = room ? make_server(request, key) : nullptr;
  if (transaction == nullptr) return shed(core, request);
  servers_.insert(*transaction);

  if (request.message().method() == Method::Cancel) {
    on_cancel(core, request, *transaction);
  } else {
    user_->on_request(core, *transaction, request);
  }
  const TxnState state = transaction->state();
  if (state == TxnState::Trying || state == TxnState::Proceeding) {
    std::memcpy(room.data(), request.message().text().data(), request.message().size());
    transaction->request_ = std::move(room);
    transaction->on_unanswered(core);
  }
  transaction->live_ = nullptr;
}

// RFC 3261 9.2.
void TransactionLayer::on_cancel(Core& core, const Received& cancel,
                                 ServerTransaction& transaction) {
  ServerTransaction* invite = servers_.find(key_of(cancel, to_string(Method::Invite)));
  if (invite == nullptr) {
    // 16.10 would have it forwarded without state, for an INVITE that was forwarded without state.
    // We never do that, so downstream knows no more than we do.
    count(TxnCounter::StrayCancels);
    transaction.respond(core, {.status = 481});
    return;
  }
  transaction.respond(core, {.status = 200});
  user_->on_cancel(core, *invite, cancel);
}

ServerTransaction* TransactionLayer::make_server(const Received& request,
                                                 const TransactionKey& key) {
  if (request.message().method() == Method::Invite) {
    return invite_servers_.make(*this, key, request).release();
  }
  return non_invite_servers_.make(*this, key, request).release();
}

ClientTransaction* TransactionLayer::make_client(const ClientRequest& request) {
  const TransactionKey key = client_key(secret_, request.branch, request.method_text);
  if (request.method == Method::Invite) {
    return invite_clients_.make(*this, key, request.method, request.hop).release();
  }
  return non_invite_clients_.make(*this, key, request.method, request.hop).release();
}

ClientTransaction* TransactionLayer::send_request(Core& core, ClientRequest&& request) {
  Scope scope(*this);
  if (!request.bytes) return nullptr;
  OwnedBytes copy = store_.copy(request.bytes.view());
  ClientTransaction* transaction = copy ? make_client(request) : nullptr;
  if (transaction == nullptr) return nullptr;
  clients_.insert(*transaction);
  transaction->request_ = std::move(copy);
  transaction->set_context(request.context);
  if (!send_stateless(core, std::move(request.bytes), request.hop) && transaction->reliable()) {
    transaction->set_context(nullptr);
    transaction->terminate();
    return nullptr;
  }
  transaction->on_sent(core);
  return transaction;
}

bool TransactionLayer::send_cancel(Core& core, const ClientTransaction& invite,
                                   std::span<const HeaderLine> headers) {
  Message request;
  if (!parse_copy(invite.request_, request)) return false;
  Via via;
  if (const auto parsed = parse_via(request.value(HeaderId::Via))) via = *parsed;
  OwnedBytes bytes = write(core, request.size() + 256, [&](std::span<std::uint8_t> out) {
    return write_cancel(request, headers, out);
  });
  return send_request(core, {.method = Method::Cancel,
                             .method_text = to_string(Method::Cancel),
                             .branch = via.branch,
                             .bytes = std::move(bytes),
                             .hop = invite.hop()}) != nullptr;
}

void TransactionLayer::on_transport_error(Core& core, std::string_view branch,
                                          std::string_view method) {
  Scope scope(*this);
  ClientTransaction* transaction = clients_.find(client_key(secret_, branch, method));
  if (transaction == nullptr) return;
  const TxnState state = transaction->state();
  if (state != TxnState::Calling && state != TxnState::Trying && state != TxnState::Proceeding) {
    return;
  }
  transaction->terminate();
  user_->on_transport_error(core, *transaction);
}

// 16.3 step 1: what cannot be understood is answered as far as there is a Via to answer to.
void TransactionLayer::refuse(Core& core, const Inbound& inbound, ParseError error) noexcept {
  const Message& message = inbound.message;
  const std::uint16_t status = response_code(error);
  if (status == 0 || !message.is_request() || message.method() == Method::Ack) return;
  std::string_view vias = message.value(HeaderId::Via);
  std::string_view top;
  if (!next_value(vias, top)) return;
  Essentials essentials;
  if (const auto via = parse_via(top)) {
    essentials.via = *via;
    respond_stateless(core, {inbound, essentials}, {.status = status, .reason = text(error)});
  }
}

void TransactionLayer::shed(Core& core, const Received& request) noexcept {
  count(TxnCounter::Shed);
  std::array<char, 10> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), options_.retry_after_s).ptr;
  const HeaderLine headers[] = {
      {"Retry-After", {digits.data(), static_cast<std::size_t>(end - digits.data())}}};
  respond_stateless(core, request, {.status = 503, .headers = headers});
}

void TransactionLayer::respond_stateless(Core& core, const Received& request,
                                         const Response& response) noexcept {
  const Message& message = request.message();
  const Inbound& inbound = request.inbound;
  const Tag tag = tag_for(key_of(request, message.method_text()));
  OwnedBytes bytes =
      write(core, message.size() + 256 + static_cast<std::uint32_t>(response.body.size()),
            [&](std::span<std::uint8_t> out) {
              return write_response(message, inbound.source, tag.view(), response, out);
            });
  send_stateless(core, std::move(bytes),
                 {response_target(request.essentials.via, inbound.source), inbound.flow,
                  inbound.listener, inbound.transport});
}

bool TransactionLayer::send_stateless(Core& core, OwnedBytes bytes, const Hop& hop) noexcept {
  const bool sent = bytes && outbox_.send(core, {.bytes = std::move(bytes),
                                                 .remote = hop.remote,
                                                 .flow = hop.flow,
                                                 .listener = hop.listener,
                                                 .transport = hop.transport});
  if (!sent) count(TxnCounter::SendFailures);
  return sent;
}

bool TransactionLayer::send_bytes(Core& core, ByteView bytes, const Hop& hop) noexcept {
  OwnedBytes out = outbox_.allocate(core, static_cast<std::uint32_t>(bytes.size()));
  if (out) std::memcpy(out.data(), bytes.data(), bytes.size());
  return send_stateless(core, std::move(out), hop);
}

TransactionKey TransactionLayer::key_of(const Received& request,
                                        std::string_view method) const noexcept {
  return server_key(secret_, request.message(), request.essentials, method);
}

TransactionLayer::Tag TransactionLayer::tag_for(const TransactionKey& key) const noexcept {
  std::uint64_t value = siphash13({secret_.k1, ~secret_.k0}, key.text());
  Tag tag;
  for (std::size_t i = tag.text.size(); i-- > 0; value >>= 4) {
    tag.text[i] = "0123456789abcdef"[value & 15];
  }
  return tag;
}

void TransactionLayer::remove(Transaction& transaction) noexcept {
  if (transaction.kind() == TxnKind::InviteServer ||
      transaction.kind() == TxnKind::NonInviteServer) {
    servers_.erase(static_cast<ServerTransaction&>(transaction));
  } else {
    clients_.erase(static_cast<ClientTransaction&>(transaction));
  }
  transaction.next_dead_ = dead_;
  dead_ = &transaction;
}

void TransactionLayer::reap() noexcept {
  while (dead_ != nullptr) {
    Transaction* transaction = dead_;
    dead_ = transaction->next_dead_;
    if (user_ != nullptr) {
      if (transaction->kind() == TxnKind::InviteServer ||
          transaction->kind() == TxnKind::NonInviteServer) {
        user_->on_terminated(static_cast<ServerTransaction&>(*transaction));
      } else {
        user_->on_terminated(static_cast<ClientTransaction&>(*transaction));
      }
    }
    transaction->recycle();
  }
}

std::uint32_t TransactionLayer::lent() noexcept {
  return invite_servers_.count() - invite_servers_.count_free() +  //
         invite_clients_.count() - invite_clients_.count_free() +  //
         non_invite_servers_.count() - non_invite_servers_.count_free() +
         non_invite_clients_.count() - non_invite_clients_.count_free() + store_.lent();
}

}  // namespace sluice::sip
