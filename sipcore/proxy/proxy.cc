// SPDX-License-Identifier: Apache-2.0
#include "sipcore/proxy/proxy.h"

namespace sluice::sip {

Proxy::Proxy(TransactionLayer& layer, Outbox& outbox, TargetPolicy& policy,
             const NextHopResolver& resolver, const HashKey& loop_key, const ProxyOptions& options)
    : layer_(layer),
      outbox_(outbox),
      policy_(policy),
      resolver_(resolver),
      loop_key_(loop_key),
      options_(options),
      contexts_(options.contexts),
      branches_(options.branches),
      waiting_(options.waiting_targets) {
  layer_.set_user(*this);
}

Proxy::~Proxy() {
  // The transactions would call us back when they end.
  while (first_ != nullptr) {
    TransactionLayer::Scope scope(layer_);
    ResponseContext& context = *first_;
    for (ProxyBranch* each = context.branches; each != nullptr; each = each->next) {
      if (each->client != nullptr) each->client->abandon();
    }
    if (context.server != nullptr) context.server->abandon();
  }
}

ResponseContext* Proxy::make_context(ServerTransaction& server) {
  ResponseContext* context = contexts_.make(*this, server).release();
  if (context == nullptr) return nullptr;
  counters_[ProxyCounter::Contexts].add();
  context->next = first_;
  if (first_ != nullptr) first_->previous = context;
  first_ = context;
  server.set_context(context);
  return context;
}

void Proxy::on_terminated(ServerTransaction& server) {
  auto* context = server.context<ResponseContext>();
  if (context == nullptr) return;
  context->server = nullptr;
  context->answered = true;
  release_if_over(*context);
}

void Proxy::on_terminated(ClientTransaction& client) {
  auto* branch = client.context<ProxyBranch>();
  if (branch == nullptr) return;
  branch->client = nullptr;
  branch->timer_c.cancel();
  release_if_over(branch->context);
}

void Proxy::release_if_over(ResponseContext& context) noexcept {
  if (context.server != nullptr) return;
  for (const ProxyBranch* each = context.branches; each != nullptr; each = each->next) {
    if (each->client != nullptr) return;
  }
  destroy(context);
}

void Proxy::destroy(ResponseContext& context) noexcept {
  while (ProxyBranch* branch = context.branches) {
    context.branches = branch->next;
    ObjectPool<ProxyBranch>::Recycle{}(branch);
  }
  (context.previous != nullptr ? context.previous->next : first_) = context.next;
  if (context.next != nullptr) context.next->previous = context.previous;
  counters_[ProxyCounter::Contexts].subtract();
  ObjectPool<ResponseContext>::Recycle{}(&context);
}

std::uint32_t Proxy::lent() noexcept {
  return contexts_.count() - contexts_.count_free() +  //
         branches_.count() - branches_.count_free() +  //
         waiting_.count() - waiting_.count_free();
}

}  // namespace sluice::sip
