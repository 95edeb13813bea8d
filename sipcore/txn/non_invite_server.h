// SPDX-License-Identifier: Apache-2.0
//
// NonInviteServer: RFC 3261 17.2.2, Figure 8, as changed by RFC 4320 4.
//
//   state        event                    action                        next
//   Trying       request again            absorb                        Trying
//   Trying       Timer E of the peer      100                           Proceeding
//                would have reached T2
//   Trying       app: 100 over a stream   send                          Proceeding
//   Trying       app: other 1xx           refuse (RFC 4320 4.1)         Trying
//   Proceeding   request again            100 again                     Proceeding
//   any of them  app: 408                 refuse (RFC 4320 4.2)         Terminated
//   any of them  app: other final         send, arm J                   Completed (TCP: Terminated)
//   Completed    request again            response again                Completed
//   Completed    Timer J                  -                             Terminated
#pragma once

#include "sipcore/txn/transaction.h"

namespace sluice::sip {

class NonInviteServer final : public ServerTransaction {
 public:
  NonInviteServer(TransactionLayer& layer, const TransactionKey& key,
                  const Received& request) noexcept
      : ServerTransaction(layer, key, TxnKind::NonInviteServer, TxnState::Trying, request) {}

 private:
  bool accepts(std::uint16_t status) const noexcept override;
  void on_sent(Core& core, std::uint16_t status) override;
  void on_retransmission(Core& core) override;
  void on_unanswered(Core& core) override;
  void on_retransmit_timer(Core& core) override;
  void on_deadline(Core& core) override;
  void recycle() noexcept override;

  bool trying_due_ = false;  // RFC 4320 4.1: from now on 100 may, and must, go out over UDP
};

}  // namespace sluice::sip
