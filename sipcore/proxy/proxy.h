// SPDX-License-Identifier: Apache-2.0
//
// Proxy: a transaction-stateful, forking proxy (RFC 3261 16) without an opinion: a TargetPolicy has
// that.
//
// Read first: RFC 3261 16.3-16.10; RFC 6026 (late 2xx); RFC 4320 (non-INVITE never gets 408); RFC
// 5393.
//
// Threads  One servant core; the counters may be read by any thread.
// Memory   Contexts, branches and waiting targets from pools of fixed size. Messages are kept by
//          the transactions; the proxy keeps a copy only of final responses that wait for other
//          branches.
// Errors   No room: 503 for the request, or 503 as the branch's response. Everything is counted.
#pragma once

#include "base/pool.h"
#include "sipcore/proxy/context.h"
#include "sipcore/proxy/forward.h"
#include "sipcore/proxy/policy.h"
#include "sipcore/proxy/proxy_counters.h"
#include "sipcore/proxy/resolver.h"
#include "sipcore/proxy/validate.h"
#include "sipcore/txn/layer.h"

#include <chrono>
#include <span>

namespace sluice::sip {

struct ProxyOptions {
  // How long a callee may ring without a further 1xx: more than 3 minutes (RFC 3261 16.6 step 11).
  Duration timer_c = std::chrono::seconds{190};
  std::uint32_t contexts = 16'384;
  std::uint32_t branches = 32'768;
  std::uint32_t waiting_targets = 1'024;  // contexts with targets of a lower q
  std::uint32_t max_breadth = 60;         // of a request that does not say (RFC 5393 5.3.3)
  // Option tags allowed in Proxy-Require.
  std::span<const std::string_view> supported = {};
};

class Proxy final : public TransactionUser {
 public:
  // Makes itself the layer's user; must be destroyed before it. `loop_key`: shared by all cores.
  Proxy(TransactionLayer& layer, Outbox& outbox, TargetPolicy& policy,
        const NextHopResolver& resolver, const HashKey& loop_key, const ProxyOptions& options);
  ~Proxy() override;

  void on_request(Core& core, ServerTransaction& server, const Received& request) override;
  void on_ack(Core& core, const Received& ack) override;
  void on_cancel(Core& core, ServerTransaction& invite, const Received& cancel) override;
  void on_response(Core& core, ClientTransaction& client, const Received& response) override;
  void on_timeout(Core& core, ClientTransaction& client) override;
  void on_transport_error(Core& core, ClientTransaction& client) override;
  void on_terminated(ServerTransaction& server) override;
  void on_terminated(ClientTransaction& client) override;

  const ProxyCounters& counters() const noexcept { return counters_; }
  // Objects that are out of their pools: tests and shutdown checks.
  std::uint32_t lent() noexcept;

 private:
  friend struct ProxyBranch;

  // A request as it is forwarded: on arrival, or later from the transaction's copy.
  struct Source {
    const Message& message;
    const Essentials& essentials;
    const Endpoint& from;
    const RoutePlan& plan;
  };

  // request.cc
  bool refuse_by_rules(Core& core, ServerTransaction& server, const Received& request,
                       const RoutePlan& plan, std::uint64_t loop);
  void start(Core& core, ServerTransaction& server, const Received& request, const RoutePlan& plan,
             std::uint64_t loop, bool record_route);
  void start_group(Core& core, ResponseContext& context, const Source& source, TargetSet& targets);
  void start_later_group(Core& core, ResponseContext& context);
  std::uint16_t start_branch(Core& core, ProxyBranch& branch, const Source& source,
                             const Target& target, std::uint32_t breadth);
  // The way to a target. Not 0: the status of a branch that cannot have one.
  struct Way {
    RouteStep step;
    Hop hop;
    const Listener* out = nullptr;
  };
  std::uint16_t find_way(Core& core, const RoutePlan& plan, const Target& target, Way& way);

  // response.cc
  void on_provisional(Core& core, ProxyBranch& branch, const Received& response);
  void on_final(Core& core, ProxyBranch& branch, const Received& response);
  // A branch has failed without a response.
  void fail(Core& core, ProxyBranch& branch, std::uint16_t status);
  // Something has ended: go on to the next group, or answer when all is over.
  void proceed(Core& core, ResponseContext& context);
  void answer(Core& core, ResponseContext& context);
  bool relay(Core& core, ResponseContext& context, const Message& response,
             std::string_view challenges);
  void relay_best(Core& core, ResponseContext& context, const ProxyBranch& best);
  void cancel_pending(Core& core, ResponseContext& context, std::span<const HeaderLine> headers);
  void send_cancel(Core& core, ProxyBranch& branch, std::span<const HeaderLine> headers);
  void on_timer_c(Core& core, ProxyBranch& branch);

  ResponseContext* make_context(ServerTransaction& server);
  void release_if_over(ResponseContext& context) noexcept;
  void destroy(ResponseContext& context) noexcept;

  // Constant after construction.
  TransactionLayer& layer_;
  Outbox& outbox_;
  TargetPolicy& policy_;
  const NextHopResolver& resolver_;
  const HashKey loop_key_;
  const ProxyOptions options_;
  // The core's own.
  ObjectPool<ResponseContext> contexts_;
  ObjectPool<ProxyBranch> branches_;
  ObjectPool<TargetSet> waiting_;
  ResponseContext* first_ = nullptr;
  TargetSet targets_;  // of the request in hand
  // Written by the core, read by any.
  ProxyCounters counters_;
};

}  // namespace sluice::sip
