// SPDX-License-Identifier: Apache-2.0
//
// CoreRuntime: everything one core owns, in the order in which it is built. Which of it exists
// follows from the core's role.
//
// Threads  Built by the control thread before the cores run; from then on its core's own. Counters
//          and the
//          loop's pulse may be read by any thread.
#pragma once

#include "apps/options/servant.h"
#include "apps/proxy/servant.h"
#include "apps/registrar/registrar.h"
#include "apps/sluice/core_plan.h"
#include "apps/sluice/idle_wait.h"
#include "apps/sluice/outbox.h"
#include "base/poll_loop.h"
#include "dataplane/worker.h"
#include "intercept/ingress.h"
#include "sipcore/proxy/proxy.h"
#include "sipcore/txn/layer.h"

#include <memory>
#include <optional>
#include <vector>

namespace sluice {

// Servant core: takes messages from the rings of the poll cores (or straight from its own ingress),
// inspects them if that was left to it, and gives them to the transaction layer.
class ServantIntake final : public sip::InboundHandler, public Poller {
 public:
  ServantIntake(sip::TransactionLayer& layer, intercept::Inspection* inspection,
                std::vector<intercept::InboundRing*> rings)
      : layer_(layer), inspection_(inspection), rings_(std::move(rings)) {}

  void on_message(Core& core, sip::InboundPointer inbound) noexcept override;
  std::uint32_t poll(Core& core) override;

  std::uint64_t messages() const noexcept { return messages_.value(); }

 private:
  sip::TransactionLayer& layer_;
  intercept::Inspection* inspection_;  // nullptr: the poll core has done it
  std::vector<intercept::InboundRing*> rings_;
  Counter messages_;
};

struct CoreRuntime {
  CoreRuntime(const PlannedCore& planned, Clock& clock, HashKey seed, IdlePolicy idling)
      : plan(planned), core(planned.id, planned.role, clock, seed), loop(core, idling, &idle) {}

  const PlannedCore plan;
  Core core;
  EpollIdleWait idle;
  PollLoop loop;

  std::unique_ptr<dataplane::Worker> worker;    // poll
  std::unique_ptr<CoreOutbox> outbox;           // every core
  std::unique_ptr<intercept::Refuser> refuser;  // every core
  std::unique_ptr<intercept::Inspection> inspection;
  std::unique_ptr<intercept::Ingress> ingress;  // poll
  std::unique_ptr<EgressPoller> egress;         // poll
  // servant
  std::unique_ptr<sip::TransactionLayer> transactions;
  std::unique_ptr<registrar::Registrar> registrar;
  std::unique_ptr<sip::RequestHandler> registrar_handler;
  std::unique_ptr<options::OptionsServant> options;
  std::unique_ptr<proxy::ProxyServant> policy;
  std::unique_ptr<sip::Proxy> proxy;
  std::unique_ptr<ServantIntake> intake;
};

}  // namespace sluice
