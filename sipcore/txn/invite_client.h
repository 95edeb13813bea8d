// SPDX-License-Identifier: Apache-2.0
//
// InviteClient: RFC 3261 17.1.1, Figure 5, as changed by RFC 6026 7.2, Figure 4.
//
//   state        event                    action                        next
//   (start)      app: INVITE              send, arm A (UDP), B          Calling
//   Calling      Timer A                  INVITE again, A = 2A          Calling
//   Calling      Timer B                  tell app                      Terminated
//   Calling      1xx                      to app, stop A, B             Proceeding
//   Proceeding   1xx                      to app                        Proceeding
//   both         2xx                      to app, arm M                 Accepted
//   both         300-699                  ACK, to app, arm D            Completed (TCP: Terminated)
//   Completed    300-699 again            ACK again                     Completed
//   Completed    Timer D                  -                             Terminated
//   Accepted     2xx                      to app                        Accepted
//   Accepted     Timer M                  -                             Terminated
//
// Nothing ends Proceeding but the peer: the proxy's Timer C (RFC 3261 16.8) watches over it.
#pragma once

#include "sipcore/txn/transaction.h"

namespace sluice::sip {

class InviteClient final : public ClientTransaction {
 public:
  InviteClient(TransactionLayer& layer, const TransactionKey& key, Method method,
               const Hop& hop) noexcept
      : ClientTransaction(layer, key, TxnKind::InviteClient, TxnState::Calling, method, hop) {}

 private:
  void on_sent(Core& core) override;
  void on_response(Core& core, const Received& response) override;
  void on_retransmit_timer(Core& core) override;
  void on_deadline(Core& core) override;
  void recycle() noexcept override;

  void acknowledge(Core& core, const Message& response);
};

}  // namespace sluice::sip
