// SPDX-License-Identifier: Apache-2.0
//
// TransactionLayer: all transactions of one servant core (RFC 3261 17), between the wire and one
// application.
//
// Threads  One servant core; the counters may be read by any thread.
// Memory   Pools of fixed capacity (TransactionOptions), message copies in a MessageStore. Nothing
//          is allocated after construction. Whatever the layer gives to its user is good for that
//          call (see transaction.h).
// Errors   When a pool or the store is dry, new requests get 503 with Retry-After and no state; the
//          rest goes on. Malformed messages and strays are counted.
// See      RFC 3261 16.2, 17 and 18; RFC 6026; RFC 4320.
#pragma once

#include "base/core.h"
#include "base/pool.h"
#include "sipcore/parse/limits.h"
#include "sipcore/txn/branch.h"
#include "sipcore/txn/invite_client.h"
#include "sipcore/txn/invite_server.h"
#include "sipcore/txn/message_store.h"
#include "sipcore/txn/non_invite_client.h"
#include "sipcore/txn/non_invite_server.h"
#include "sipcore/txn/options.h"

#include <span>

namespace sluice::sip {

// Who lives above: the proxy, or a server application by itself.
class TransactionUser {
 public:
  virtual ~TransactionUser() = default;
  // A new request, never ACK or CANCEL. Answer through `transaction` now or later, exactly once.
  virtual void on_request(Core& core, ServerTransaction& transaction, const Received& request) = 0;
  // An ACK for a 2xx: it belongs to no transaction (RFC 3261 13.2.2.4), nobody answers it.
  virtual void on_ack(Core& core, const Received& ack) = 0;
  // The CANCEL has been answered with 200; what it means may be answered already (RFC 3261 9.2,
  // 16.10).
  virtual void on_cancel(Core& core, ServerTransaction& invite, const Received& cancel) = 0;
  // 1xx, the first final response, and every 2xx for an INVITE.
  virtual void on_response(Core& core, ClientTransaction& transaction,
                           const Received& response) = 0;
  // Timer B or F: no answer came. The transaction has ended.
  virtual void on_timeout(Core& core, ClientTransaction& transaction) = 0;
  // The request could not be delivered. The transaction has ended.
  virtual void on_transport_error(Core& core, ClientTransaction& transaction) = 0;
  // Timer H: our final response was never acknowledged.
  virtual void on_ack_timeout(Core&, ServerTransaction&) {}
  // RFC 6026 7.2: a stray response is not forwarded.
  virtual void on_stray_response(Core&, const Received&) {}
  // The last that is heard of a transaction: forget it. Must not call back into the layer, except
  // to abandon() others.
  virtual void on_terminated(ServerTransaction&) {}
  virtual void on_terminated(ClientTransaction&) {}
};

class TransactionLayer {
 public:
  // `secret`: keys the tables and tags; drawn once at start-up. Different per core or not.
  TransactionLayer(std::uint8_t servant, const TransactionOptions& options, const Limits& limits,
                   const HashKey& secret, Outbox& outbox);
  ~TransactionLayer();
  TransactionLayer(const TransactionLayer&) = delete;
  TransactionLayer& operator=(const TransactionLayer&) = delete;

  // Before the first message; `user` outlives the layer's use.
  void set_user(TransactionUser& user) noexcept { user_ = &user; }

  // One message from the ring. The second form is for who has checked the headers already.
  void on_message(Core& core, InboundPointer inbound);
  void on_message(Core& core, const Received& received);

  struct ClientRequest {
    Method method = Method::Other;
    std::string_view method_text;
    std::string_view branch;  // of the top Via in `bytes`
    OwnedBytes bytes;         // from write(): sent and gone
    Hop hop;
    void* context = nullptr;
  };
  // Starts a client transaction. nullptr when there is no room for it, or a stream refuses it.
  ClientTransaction* send_request(Core& core, ClientRequest&& request);

  // RFC 3261 9.1: CANCEL for an INVITE in Proceeding, with further headers (Reason). Nobody hears
  // of its answer. False if there was no room.
  bool send_cancel(Core& core, const ClientTransaction& invite,
                   std::span<const HeaderLine> headers);

  // What could not be delivered, by its top Via branch: a closed stream, an ICMP error.
  void on_transport_error(Core& core, std::string_view branch, std::string_view method);

  // Without a transaction: responses under overload, ACK relayed for a 2xx. Counted on failure.
  void respond_stateless(Core& core, const Received& request, const Response& response) noexcept;
  bool send_stateless(Core& core, OwnedBytes bytes, const Hop& hop) noexcept;

