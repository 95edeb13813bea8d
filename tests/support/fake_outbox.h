// SPDX-License-Identifier: Apache-2.0
//
// FakeOutbox: a scripted way out; keeps what was sent.
#pragma once

#include "sipcore/outbound.h"

#include <string>
#include <vector>

namespace sluice::test {

class FakeOutbox final : public sip::Outbox {
 public:
  struct Sent {
    std::string text;
    Endpoint remote;
    ListenerId listener;
    FlowId flow;
  };

  // Listener 0 at 198.18.0.2:5060 on network 0, listener 1 at 198.19.0.2:5060 on network 1.
  FakeOutbox() {
    add("198.18.0.2:5060", 0);
    add("198.19.0.2:5060", 1);
  }

  OwnedBytes allocate(Core&, std::uint32_t size) noexcept override {
    return dry ? OwnedBytes{} : OwnedBytes::from_heap(size);
  }
  bool send(Core&, sip::Outbound&& out) noexcept override {
    if (full) return false;
    sent.push_back({std::string(out.bytes.text()), out.remote, out.listener, out.flow});
    return true;
  }
  const sip::Listener* select(Transport, const IpAddress& remote) const noexcept override {
    for (const auto& listener : listeners_) {
      if (Prefix{listener.local.address, 24}.contains(remote)) return &listener;
    }
    return &listeners_.front();
  }
  const sip::Listener* listener(ListenerId id) const noexcept override {
    return id < listeners_.size() ? &listeners_[id] : nullptr;
  }

  std::vector<Sent> sent;
  bool dry = false;
  bool full = false;

 private:
  void add(std::string_view sent_by, std::uint16_t network) {
    sip::Listener listener;
    listener.id = static_cast<ListenerId>(listeners_.size());
    listener.local = *Endpoint::parse(sent_by);
    listener.sent_by = sent_by;
    listener.network = network;
    listeners_.push_back(listener);
  }
  std::vector<sip::Listener> listeners_;
};

}  // namespace sluice::test
