// SPDX-License-Identifier: Apache-2.0
//
// NonInviteClient: RFC 3261 17.1.2, Figure 6.
//
//   state        event                    action                        next
//   (start)      app: request             send, arm E (UDP), F          Trying
//   Trying       Timer E                  request again, E = 2E <= T2   Trying
//   Trying       1xx                      to app                        Proceeding
//   Proceeding   Timer E                  request again, E = T2         Proceeding
//   Proceeding   1xx                      to app                        Proceeding
//   both         Timer F                  tell app                      Terminated
//   both         final                    to app, arm K                 Completed (TCP: Terminated)
//   Completed    any response             absorb                        Completed
//   Completed    Timer K                  -                             Terminated
#pragma once

#include "sipcore/txn/transaction.h"

namespace sluice::sip {

class NonInviteClient final : public ClientTransaction {
 public:
  NonInviteClient(TransactionLayer& layer, const TransactionKey& key, Method method,
                  const Hop& hop) noexcept
      : ClientTransaction(layer, key, TxnKind::NonInviteClient, TxnState::Trying, method, hop) {}

 private:
  void on_sent(Core& core) override;
  void on_response(Core& core, const Received& response) override;
  void on_retransmit_timer(Core& core) override;
  void on_deadline(Core& core) override;
  void recycle() noexcept override;
};

}  // namespace sluice::sip