  Branch mint_branch(Core& core, std::uint64_t loop) const noexcept {
    return {servant_, loop, core.entropy.next()};
  }
  std::uint8_t servant() const noexcept { return servant_; }

  // A transmit buffer with what `write(span) -> size needed` puts into it; empty if there is none.
  template <typename Write>
  OwnedBytes write(Core& core, std::uint32_t estimate, Write&& write) noexcept {
    return write_into([&](std::uint32_t size) { return outbox_.allocate(core, size); }, estimate,
                      write);
  }
  // The same into the message store.
  template <typename Write>
  OwnedBytes write_copy(std::uint32_t estimate, Write&& write) noexcept {
    return write_into([&](std::uint32_t size) { return store_.reserve(size); }, estimate, write);
  }

  // A copy of what the application needs later; empty if there is no room.
  OwnedBytes keep(std::string_view text) noexcept { return store_.copy(as_bytes(text)); }

  // Hold one around what may end several transactions from outside a callback (a timer of the
  // application): none of them is destroyed before the outermost scope ends.
  class Scope {
   public:
    explicit Scope(TransactionLayer& layer) noexcept : layer_(layer) { ++layer_.depth_; }
    ~Scope() {
      if (layer_.depth_ == 1) layer_.reap();
      --layer_.depth_;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    TransactionLayer& layer_;
  };

  // --- for the machines ---
  const TimerOptions& timers() const noexcept { return options_.timers; }
  TransactionUser& user() noexcept { return *user_; }
  void count(TxnCounter counter) noexcept { counters_[counter].add(); }
  TxnCounters& counters() noexcept { return counters_; }
  bool parse_copy(const OwnedBytes& bytes, Message& out) const noexcept {
    return bytes && out.parse(bytes.view(), limits_).has_value();
  }
  bool send_bytes(Core& core, ByteView bytes, const Hop& hop) noexcept;

  // --- for status and tests ---
  const TxnCounters& counters() const noexcept { return counters_; }
  const Limits& limits() const noexcept { return limits_; }
  std::uint32_t live() const noexcept { return servers_.size() + clients_.size(); }
  // Objects and message blocks that are out of their pools.
  std::uint32_t lent() noexcept;

 private:
  friend class Transaction;
  friend class ServerTransaction;

  struct Tag {
    std::array<char, 16> text;
    std::string_view view() const noexcept { return {text.data(), text.size()}; }
  };

  template <typename Reserve, typename Write>
  static OwnedBytes write_into(Reserve&& reserve, std::uint32_t estimate, Write&& write) noexcept {
    for (int attempt = 0; attempt < 2; ++attempt) {
      OwnedBytes out = reserve(estimate);
      // Without a buffer this asks for the size: the estimate may be above what there is.
      const auto needed = static_cast<std::uint32_t>(write(std::span{out.data(), out.size()}));
      if (needed == 0) break;  // refused
      if (out && needed <= out.size()) {
        out.resize(needed);
        return out;
      }
      if (!out && needed >= estimate) break;
      estimate = needed;
    }
    return {};
  }

  void on_response(Core& core, const Received& response);
  void on_ack(Core& core, const Received& ack);
  void on_cancel(Core& core, const Received& cancel, ServerTransaction& transaction);
  void on_new_request(Core& core, const Received& request, const TransactionKey& key);
  ServerTransaction* make_server(const Received& request, const TransactionKey& key);
  ClientTransaction* make_client(const ClientRequest& request);
  void refuse(Core& core, const Inbound& inbound, ParseError error) noexcept;
  void shed(Core& core, const Received& request) noexcept;
  TransactionKey key_of(const Received& request, std::string_view method) const noexcept;
  // The To tag of responses that we make ourselves: the same for every response to one request.
  Tag tag_for(const TransactionKey& key) const noexcept;
  void remove(Transaction& transaction) noexcept;
  void reap() noexcept;

  // Constant after construction.
  const std::uint8_t servant_;
  const TransactionOptions options_;
  const Limits limits_;
  const HashKey secret_;
  Outbox& outbox_;
  TransactionUser* user_ = nullptr;
  // The core's own.
  TransactionTable<ServerTransaction> servers_;
  TransactionTable<ClientTransaction> clients_;
  ObjectPool<InviteServer> invite_servers_;
  ObjectPool<InviteClient> invite_clients_;
  ObjectPool<NonInviteServer> non_invite_servers_;
  ObjectPool<NonInviteClient> non_invite_clients_;
  MessageStore store_;
  Transaction* dead_ = nullptr;
  int depth_ = 0;
  // Written by the core, read by any.
  TxnCounters counters_;
};

}  // namespace sluice::sip
