// SPDX-License-Identifier: Apache-2.0
//
// Phone: a user agent for simulations: places and takes calls, repeats its 2xx until they are
// acknowledged (RFC 3261 13.3.1.4), acknowledges every 2xx (13.2.2.4), and says how each call
// ended.
#pragma once

#include "sipcore/txn/layer.h"
#include "tests/support/lossy_net.h"

#include <map>
#include <string>

namespace sluice::test {

class Phone final : public sip::TransactionUser {
 public:
  enum class Plan { Answer, Reject, Ring };

  struct Call {
    std::string id;
    bool caller = false;
    std::string end;  // "" while it lives
    bool bye_done = false;
    // Dialog.
    std::string local;  // From or To as we write it
    std::string remote;
    std::string routes;  // Route lines
    int cseq = 1;
    // Caller.
    sip::ClientTransaction* invite = nullptr;
    std::string ack;
    bool cancel_at_provisional = false;
    // Callee.
    sip::ServerTransaction* server = nullptr;
    std::string ok;  // the 2xx
    Endpoint ok_to;
    Duration ok_interval{};
    Instant ok_next{};
    Instant ok_until{};
    bool acknowledged = false;
  };

  Phone(Core& core, LossyNet& net, std::string address, std::string proxy, const HashKey& secret);

  void place(const std::string& id, bool cancel);
  // Callee: what becomes of a call that rings.
  void ring(const std::string& id, Plan plan);
  void hang_up(const std::string& id);
  // Repeats what is due.
  void tick();

  std::map<std::string, Call> calls;
  std::uint32_t lent() { return layer_.lent() + outbox_.lent(); }

 private:
  void on_request(Core&, sip::ServerTransaction&, const sip::Received&) override;
  void on_ack(Core&, const sip::Received&) override;
  void on_cancel(Core&, sip::ServerTransaction&, const sip::Received&) override;
  void on_response(Core&, sip::ClientTransaction&, const sip::Received&) override;
  void on_timeout(Core&, sip::ClientTransaction&) override;
  void on_transport_error(Core&, sip::ClientTransaction&) override {}
  void on_terminated(sip::ServerTransaction&) override;
  void on_terminated(sip::ClientTransaction&) override;

  sip::ClientTransaction* send_request(const Call& call, const std::string& method,
                                       const std::string& uri, const std::string& more);
  void send_raw(const std::string& text, const Endpoint& to);
  void answer_ok(Call& call);

  Core& core_;
  LossyNet& net_;
  NetOutbox outbox_;
  const std::string address_;
  const std::string proxy_;
  sip::TransactionLayer layer_;
};

}  // namespace sluice::test
