// SPDX-License-Identifier: Apache-2.0
//
// SipWire: the world around a transaction layer, in one test: what it sends is caught, what it is
// to receive is made from text. Buffers come from pools, so that a test can ask whether all went
// home.
#pragma once

#include "base/pool.h"
#include "sipcore/inbound.h"
#include "sipcore/outbound.h"

#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

inline Endpoint endpoint(std::string_view text) {
  return *Endpoint::parse(text);
}

struct SentMessage {
  std::string text;
  Endpoint remote;
  ListenerId listener = kNoListener;
  Transport transport = Transport::Udp;

  // "INVITE" or "200".
  std::string what() const {
    const std::string line = text.substr(0, text.find("\r\n"));
    if (line.starts_with("SIP/2.0 ")) return line.substr(8, 3);
    return line.substr(0, line.find(' '));
  }
  std::string request_uri() const {
    const std::size_t begin = text.find(' ') + 1;
    return text.substr(begin, text.find(' ', begin) - begin);
  }
  // Values of the header fields with this name, in order, each as it stands.
  std::vector<std::string> headers(std::string_view name) const {
    std::vector<std::string> values;
    const std::string head = text.substr(0, text.find("\r\n\r\n") + 2);
    const std::string start = "\r\n" + std::string(name) + ": ";
    for (std::size_t at = head.find(start); at != std::string::npos;
         at = head.find(start, at + 2)) {
      const std::size_t begin = at + start.size();
      values.push_back(head.substr(begin, head.find("\r\n", begin) - begin));
    }
    return values;
  }
  std::string header(std::string_view name) const {
    const auto all = headers(name);
    return all.empty() ? std::string{} : all.front();
  }
  std::string body() const { return text.substr(text.find("\r\n\r\n") + 4); }
};

class SipWire final : public sip::Outbox {
 public:
  SipWire() {
    add_listener("198.18.0.2:5060", Transport::Udp, 0);
    add_listener("198.19.0.2:5060", Transport::Udp, 1);
    add_listener("198.18.0.2:5061", Transport::Tcp, 0);
  }

  // --- Outbox ---
  OwnedBytes allocate(Core&, std::uint32_t size) noexcept override {
    return buffers_.allocate(size, 0);
  }
  bool send(Core&, sip::Outbound&& message) noexcept override {
    if (refuse) return false;
    if (capture) {
      sent.push_back(
          {std::string(message.bytes.text()), message.remote, message.listener, message.transport});
    } else {
      last.assign(message.bytes.text());
      if (!last.starts_with("SIP/2.0")) last_request.assign(last);
    }
    return true;
  }
  // 198.19/16 is network 1, all else network 0.
  const sip::Listener* select(Transport transport,
                              const IpAddress& remote) const noexcept override {
    const bool core_side = remote.is_v4() && remote.bytes[0] == 198 && remote.bytes[1] == 19;
    for (const sip::Listener& each : listeners_) {
      if (each.transport == transport && each.network == (core_side ? 1 : 0)) return &each;
    }
    return nullptr;
  }
  const sip::Listener* listener(ListenerId id) const noexcept override {
    return id < listeners_.size() ? &listeners_[id] : nullptr;
  }

  // --- the test's side ---
  sip::InboundPointer inbound(std::string_view text, std::string_view source,
                              ListenerId listener_id = 0) {
    sip::InboundPointer inbound = inbounds_.make();
    inbound->bytes = receive_.allocate(static_cast<std::uint32_t>(text.size()), 0);
    std::memcpy(inbound->bytes.data(), text.data(), text.size());
    inbound->source = endpoint_of(source);
    inbound->local = listeners_[listener_id].local;
    inbound->listener = listener_id;
    inbound->transport = listeners_[listener_id].transport;
    if (!inbound->message.parse(inbound->bytes.view(), {})) return nullptr;
    return inbound;
  }

  SentMessage take() {
    if (sent.empty()) return {};
    SentMessage first = std::move(sent.front());
    sent.pop_front();
    return first;
  }
  // What was sent since the last call: "INVITE 100".
  std::string take_all() {
    std::string all;
    while (!sent.empty()) all += (all.empty() ? "" : " ") + take().what();
    return all;
  }

  std::uint32_t lent() {
    return buffers_.count() - buffers_.count_free() + receive_.count() - receive_.count_free() +
           inbounds_.count() - inbounds_.count_free();
  }

  std::deque<SentMessage> sent;
  bool refuse = false;  // the way out is full
  bool capture = true;  // false: only the last ones are kept, without the heap
  std::string last = std::string(65'536, '\0');
  std::string last_request = std::string(65'536, '\0');

 private:
  void add_listener(std::string_view address, Transport transport, std::uint16_t network) {
    listeners_.push_back({.id = static_cast<ListenerId>(listeners_.size()),
                          .transport = transport,
                          .local = endpoint(address),
                          .sent_by = address,
                          .network = network});
  }
  static Endpoint endpoint_of(std::string_view text) { return *Endpoint::parse(text); }

  std::vector<sip::Listener> listeners_;
  BufferPool buffers_{65'536, 64};
  BufferPool receive_{65'536, 16};
  sip::InboundPool inbounds_{16};
};

}  // namespace sluice::test
