// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/non_invite_client.h"

#include "sipcore/txn/layer.h"

#include <algorithm>

namespace sluice::sip {

void NonInviteClient::on_sent(Core& core) {
  if (!reliable()) {
    interval_ = layer_.timers().t1;
    core.arm(retransmit_, interval_);
  }
  core.arm(deadline_, layer_.timers().f);
}

void NonInviteClient::on_response(Core& core, const Received& response) {
  if (state() == TxnState::Completed) {
    layer_.count(TxnCounter::ResponsesAbsorbed);
    return;
  }
  if (response.message().status() < 200) {
    enter(TxnState::Proceeding);
  } else {
    retransmit_.cancel();
    request_.reset();
    enter(TxnState::Completed);
    terminate_after(core, reliable() ? Duration::zero() : layer_.timers().k);
  }
  layer_.user().on_response(core, *this, response);
}

void NonInviteClient::on_retransmit_timer(Core& core) {
  send_copy(core, request_, TxnCounter::RequestsRetransmitted);
  const Duration t2 = layer_.timers().t2;
  interval_ = state() == TxnState::Proceeding ? t2 : std::min(2 * interval_, t2);
  core.arm(retransmit_, interval_);
}

void NonInviteClient::on_deadline(Core& core) {
  const bool unanswered = state() != TxnState::Completed;
  terminate();
  if (!unanswered) return;
  layer_.count(TxnCounter::TimerF);
  layer_.user().on_timeout(core, *this);
}

void NonInviteClient::recycle() noexcept {
  ObjectPool<NonInviteClient>::Recycle{}(this);
}

}  // namespace sluice::sip
