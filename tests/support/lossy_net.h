// SPDX-License-Identifier: Apache-2.0
//
// LossyNet: a network in one test that loses, delays and so reorders datagrams, all from one seed.
#pragma once

#include "base/pool.h"
#include "sipcore/inbound.h"
#include "sipcore/outbound.h"

#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>

namespace sluice::test {

class LossyNet {
 public:
  LossyNet(std::uint64_t seed, double loss) : random(seed), loss_(loss) {}

  using Receive = std::function<void(const std::string& text, const Endpoint& from)>;
  void attach(const Endpoint& address, Receive receive) { hosts_[address] = std::move(receive); }

  void send(Instant now, const Endpoint& from, const Endpoint& to, std::string text) {
    ++sent;
    if (std::uniform_real_distribution<>{}(random) < loss_) {
      ++lost;
      return;
    }
    const auto delay = std::chrono::milliseconds{std::uniform_int_distribution<>{1, 40}(random)};
    in_flight_.emplace(now + delay, Datagram{from, to, std::move(text)});
  }

  // Delivers what is due.
  void deliver(Instant now) {
    while (!in_flight_.empty() && in_flight_.begin()->first <= now) {
      const Datagram datagram = std::move(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      const auto host = hosts_.find(datagram.to);
      if (host != hosts_.end()) host->second(datagram.text, datagram.from);
    }
  }

  std::mt19937_64 random;
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;

 private:
  struct Datagram {
    Endpoint from;
    Endpoint to;
    std::string text;
  };
  const double loss_;
  std::map<Endpoint, Receive> hosts_;
  std::multimap<Instant, Datagram> in_flight_;
};

// One address on it, as the way out and the way in of a transaction layer.
class NetOutbox final : public sip::Outbox {
 public:
  NetOutbox(LossyNet& net, std::string address)
      : net_(net),
        address_(std::move(address)),
        listener_{.id = 0, .local = *Endpoint::parse(address_), .sent_by = address_} {}

  OwnedBytes allocate(Core&, std::uint32_t size) noexcept override {
    return buffers_.allocate(size, 0);
  }
  bool send(Core& core, sip::Outbound&& message) noexcept override {
    net_.send(core.now(), listener_.local, message.remote, std::string(message.bytes.text()));
    return true;
  }
  const sip::Listener* select(Transport transport, const IpAddress&) const noexcept override {
    return transport == Transport::Udp ? &listener_ : nullptr;
  }
  const sip::Listener* listener(ListenerId) const noexcept override { return &listener_; }

  sip::InboundPointer inbound(const std::string& text, const Endpoint& from) {
    sip::InboundPointer inbound = inbounds_.make();
    inbound->bytes = buffers_.allocate(static_cast<std::uint32_t>(text.size()), 0);
    std::memcpy(inbound->bytes.data(), text.data(), text.size());
    inbound->source = from;
    inbound->local = listener_.local;
    inbound->listener = 0;
    return inbound->message.parse(inbound->bytes.view(), {}) ? std::move(inbound) : nullptr;
  }
  std::uint32_t lent() {
    return buffers_.count() - buffers_.count_free() + inbounds_.count() - inbounds_.count_free();
  }

 private:
  LossyNet& net_;
  const std::string address_;
  const sip::Listener listener_;
  BufferPool buffers_{8'192, 64};
  sip::InboundPool inbounds_{8};
};

}  // namespace sluice::test
