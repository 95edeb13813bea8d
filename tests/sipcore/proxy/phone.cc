// SPDX-License-Identifier: Apache-2.0
#include "tests/sipcore/proxy/phone.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;  // NOLINT: durations

sip::TransactionOptions options() {
  sip::TransactionOptions options;
  options.invite_servers = options.invite_clients = 512;
  options.non_invite_servers = options.non_invite_clients = 512;
  options.messages = {{{1'024, 2'048}, {4'096, 64}}};
  return options;
}

std::string routes_from(const sip::Message& message, bool reverse) {
  std::string lines;
  sip::for_each_value(message, sip::HeaderId::RecordRoute,
                      [&](std::string_view value, const sip::HeaderField&) {
                        const std::string line = "Route: " + std::string(value) + "\r\n";
                        lines = reverse ? line + lines : lines + line;
                        return true;
                      });
  return lines;
}

}  // namespace

Phone::Phone(Core& core, LossyNet& net, std::string address, std::string proxy,
             const HashKey& secret)
    : core_(core),
      net_(net),
      outbox_(net, address),
      address_(std::move(address)),
      proxy_(std::move(proxy)),
      layer_(0, options(), {}, secret, outbox_) {
  layer_.set_user(*this);
  net.attach(*Endpoint::parse(address_), [this](const std::string& text, const Endpoint& from) {
    if (auto inbound = outbox_.inbound(text, from)) layer_.on_message(core_, std::move(inbound));
  });
}

void Phone::place(const std::string& id, bool cancel) {
  Call& call = calls[id];
  call.id = id;
  call.caller = true;
  call.local = "<sip:alice@example.com>;tag=a" + id;
  call.remote = "<sip:bob@example.com>";
  call.cancel_at_provisional = cancel;
  call.invite = send_request(call, "INVITE", "sip:bob@example.com", "");
}

sip::ClientTransaction* Phone::send_request(const Call& call, const std::string& method,
                                            const std::string& uri, const std::string& more) {
  const sip::Branch branch = layer_.mint_branch(core_, 0);
  const std::string text =
      method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + address_ +
      ";branch=" + std::string(branch.text()) + "\r\nMax-Forwards: 70\r\nFrom: " + call.local +
      "\r\nTo: " + call.remote + "\r\nCall-ID: " + call.id +
      "\r\nCSeq: " + std::to_string(call.cseq) + " " + method + "\r\nContact: <sip:" + address_ +
      ">\r\n" + call.routes + more + "Content-Length: 0\r\n\r\n";
  if (method == "ACK") {
    send_raw(text, *Endpoint::parse(proxy_));
    calls[call.id].ack = text;
    return nullptr;
  }
  OwnedBytes bytes = outbox_.allocate(core_, static_cast<std::uint32_t>(text.size()));
  std::memcpy(bytes.data(), text.data(), text.size());
  return layer_.send_request(core_, {.method = sip::method_from(method),
                                     .method_text = method,
                                     .branch = branch.text(),
                                     .bytes = std::move(bytes),
                                     .hop = {.remote = *Endpoint::parse(proxy_), .listener = 0}});
}

void Phone::send_raw(const std::string& text, const Endpoint& to) {
  net_.send(core_.now(), *Endpoint::parse(address_), to, text);
}

void Phone::on_response(Core& core, sip::ClientTransaction& transaction,
                        const sip::Received& response) {
  Call& call = calls[std::string(response.essentials.call_id)];
  const int status = response.message().status();
  if (transaction.method() == sip::Method::Bye) {
    if (status >= 200) call.bye_done = true;
    return;
  }
  if (transaction.method() != sip::Method::Invite) return;
  if (status < 200) {
    if (call.cancel_at_provisional) {
      call.cancel_at_provisional = false;
      layer_.send_cancel(core, transaction, {});
    }
    return;
  }
  if (status >= 300) {
    call.end = std::to_string(status);
    return;
  }
  if (!call.ack.empty()) {
    send_raw(call.ack, *Endpoint::parse(proxy_));
    return;
  }
  call.end = "200";
  call.remote = response.essentials.to.text;
  call.routes = routes_from(response.message(), true);
  const auto contact = sip::parse_name_addr(response.message().value(sip::HeaderId::Contact));
  send_request(call, "ACK", std::string(contact->uri), "");
}

void Phone::on_timeout(Core&, sip::ClientTransaction& transaction) {
  for (auto& [id, call] : calls) {
    if (call.invite == &transaction) call.end = "timeout";
  }
}

void Phone::on_request(Core& core, sip::ServerTransaction& transaction,
                       const sip::Received& request) {
  const std::string id(request.essentials.call_id);
  if (request.message().method() == sip::Method::Bye) {
    const auto call = calls.find(id);
    if (call != calls.end()) call->second.bye_done = true;
    transaction.respond(core,
                        {.status = static_cast<std::uint16_t>(call != calls.end() ? 200 : 481)});
    return;
  }
  Call& call = calls[id];
  call.id = id;
  call.server = &transaction;
  call.remote = request.essentials.from.text;
  call.local = std::string(request.essentials.to.text) + ";tag=b" + id;
  call.routes = routes_from(request.message(), false);
  // The 2xx, ready to be repeated.
  const sip::Message& message = request.message();
  std::string copied;
  for (const sip::HeaderField& field : message.headers()) {
    switch (field.id) {
      case sip::HeaderId::Via:
      case sip::HeaderId::From:
      case sip::HeaderId::CallId:
      case sip::HeaderId::CSeq:
      case sip::HeaderId::RecordRoute:
        copied += message.at(field.line);
        break;
      default:
        break;
    }
  }
  call.ok = "SIP/2.0 200 OK\r\n" + copied + "To: " + call.local + "\r\nContact: <sip:" + address_ +
            ">\r\nContent-Length: 0\r\n\r\n";
  call.ok_to = request.inbound.source;
  transaction.respond(core, {.status = 180});
}

void Phone::ring(const std::string& id, Plan plan) {
  Call& call = calls[id];
  if (call.server == nullptr || !call.end.empty()) return;
  if (plan == Plan::Answer) answer_ok(call);
  if (plan == Plan::Reject) {
    call.end = "486";
    call.server->respond(core_, {.status = 486});
  }
}

void Phone::answer_ok(Call& call) {
  call.end = "200";
  OwnedBytes bytes = outbox_.allocate(core_, static_cast<std::uint32_t>(call.ok.size()));
  std::memcpy(bytes.data(), call.ok.data(), call.ok.size());
  call.server->send_response(core_, 200, std::move(bytes));
  call.ok_interval = 500ms;
  call.ok_next = core_.now() + call.ok_interval;
  call.ok_until = core_.now() + 32s;
}

void Phone::tick() {
  for (auto& [id, call] : calls) {
    if (call.ok_until == Instant{} || call.acknowledged || core_.now() < call.ok_next) continue;
    if (core_.now() >= call.ok_until) {
      call.end = "no ack";
      call.acknowledged = true;
      continue;
    }
    send_raw(call.ok, call.ok_to);
    call.ok_interval = std::min<Duration>(2 * call.ok_interval, 4s);
    call.ok_next = core_.now() + call.ok_interval;
  }
}

void Phone::on_ack(Core&, const sip::Received& ack) {
  calls[std::string(ack.essentials.call_id)].acknowledged = true;
}

void Phone::on_cancel(Core& core, sip::ServerTransaction& invite, const sip::Received& cancel) {
  Call& call = calls[std::string(cancel.essentials.call_id)];
  if (!call.end.empty()) return;
  call.end = "487";
  invite.respond(core, {.status = 487});
}

void Phone::hang_up(const std::string& id) {
  Call& call = calls[id];
  ++call.cseq;
  send_request(call, "BYE", call.caller ? "sip:198.18.0.9:5060" : "sip:198.18.0.1:5060", "");
}

void Phone::on_terminated(sip::ServerTransaction& transaction) {
  for (auto& [id, call] : calls) {
    if (call.server == &transaction) call.server = nullptr;
  }
}

void Phone::on_terminated(sip::ClientTransaction& transaction) {
  for (auto& [id, call] : calls) {
    if (call.invite == &transaction) call.invite = nullptr;
  }
}

}  // namespace sluice::test
