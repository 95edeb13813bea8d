// SPDX-License-Identifier: Apache-2.0
//
// What the proxy does with requests: RFC 3261 16.3-16.6, 16.10 and 16.11.
#include "sipcore/proxy/proxy.h"

namespace sluice::sip {
namespace {

ProxyCounter refusal_counter(std::uint16_t status) {
  switch (status) {
    case 416:
      return ProxyCounter::RefusedScheme;
    case 482:
      return ProxyCounter::RefusedLoop;
    case 483:
      return ProxyCounter::RefusedTooManyHops;
    default:
      return ProxyCounter::RefusedProxyRequire;
  }
}

RoutedRequest routed(const Received& received, const RoutePlan& plan) {
  return {.received = received,
          .request_uri = plan.request_uri,
          .top_route = plan.top,
          .routed_by_us = plan.removed_front > 0 || plan.removed_last,
          .in_dialog = !received.essentials.to_tag.empty()};
}

}  // namespace

void Proxy::on_request(Core& core, ServerTransaction& server, const Received& request) {
  const RoutePlan plan = plan_routes(core, policy_, request.message(), request.essentials);
  const RoutedRequest view = routed(request, plan);
  if (RequestHandler* handler = policy_.handler_for(core, view)) {
    handler->on_request(core, request, server);
    return;
  }
  const std::uint64_t loop = loop_hash(loop_key_, request.message(), request.essentials);
  if (refuse_by_rules(core, server, request, plan, loop)) return;

  targets_.clear();
  const Decision decision = policy_.targets_for(core, view, targets_);
  if (decision.status != 0) {
    server.respond(core, {.status = decision.status, .reason = decision.reason});
  } else if (targets_.empty()) {
    server.respond(core, {.status = 480});
  } else {
    start(core, server, request, plan, loop, decision.record_route);
  }
}

bool Proxy::refuse_by_rules(Core& core, ServerTransaction& server, const Received& request,
                            const RoutePlan& plan, std::uint64_t loop) {
  const Refusal refusal =
      validate(request.message(), request.essentials, plan, loop, options_.supported);
  if (refusal.status == 0) return false;
  counters_[refusal_counter(refusal.status)].add();
  const HeaderLine unsupported[] = {{"Unsupported", refusal.unsupported()}};
  Response response{.status = refusal.status};
  if (refusal.status == 420) response.headers = unsupported;
  server.respond(core, response);
  return true;
}

void Proxy::start(Core& core, ServerTransaction& server, const Received& request,
                  const RoutePlan& plan, std::uint64_t loop, bool record_route) {
  const Message& message = request.message();
  // RFC 5393 5.3: how many branches this request may still have at once, all proxies together.
  const HeaderField* field = message.find(HeaderId::MaxBreadth);
  std::uint32_t breadth = options_.max_breadth;
  if (field != nullptr) breadth = parse_number(message.value(*field)).value_or(breadth);
  if (breadth == 0) {
    counters_[ProxyCounter::RefusedBreadth].add();
    server.respond(core, {.status = 440, .reason = "Max-Breadth Exceeded"});
    return;
  }
  ResponseContext* context = make_context(server);
  if (context == nullptr) {
    counters_[ProxyCounter::NoRoom].add();
    server.respond(core, {.status = 503});
    return;
  }
  context->loop = loop;
  context->breadth = breadth;
  context->set_breadth = field != nullptr || request.essentials.to_tag.empty();
  context->listener = request.inbound.listener;
  context->record_route = record_route;
  const Source source{message, request.essentials, request.inbound.source, plan};
  do {
    start_group(core, *context, source, targets_);
  } while (!context->has_pending_branch() && !targets_.empty());
  if (!targets_.empty() && !context->answered) {
    context->later = waiting_.make(targets_);
    if (context->later == nullptr) counters_[ProxyCounter::TargetsDropped].add(targets_.size());
  }
  proceed(core, *context);
}

// Starts the targets with the highest q. Does not look at what came of it: proceed() does.
void Proxy::start_group(Core& core, ResponseContext& context, const Source& source,
                        TargetSet& targets) {
  const std::span<const Target> group = targets.take_group(context.breadth);
  const auto count = static_cast<std::uint32_t>(group.size());
  std::uint32_t breadth_left = context.breadth;
  for (std::uint32_t i = 0; i < count; ++i) {
    ProxyBranch* branch = branches_.make(context).release();
    if (branch == nullptr) {
      counters_[ProxyCounter::NoRoom].add();
      counters_[ProxyCounter::TargetsDropped].add(count - i);
      return;
    }
    branch->next = context.branches;
    context.branches = branch;
    const std::uint32_t share = breadth_left / (count - i);
    breadth_left -= share;
    branch->status = start_branch(core, *branch, source, group[i], context.set_breadth ? share : 0);
  }
}

void Proxy::start_later_group(Core& core, ResponseContext& context) {
  // The request as the transaction keeps it while it is unanswered.
  Message message;
  Essentials essentials;
  const ByteView bytes = context.server->request_bytes();
  if (message.parse(bytes, layer_.limits()) && check(message, layer_.limits(), essentials)) {
    const RoutePlan plan = plan_routes(core, policy_, message, essentials);
    start_group(core, context, {message, essentials, context.server->source(), plan},
                *context.later);
  } else {
    context.later->clear();
  }
  if (context.later->empty()) context.later.reset();
}

std::uint16_t Proxy::find_way(Core& core, const RoutePlan& plan, const Target& target, Way& way) {
  const auto step = step_to(plan, target);
  std::optional<NextHop> next = target.next_hop;
  if (step && !next) next = resolver_.resolve(core, step->next);
  if (!step || !next) {
    counters_[ProxyCounter::Unresolvable].add();
    return 478;
  }
  way.step = *step;
  way.out = target.listener != kNoListener ? outbox_.listener(target.listener)
                                           : outbox_.select(next->transport, next->remote.address);
  if (way.out == nullptr) {
    counters_[ProxyCounter::NoWayOut].add();
    return 478;
  }
  way.hop = {next->remote, target.flow, way.out->id, way.out->transport};
  return 0;
}

std::uint16_t Proxy::start_branch(Core& core, ProxyBranch& branch, const Source& source,
                                  const Target& target, std::uint32_t breadth) {
  Way way;
  if (const std::uint16_t status = find_way(core, source.plan, target, way)) return status;
  const ResponseContext& context = branch.context;
  const Branch via_branch = layer_.mint_branch(core, context.loop);
  const Forwarding forwarding{
      .message = source.message,
      .essentials = source.essentials,
      .source = source.from,
      .plan = source.plan,
      .target = target,
      .step = way.step,
      .out = *way.out,
      .record = context.record_route ? outbox_.listener(context.listener) : nullptr,
      .branch = via_branch.text(),
      .max_breadth = breadth};
  const auto estimate = source.message.size() + 640 +
                        static_cast<std::uint32_t>(target.uri.size() + target.route.size());
  OwnedBytes bytes = layer_.write(core, estimate, [&](std::span<std::uint8_t> out) {
    return write_forwarded(forwarding, out);
  });
  branch.client = layer_.send_request(core, {.method = source.message.method(),
                                             .method_text = source.message.method_text(),
                                             .branch = via_branch.text(),
                                             .bytes = std::move(bytes),
                                             .hop = way.hop,
                                             .context = &branch});
  if (branch.client == nullptr) {
    counters_[ProxyCounter::NoRoom].add();
    return 503;
  }
  counters_[ProxyCounter::RequestsForwarded].add();
  if (context.invite) core.arm(branch.timer_c, options_.timer_c);
  return 0;
}

// An ACK for a 2xx goes end to end: no transaction, no answer whatever happens (RFC 3261 16.11).
void Proxy::on_ack(Core& core, const Received& ack) {
  const Message& message = ack.message();
  const RoutePlan plan = plan_routes(core, policy_, message, ack.essentials);
  const std::uint64_t loop = loop_hash(loop_key_, message, ack.essentials);
  targets_.clear();
  Way way;
  if (validate(message, ack.essentials, plan, loop, options_.supported).status != 0 ||
      policy_.targets_for(core, routed(ack, plan), targets_).status != 0 || targets_.empty() ||
      find_way(core, plan, targets_[0], way) != 0) {
    counters_[ProxyCounter::AcksDropped].add();
    return;
  }
  // The same for every retransmission, as a stateless proxy has it.
  const Branch branch(layer_.servant(), loop, siphash13(loop_key_, ack.essentials.via.text));
  const Forwarding forwarding{.message = message,
                              .essentials = ack.essentials,
                              .source = ack.inbound.source,
                              .plan = plan,
                              .target = targets_[0],
                              .step = way.step,
                              .out = *way.out,
                              .branch = branch.text()};
  OwnedBytes bytes = layer_.write(core, message.size() + 640, [&](std::span<std::uint8_t> out) {
    return write_forwarded(forwarding, out);
  });
  const bool sent = layer_.send_stateless(core, std::move(bytes), way.hop);
  counters_[sent ? ProxyCounter::AcksForwarded : ProxyCounter::AcksDropped].add();
}

void Proxy::on_cancel(Core& core, ServerTransaction& invite, const Received& cancel) {
  auto* context = invite.context<ResponseContext>();
  if (context == nullptr || context->answered) return;
  context->cancelled = true;
  context->later.reset();
  // RFC 3326 2: the reason goes along. One is what anybody sends.
  const HeaderLine reason[] = {{"Reason", cancel.message().value(HeaderId::Reason)}};
  cancel_pending(core, *context, std::span(reason).first(reason[0].value.empty() ? 0 : 1));
}

}  // namespace sluice::sip
