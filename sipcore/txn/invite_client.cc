// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/invite_client.h"

#include "sipcore/txn/layer.h"
#include "sipcore/write/request.h"

namespace sluice::sip {

void InviteClient::on_sent(Core& core) {
  if (!reliable()) {
    interval_ = layer_.timers().t1;
    core.arm(retransmit_, interval_);
  }
  core.arm(deadline_, layer_.timers().b);
}

void InviteClient::on_response(Core& core, const Received& response) {
  const std::uint16_t status = response.message().status();
  switch (state()) {
    case TxnState::Calling:
    case TxnState::Proceeding:
      retransmit_.cancel();
      deadline_.cancel();
      if (status < 200) {
        enter(TxnState::Proceeding);
      } else if (status < 300) {
        request_.reset();
        enter(TxnState::Accepted);
        core.arm(deadline_, layer_.timers().m);
      } else {
        enter(TxnState::Completed);
        acknowledge(core, response.message());
        terminate_after(core, reliable() ? Duration::zero() : layer_.timers().d);
      }
      layer_.user().on_response(core, *this, response);
      return;
    case TxnState::Completed:
      if (status >= 300) {
        layer_.count(TxnCounter::ResponsesAbsorbed);
        send_copy(core, reply_, TxnCounter::AcksRetransmitted);
      } else {
        layer_.count(TxnCounter::LateResponses);
      }
      return;
    case TxnState::Accepted:
      // RFC 6026 8.3: every 2xx goes up, retransmissions and those of other forks downstream alike.
      if (status >= 200 && status < 300) {
        layer_.user().on_response(core, *this, response);
      } else {
        layer_.count(TxnCounter::LateResponses);
      }
      return;
    default:
      return;
  }
}

// RFC 3261 17.1.1.3.
void InviteClient::acknowledge(Core& core, const Message& response) {
  Message invite;
  if (layer_.parse_copy(request_, invite)) {
    reply_ = layer_.write_copy(
        static_cast<std::uint32_t>(request_.size() + response.value(HeaderId::To).size()),
        [&](std::span<std::uint8_t> out) { return write_ack(invite, response, out); });
    layer_.send_bytes(core, reply_.view(), hop());
  }
  request_.reset();
  if (reliable()) reply_.reset();
}

void InviteClient::on_retransmit_timer(Core& core) {
  send_copy(core, request_, TxnCounter::RequestsRetransmitted);
  interval_ *= 2;
  core.arm(retransmit_, interval_);
}

void InviteClient::on_deadline(Core& core) {
  if (state() == TxnState::Calling) {
    layer_.count(TxnCounter::TimerB);
    terminate();
    layer_.user().on_timeout(core, *this);
    return;
  }
  terminate();
}

void InviteClient::recycle() noexcept {
  ObjectPool<InviteClient>::Recycle{}(this);
}

}  // namespace sluice::sip
