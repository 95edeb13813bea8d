// SPDX-License-Identifier: Apache-2.0
//
// What the proxy does with responses: RFC 3261 16.7-16.9.
#include "sipcore/proxy/proxy.h"

#include <cstring>

namespace sluice::sip {
namespace {

constexpr HeaderLine kCompletedElsewhere[] = {
    {"Reason", "SIP;cause=200;text=\"Call completed elsewhere\""}};

bool is_challenge(std::uint16_t status) {
  return status == 401 || status == 407;
}

// 16.7 step 6: 6xx before all, then the lowest class; within 4xx what tells the caller how to try
// again; an answer before what we made up. Lower is better.
int rank(const ProxyBranch& branch) {
  const bool made_up = branch.live == nullptr && !branch.final;
  const int within = [&] {
    if (made_up) return 3;
    switch (branch.status) {
      case 401:
      case 407:
      case 415:
      case 420:
      case 484:
        return 0;
      case 408:
      case 487:
        return 2;
      default:
        return 1;
    }
  }();
  const int response_class = branch.status / 100;
  return (response_class == 6 ? 0 : response_class) * 4 + within;
}

// The message of a branch's final response: the one in hand, or the kept one parsed again.
const Message* final_message(const ProxyBranch& branch, const Limits& limits, Message& space) {
  if (branch.live != nullptr) return &branch.live->message();
  if (!branch.final || !space.parse(branch.final.view(), limits)) return nullptr;
  return &space;
}

// Complete header lines, as far as they fit.
class Lines {
 public:
  void add(const Message& message, HeaderId id) noexcept {
    for (const HeaderField* field = message.find(id); field != nullptr;
         field = message.next(*field)) {
      const std::string_view line = message.at(field->line);
      if (size_ + line.size() > text_.size()) return;
      std::memcpy(&text_[size_], line.data(), line.size());
      size_ += line.size();
    }
  }
  std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  std::size_t size_ = 0;
  std::array<char, 4096> text_;
};

}  // namespace

void ProxyBranch::on_timer_c(Core& core) {
  context.proxy.on_timer_c(core, *this);
}

void Proxy::on_response(Core& core, ClientTransaction& client, const Received& response) {
  auto* branch = client.context<ProxyBranch>();
  if (branch == nullptr) return;  // the answer to our CANCEL
  if (response.message().status() < 200) {
    on_provisional(core, *branch, response);
  } else {
    on_final(core, *branch, response);
  }
}

void Proxy::on_provisional(Core& core, ProxyBranch& branch, const Received& response) {
  ResponseContext& context = branch.context;
  const std::uint16_t status = response.message().status();
  branch.ringing = true;
  if (branch.cancel_wanted && !branch.cancel_sent) {
    send_cancel(core, branch,
                context.answered ? std::span(kCompletedElsewhere) : std::span<const HeaderLine>{});
  }
  // 16.7 step 2.
  if (status > 100 && context.invite && !branch.cancel_sent) {
    core.arm(branch.timer_c, options_.timer_c);
  }
  // Step 5: 100 ends here; RFC 4320 4.1 knows no other 1xx for a non-INVITE.
  if (status > 100 && context.invite && !context.answered) {
    relay(core, context, response.message(), {});
  }
}

void Proxy::on_final(Core& core, ProxyBranch& branch, const Received& response) {
  ResponseContext& context = branch.context;
  const std::uint16_t status = response.message().status();
  const bool first = branch.pending();
  branch.timer_c.cancel();
  if (status < 300) {
    if (first) branch.status = status;
    // Step 5: every 2xx for an INVITE, at once; otherwise the first alone.
    if (context.server == nullptr || (!context.invite && context.answered)) {
      counters_[ProxyCounter::ResponsesDropped].add();
      return;
    }
    context.answered = true;
    context.later.reset();
    relay(core, context, response.message(), {});
    // Step 10.
    if (first) cancel_pending(core, context, kCompletedElsewhere);
    return;
  }
  if (!first) return;
  branch.status = status;
  if (context.answered) return;
  // Step 5: a 6xx is the last word, but waits for the others to have theirs: one may still be a
  // 2xx.
  if (status >= 600) {
    context.later.reset();
    cancel_pending(core, context, {});
  }
  branch.live = &response;
  proceed(core, context);
  branch.live = nullptr;
  if (!context.answered) branch.final = layer_.keep(response.message().text());
}

void Proxy::on_timeout(Core& core, ClientTransaction& client) {
  if (auto* branch = client.context<ProxyBranch>()) fail(core, *branch, 408);
}

void Proxy::on_transport_error(Core& core, ClientTransaction& client) {
  // 16.9.
  if (auto* branch = client.context<ProxyBranch>()) fail(core, *branch, 503);
}

void Proxy::fail(Core& core, ProxyBranch& branch, std::uint16_t status) {
  branch.timer_c.cancel();
  if (!branch.pending()) return;
  branch.status = status;
  proceed(core, branch.context);
}

void Proxy::proceed(Core& core, ResponseContext& context) {
  while (!context.answered && !context.has_pending_branch()) {
    if (context.later == nullptr) {
      answer(core, context);
      return;
    }
    start_later_group(core, context);
  }
}

// All branches are over and none has brought a 2xx.
void Proxy::answer(Core& core, ResponseContext& context) {
  context.answered = true;
  const ProxyBranch* best = nullptr;
  for (const ProxyBranch* each = context.branches; each != nullptr; each = each->next) {
    // RFC 4320 4.2: a timeout of a non-INVITE is told to nobody.
    if (!context.invite && each->status == 408) continue;
    if (best == nullptr || rank(*each) < rank(*best)) best = each;
  }
  if (best == nullptr) {
    if (context.branches == nullptr) {
      context.server->respond(core, {.status = 503});
    } else {
      context.server->abandon();
    }
    return;
  }
  relay_best(core, context, *best);
  for (ProxyBranch* each = context.branches; each != nullptr; each = each->next) {
    each->final.reset();
  }
}

void Proxy::relay_best(Core& core, ResponseContext& context, const ProxyBranch& best) {
  ServerTransaction& server = *context.server;
  Message space;
  const Message* response = final_message(best, layer_.limits(), space);
  if (response == nullptr) {
    std::uint16_t status = best.status;
    if (context.cancelled && status == 408) status = 487;
    server.respond(core,
                   {.status = status, .reason = status == 478 ? "Unresolvable destination" : ""});
    return;
  }
  // Step 6: 503 is about the next hop, and would make the caller leave us.
  if (best.status == 503) {
    server.respond(core, {.status = 500});
    return;
  }
  // Step 7: the caller needs every challenge to satisfy all branches at once.
  Lines challenges;
  if (is_challenge(best.status)) {
    for (const ProxyBranch* each = context.branches; each != nullptr; each = each->next) {
      if (each == &best || !is_challenge(each->status)) continue;
      Message other_space;
      const Message* other = final_message(*each, layer_.limits(), other_space);
      if (other == nullptr) continue;
      challenges.add(*other, HeaderId::WwwAuthenticate);
      challenges.add(*other, HeaderId::ProxyAuthenticate);
    }
  }
  if (!relay(core, context, *response, challenges.text())) server.respond(core, {.status = 500});
}

bool Proxy::relay(Core& core, ResponseContext& context, const Message& response,
                  std::string_view challenges) {
  OwnedBytes bytes =
      layer_.write(core, response.size() + static_cast<std::uint32_t>(challenges.size()),
                   [&](std::span<std::uint8_t> out) {
                     return write_relayed_response(response, challenges, out);
                   });
  const bool sent = context.server != nullptr && bytes &&
                    context.server->send_response(core, response.status(), std::move(bytes));
  counters_[sent ? ProxyCounter::ResponsesForwarded : ProxyCounter::ResponsesDropped].add();
  return sent;
}

void Proxy::cancel_pending(Core& core, ResponseContext& context,
                           std::span<const HeaderLine> headers) {
  if (!context.invite) return;
  for (ProxyBranch* each = context.branches; each != nullptr; each = each->next) {
    if (!each->pending() || each->cancel_sent) continue;
    if (each->ringing) {
      send_cancel(core, *each, headers);
    } else {
      each->cancel_wanted = true;
    }
  }
}

void Proxy::send_cancel(Core& core, ProxyBranch& branch, std::span<const HeaderLine> headers) {
  if (branch.client == nullptr) return;
  branch.cancel_sent = true;
  if (layer_.send_cancel(core, *branch.client, headers)) counters_[ProxyCounter::Cancels].add();
  // 9.1: a peer that does not end the INVITE within 64*T1 of its CANCEL never will.
  core.arm(branch.timer_c, layer_.timers().b);
}

// 16.8.
void Proxy::on_timer_c(Core& core, ProxyBranch& branch) {
  TransactionLayer::Scope scope(layer_);
  if (branch.ringing && !branch.cancel_sent) {
    counters_[ProxyCounter::TimerC].add();
    send_cancel(core, branch, {});
    return;
  }
  if (branch.client != nullptr) branch.client->abandon();
  fail(core, branch, 408);
}

}  // namespace sluice::sip
