// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/invite_server.h"

#include "sipcore/txn/layer.h"

#include <algorithm>

namespace sluice::sip {

bool InviteServer::accepts(std::uint16_t status) const noexcept {
  switch (state()) {
    case TxnState::Proceeding:
      return true;
    case TxnState::Accepted:
      return status >= 200 && status < 300;
    default:
      return false;
  }
}

void InviteServer::on_sent(Core& core, std::uint16_t status) {
  const TimerOptions& timers = layer_.timers();
  if (status < 200) {
    retransmit_.cancel();  // the 100 that was due
    provisional_sent_ = true;
    return;
  }
  if (state() == TxnState::Accepted) return;
  retransmit_.cancel();
  request_.reset();
  if (status < 300) {
    // RFC 6026 8.4: the 2xx is retransmitted by whoever made it, not by the transaction.
    reply_.reset();
    enter(TxnState::Accepted);
    core.arm(deadline_, timers.l);
    return;
  }
  enter(TxnState::Completed);
  if (!reliable()) {
    interval_ = timers.t1;
    core.arm(retransmit_, interval_);
  }
  core.arm(deadline_, timers.h);
}

void InviteServer::on_retransmission(Core& core) {
  layer_.count(TxnCounter::RequestsAbsorbed);
  if (state() == TxnState::Proceeding || state() == TxnState::Completed) {
    send_copy(core, reply_, TxnCounter::ResponsesRetransmitted);
  }
}

bool InviteServer::on_ack(Core& core) {
  switch (state()) {
    case TxnState::Accepted:
      return true;
    case TxnState::Completed:
      layer_.count(TxnCounter::AcksAbsorbed);
      retransmit_.cancel();
      reply_.reset();
      enter(TxnState::Confirmed);
      terminate_after(core, reliable() ? Duration::zero() : layer_.timers().i);
      return false;
    default:
      layer_.count(TxnCounter::AcksAbsorbed);
      return false;
  }
}

void InviteServer::on_unanswered(Core& core) {
  const Duration trying = layer_.timers().trying;
  if (provisional_sent_) return;
  if (trying <= Duration::zero()) {
    respond(core, {.status = 100});
  } else {
    core.arm(retransmit_, trying);
  }
}

void InviteServer::on_retransmit_timer(Core& core) {
  if (state() == TxnState::Proceeding) {
    respond(core, {.status = 100});
    return;
  }
  send_copy(core, reply_, TxnCounter::ResponsesRetransmitted);
  interval_ = std::min(2 * interval_, layer_.timers().t2);
  core.arm(retransmit_, interval_);
}

void InviteServer::on_deadline(Core& core) {
  if (state() == TxnState::Completed) {
    layer_.count(TxnCounter::TimerH);
    layer_.user().on_ack_timeout(core, *this);
  }
  terminate();
}

void InviteServer::recycle() noexcept {
  ObjectPool<InviteServer>::Recycle{}(this);
}

}  // namespace sluice::sip
