// SPDX-License-Identifier: Apache-2.0
//
// Registrar: keeps the bindings that user agents send (RFC 3261 10.3; RFC 3327 Path).
//
// Who may register what is settled before (identity and authentication are intercept stages); here
// is only what a REGISTER means. Order of the checks is that of section 10.3.
//
// Threads  One per servant core. All REGISTERs of an AoR come to the same core.
// Memory   Everything a request needs is scratch made once: no heap per message. Bindings live in
//          the
//          location table.
// Errors   All or nothing: a refused request changes nothing. Refusals are rows of counters.def.
#pragma once

#include "apps/registrar/policy.h"
#include "base/core.h"
#include "base/counters.h"
#include "dal/store/location.h"
#include "sipcore/inbound.h"
#include "sipcore/parse/sanity.h"
#include "sipcore/responder.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::registrar {

enum class RegistrarCounter : std::uint8_t {
#define SLUICE_REGISTRAR_COUNTER(name, metric, help) name,
#define SLUICE_REGISTRAR_REFUSAL(name, label, status, text) name,
#include "apps/registrar/counters.def"
#undef SLUICE_REGISTRAR_COUNTER
#undef SLUICE_REGISTRAR_REFUSAL
  Count
};
using RegistrarCounters =
    CounterBlock<RegistrarCounter, static_cast<std::size_t>(RegistrarCounter::Count)>;
std::span<const CounterInfo> registrar_counter_infos();

class Registrar {
 public:
  explicit Registrar(store::LocationWriter& writer);

  // Answers one REGISTER whose headers have been checked. Never blocks, always answers.
  void on_request(Core& core, const Policy& policy, sip::Responder& responder,
                  const sip::Inbound& request, const sip::Essentials& essentials);

  const RegistrarCounters& counters() const noexcept { return counters_; }

 private:
  using Reason = RegistrarCounter;
  static constexpr Reason kFine = Reason::Accepted;

  // One request in work.
  struct Request {
    Core& core;
    const Policy& policy;
    const sip::Inbound& in;
    const sip::Essentials& essentials;
    std::optional<std::uint32_t> expires_header;
    std::string_view path;
    std::uint32_t contacts = 0;
    std::uint32_t repeated = 0;  // contacts whose binding this very request has made
    std::uint32_t idle = 0;      // removals of what is not there
    std::uint32_t added = 0, refreshed = 0, removed = 0;
  };

  Reason find_aor(Request& request, store::AorKey& key) noexcept;
  Reason apply_contacts(Request& request) noexcept;
  Reason apply(Request& request, std::string_view contact) noexcept;
  void fill(Request& request, const sip::NameAddr& contact, std::uint32_t granted,
            store::Binding& out) noexcept;
  Reason remove_all(Request& request) noexcept;
  Reason limit_contacts(Request& request) noexcept;
  Reason take_path(Request& request) noexcept;
  std::uint32_t grant(Request& request, std::uint32_t asked) noexcept;
  void erase(std::uint32_t index) noexcept;

  void accept(Request& request, sip::Responder& responder);
  void refuse(Request& request, sip::Responder& responder, Reason reason);
  std::string_view date(WallTime now) noexcept;

  std::string_view contact_value(const store::Binding& binding, Instant now) noexcept;

  // Copies with folds and control characters turned into spaces; lives until the request is done.
  std::string_view keep(std::string_view text) noexcept;
  void append(std::string_view text) noexcept;
  void append(std::uint64_t number) noexcept;

  store::LocationWriter& writer_;
  RegistrarCounters counters_;
  // Scratch of the request in work: the AoR's bindings as they will be.
  std::array<store::Binding, 2 * store::Bindings::kMost> next_;
  std::array<bool, 2 * store::Bindings::kMost> touched_{};  // by this request
  std::uint32_t count_ = 0;
  std::unique_ptr<char[]> text_;
  std::size_t used_ = 0;
  std::array<char, 512> aor_;
  // The Date header of one second.
  std::int64_t date_second_ = -1;
  std::array<char, 32> date_;
};

}  // namespace sluice::registrar
