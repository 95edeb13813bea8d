// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/non_invite_server.h"

#include "sipcore/txn/layer.h"

namespace sluice::sip {

bool NonInviteServer::accepts(std::uint16_t status) const noexcept {
  if (state() != TxnState::Trying && state() != TxnState::Proceeding) return false;
  if (status >= 200) return status != 408;
  return status == 100 && (reliable() || trying_due_);
}

void NonInviteServer::on_sent(Core& core, std::uint16_t status) {
  retransmit_.cancel();
  if (status < 200) {
    enter(TxnState::Proceeding);
    return;
  }
  request_.reset();
  enter(TxnState::Completed);
  terminate_after(core, reliable() ? Duration::zero() : layer_.timers().j);
}

void NonInviteServer::on_retransmission(Core& core) {
  layer_.count(TxnCounter::RequestsAbsorbed);
  send_copy(core, reply_, TxnCounter::ResponsesRetransmitted);
}

void NonInviteServer::on_unanswered(Core& core) {
  if (state() == TxnState::Trying) core.arm(retransmit_, layer_.timers().late_trying());
}

void NonInviteServer::on_retransmit_timer(Core& core) {
  trying_due_ = true;
  respond(core, {.status = 100});
}

void NonInviteServer::on_deadline(Core&) {
  terminate();
}

void NonInviteServer::recycle() noexcept {
  ObjectPool<NonInviteServer>::Recycle{}(this);
}

}  // namespace sluice::sip
