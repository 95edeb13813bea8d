// SPDX-License-Identifier: Apache-2.0
//
// InviteServer: RFC 3261 17.2.1, Figure 7, as changed by RFC 6026 7.1, Figure 5.
//
//   state        event                    action                        next
//   Proceeding   INVITE again             last 1xx again                Proceeding
//   Proceeding   no answer in time        100                           Proceeding
//   Proceeding   app: 1xx                 send                          Proceeding
//   Proceeding   app: 2xx                 send, arm L                   Accepted
//   Proceeding   app: 300-699             send, arm G (UDP), H          Completed
//   Completed    INVITE again             response again                Completed
//   Completed    Timer G                  response again, G = 2G <= T2  Completed
//   Completed    ACK                      stop G, H; arm I              Confirmed (TCP: Terminated)
//   Completed    Timer H                  tell app                      Terminated
//   Confirmed    INVITE, ACK again        absorb                        Confirmed
//   Confirmed    Timer I                  -                             Terminated
//   Accepted     INVITE again             absorb                        Accepted
//   Accepted     ACK                      to app                        Accepted
//   Accepted     app: 2xx                 send                          Accepted
//   Accepted     Timer L                  -                             Terminated
#pragma once

#include "sipcore/txn/transaction.h"

namespace sluice::sip {

class InviteServer final : public ServerTransaction {
 public:
  InviteServer(TransactionLayer& layer, const TransactionKey& key, const Received& request) noexcept
      : ServerTransaction(layer, key, TxnKind::InviteServer, TxnState::Proceeding, request) {}

 private:
  bool accepts(std::uint16_t status) const noexcept override;
  void on_sent(Core& core, std::uint16_t status) override;
  void on_retransmission(Core& core) override;
  bool on_ack(Core& core) override;
  void on_unanswered(Core& core) override;
  void on_retransmit_timer(Core& core) override;
  void on_deadline(Core& core) override;
  void recycle() noexcept override;

  bool provisional_sent_ = false;
};

}  // namespace sluice::sip
