// SPDX-License-Identifier: Apache-2.0
//
// Transaction: what the four machines share. ServerTransaction, ClientTransaction: what an
// application holds of them.
//
// Read first: RFC 3261 17, RFC 6026 (Accepted), RFC 4320 (non-INVITE). Each machine's state table
// stands in its own header.
//
// Threads  The core of its layer.
// Memory   From the layer's pools. A transaction that has ended leaves the table at once, but is
//          destroyed only when the outermost call into the layer returns, after on_terminated(): a
//          pointer stays good through a callback, and not beyond on_terminated().
// Errors   A message that cannot be sent is counted; over UDP the timers are the recovery.
#pragma once

#include "base/timer_wheel.h"
#include "sipcore/outbound.h"
#include "sipcore/received.h"
#include "sipcore/txn/table.h"
#include "sipcore/txn/txn_counters.h"

#include <cstdint>
#include <string_view>

namespace sluice::sip {

class TransactionLayer;

enum class TxnKind : std::uint8_t { InviteServer, InviteClient, NonInviteServer, NonInviteClient };

enum class TxnState : std::uint8_t {
  Calling,     // INVITE client: no response yet
  Trying,      // non-INVITE: no response yet
  Proceeding,  // INVITE server: from the start; others: a provisional response has passed
  Completed,   // a final response has passed (INVITE: not 2xx)
  Confirmed,   // INVITE server: the ACK has come
  Accepted,    // INVITE: a 2xx has passed (RFC 6026)
  Terminated,
};

// Where a message goes, and from where.
struct Hop {
  Endpoint remote;
  FlowId flow;
  ListenerId listener = kNoListener;
  Transport transport = Transport::Udp;
};

class Transaction : public TableNode {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  TxnKind kind() const noexcept { return kind_; }
  TxnState state() const noexcept { return state_; }
  Method method() const noexcept { return method_; }
  const Hop& hop() const noexcept { return hop_; }
  bool reliable() const noexcept { return is_stream(hop_.transport); }

  // Whatever the application ties to this transaction; the layer never looks at it.
  template <typename T>
  T* context() const noexcept {
    return static_cast<T*>(context_);
  }
  void set_context(void* context) noexcept { context_ = context; }

 protected:
  Transaction(TransactionLayer& layer, const TransactionKey& key, TxnKind kind, TxnState state,
              Method method, const Hop& hop) noexcept;
  virtual ~Transaction();

  // Timers A, E, G, and the 100 that is due.
  virtual void on_retransmit_timer(Core& core) = 0;
  // Timers B, D, F, H, I, J, K, L, M.
  virtual void on_deadline(Core& core) = 0;
  // Back to its pool.
  virtual void recycle() noexcept = 0;

  void enter(TxnState state) noexcept;
  // Leaves the table; destroyed when the layer's outermost call returns.
  void terminate() noexcept;
  // Ends now, or after `linger` if that is more than nothing.
  void terminate_after(Core& core, Duration linger);
  // Sends `bytes` again from our copy.
  void send_copy(Core& core, const OwnedBytes& bytes, TxnCounter counter) noexcept;

  TransactionLayer& layer_;

 private:
  friend class TransactionLayer;
  void fire_retransmit(Core& core);
  void fire_deadline(Core& core);

 protected:
  MemberTimer<Transaction, &Transaction::fire_retransmit> retransmit_{*this};
  MemberTimer<Transaction, &Transaction::fire_deadline> deadline_{*this};
  Duration interval_{};  // of retransmit_
  // Client: the request, to send it again and to build ACK and CANCEL from it. Server: the request
  // until it is answered, to build responses from it.
  OwnedBytes request_;
  // Server: the last response. INVITE client in Completed: the ACK.
  OwnedBytes reply_;

 private:
  Transaction* next_dead_ = nullptr;
  void* context_ = nullptr;
  Hop hop_;
  TxnKind kind_;
  TxnState state_;
  Method method_;
};

class ServerTransaction : public Transaction, public Responder {
 public:
  // Responder: for an application that answers by itself. The To tag, if one is added, is the same
  // for all responses of the transaction. After a final response there is nothing left to build
  // another from: a 2xx is repeated with send_response().
  void respond(Core& core, const Response& response) override;

  // For a proxy: a response that is written already. Keeps a copy if it may be needed again.
  // False if the state does not allow it (a second final response, 1xx after a final one).
  bool send_response(Core& core, std::uint16_t status, OwnedBytes bytes);

  // Ends without a final response: RFC 4320 4.2 knows no 408 for a non-INVITE.
  void abandon() noexcept { terminate(); }

  // The request: what on_request() saw, or our copy of it while the transaction is unanswered.
  ByteView request_bytes() const noexcept { return request_.view(); }
  const Endpoint& source() const noexcept { return source_; }

 protected:
  ServerTransaction(TransactionLayer& layer, const TransactionKey& key, TxnKind kind,
                    TxnState state, const Received& request) noexcept;

  // Would the state let a response with this status pass?
  virtual bool accepts(std::uint16_t status) const noexcept = 0;
  // A response has been sent: change state and timers.
  virtual void on_sent(Core& core, std::uint16_t status) = 0;
  virtual void on_retransmission(Core& core) = 0;
  // True if the ACK is for the application (RFC 6026 7.1).
  virtual bool on_ack(Core&) { return false; }
  // on_request() has returned and there is no answer yet; the request has been copied.
  virtual void on_unanswered(Core& core) = 0;

 private:
  friend class TransactionLayer;
  const Received* live_ = nullptr;  // the request, while on_request() runs
  Endpoint source_;
};

class ClientTransaction : public Transaction {
 public:
  // Ends now; responses that still come are strays.
  void abandon() noexcept { terminate(); }
  // The request as sent; empty once it can no longer be needed.
  ByteView request_bytes() const noexcept { return request_.view(); }

 protected:
  using Transaction::Transaction;

  virtual void on_sent(Core& core) = 0;
  virtual void on_response(Core& core, const Received& response) = 0;

 private:
  friend class TransactionLayer;
};

}  // namespace sluice::sip
