// SPDX-License-Identifier: Apache-2.0
#include "apps/registrar/registrar.h"

#include "sipcore/parse/fields.h"
#include "sipcore/parse/uri.h"

#include <algorithm>
#include <charconv>

namespace sluice::registrar {
namespace {

using sip::HeaderId;
using store::Binding;
using store::Bindings;

// What one contact may take in the table; a phone with a dozen feature tags needs 400 B.
constexpr std::size_t kLongestContact = 1024;  // URI and parameters
constexpr std::size_t kLongestPath = 2048;
constexpr std::size_t kLongestCallId = 256;
constexpr std::size_t kLongestUserAgent = 128;  // cut, not refused
// All texts kept from one message are disjoint parts of it; then the answer's Contact values.
constexpr std::size_t kAnswerContact = kLongestContact + 64;
constexpr std::size_t kScratch = 65'536 + Bindings::kMost * kAnswerContact;

constexpr CounterInfo kInfos[] = {
#define SLUICE_REGISTRAR_COUNTER(name, metric, help) {metric, "", help, MetricKind::Counter},
#define SLUICE_REGISTRAR_REFUSAL(name, label, status, text)                         \
  {"registrar_refused_total", "reason=\"" label "\"", "REGISTER requests refused.", \
   MetricKind::Counter},
#include "apps/registrar/counters.def"
#undef SLUICE_REGISTRAR_COUNTER
#undef SLUICE_REGISTRAR_REFUSAL
};

struct Refusal {
  std::uint16_t status;
  std::string_view text;
};

Refusal refusal(RegistrarCounter reason) {
  switch (reason) {
#define SLUICE_REGISTRAR_COUNTER(name, metric, help)
#define SLUICE_REGISTRAR_REFUSAL(name, label, status, text) \
  case RegistrarCounter::name:                              \
    return {status, text};
#include "apps/registrar/counters.def"
#undef SLUICE_REGISTRAR_COUNTER
#undef SLUICE_REGISTRAR_REFUSAL
    default:
      return {500, {}};
  }
}

// delta-seconds, 0 to 2^32-1. RFC 3261 20.19: what is malformed counts as 3600; what is larger than
// the grammar allows is what its sender would call for ever.
std::uint32_t read_expires(std::string_view text) {
  text = sip::trim(text);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return 3600;
  return sip::parse_number(text).value_or(0xffff'ffff);
}

bool clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"';
  });
}

bool same_contact(const sip::Uri& uri, std::string_view stored) {
  if (uri.text == stored) return true;
  const auto other = sip::parse_uri(stored);
  return other && sip::equivalent(uri, *other);
}

// The source is worth keeping when an answer sent to the Via would not reach it: then calls must go
// to the source, too (the REGISTER has opened that way through the NAT).
bool behind_nat(const sip::Essentials& essentials, const sip::Inbound& in) {
  const auto host = IpAddress::parse(essentials.via.host);
  return !host || *host != in.source.address;
}

}  // namespace

std::span<const CounterInfo> registrar_counter_infos() {
  return kInfos;
}

Registrar::Registrar(store::LocationWriter& writer)
    : writer_(writer), text_(std::make_unique<char[]>(kScratch)) {}

void Registrar::on_request(Core& core, const Policy& policy, sip::Responder& responder,
                           const sip::Inbound& in, const sip::Essentials& essentials) {
  Request request{core, policy, in, essentials, {}, {}};
  used_ = 0;
  count_ = 0;

  // RFC 3261 10.3 step 2.
  bool extensions_known = true;
  sip::for_each_value(in.message, HeaderId::Require, [&](std::string_view token, const auto&) {
    extensions_known = sip::equals_no_case(token, "path");
    return extensions_known;
  });
  if (!extensions_known) return refuse(request, responder, Reason::BadExtension);

  store::AorKey key;
  Reason reason = find_aor(request, key);
  if (reason != kFine) return refuse(request, responder, reason);

  // The record stays readable to the end of this turn: next_ points into it.
  const rcu::ReadScope scope;
  if (const Bindings* now = writer_.location().find(scope, key)) {
    for (std::uint32_t i = 0; i < now->size(); ++i) {
      next_[count_] = (*now)[i];
      touched_[count_] = false;
      if (next_[count_].live(core.now())) ++count_;
    }
  }

  if (in.message.find(HeaderId::Contact) == nullptr) {
    counters_[Reason::Queries].add();
    return accept(request, responder);
  }
  reason = take_path(request);
  if (reason == kFine) reason = apply_contacts(request);
  if (reason != kFine) return refuse(request, responder, reason);

  // Step 7 fails a CSeq that is not higher than the binding's. The same CSeq is this very request
  // come again (its 200 was lost, and no transaction absorbed it): it is answered from the table
  // and changes nothing. A request that is only partly known is no repetition.
  if (request.repeated != 0) {
    if (request.repeated + request.idle != request.contacts) {
      return refuse(request, responder, Reason::OutOfOrder);
    }
    counters_[Reason::Repeated].add();
    return accept(request, responder);
  }
  reason = limit_contacts(request);
  if (reason != kFine) return refuse(request, responder, reason);
  if (request.added + request.refreshed + request.removed != 0) {
    if (!writer_.replace(core, key, {next_.data(), count_})) {
      return refuse(request, responder, Reason::StoreFull);
    }
    counters_[Reason::Added].add(request.added);
    counters_[Reason::Refreshed].add(request.refreshed);
    counters_[Reason::Removed].add(request.removed);
  }
  accept(request, responder);
}

// Steps 1 and 5.
Registrar::Reason Registrar::find_aor(Request& request, store::AorKey& key) noexcept {
  const auto to = sip::parse_uri(request.essentials.to.uri);
  if (!to || !to->is_sip()) return Reason::BadAor;
  const std::size_t length = sip::canonical_aor(*to, aor_.data(), aor_.size());
  if (length == 0) return Reason::NoUser;
  const std::string_view aor{aor_.data(), length};
  // Unescaping may have made control characters; no subscriber has one in the name.
  for (const char c : aor) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return Reason::NoUser;
  }
  if (!request.policy.serves(aor.substr(aor.rfind('@') + 1, to->host.size()))) {
    return Reason::UnknownDomain;
  }
  key = writer_.location().key(aor);
  return kFine;
}

// Steps 6 and 7. Works on next_ only: nothing is visible before all of it has succeeded.
Registrar::Reason Registrar::apply_contacts(Request& request) noexcept {
  const sip::Message& message = request.in.message;
  if (const auto* field = message.find(HeaderId::Expires)) {
    request.expires_header = read_expires(message.value(*field));
  }
  if (request.essentials.call_id.size() > kLongestCallId) return Reason::ContactTooLong;
  bool star = false;
  Reason reason = kFine;
  sip::for_each_value(message, HeaderId::Contact, [&](std::string_view value, const auto&) {
    ++request.contacts;
    star = star || value == "*";
    if (star && request.contacts != 1) reason = Reason::BadStar;
    if (!star) reason = apply(request, value);
    return reason == kFine;
  });
  if (reason != kFine) return reason;
  if (request.contacts == 0) return Reason::BadContact;  // an empty Contact header
  if (star) return request.expires_header == 0U ? remove_all(request) : Reason::BadStar;
  return kFine;
}

Registrar::Reason Registrar::remove_all(Request& request) noexcept {
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (next_[i].call_id == request.essentials.call_id &&
        request.essentials.cseq.number <= next_[i].cseq) {
      return Reason::OutOfOrder;
    }
  }
  request.removed = count_;
  count_ = 0;
  return kFine;
}

Registrar::Reason Registrar::apply(Request& request, std::string_view value) noexcept {
  const auto contact = sip::parse_name_addr(value);
  if (!contact || !clean(contact->uri)) return Reason::BadContact;
  const auto uri = sip::parse_uri(contact->uri);
  if (!uri) return Reason::BadContact;
  if (contact->uri.size() + contact->params.text().size() > kLongestContact) {
    return Reason::ContactTooLong;
  }
  const Options& options = request.policy.options();
  const auto parameter = contact->params.find("expires");
  const std::uint32_t asked = parameter ? read_expires(*parameter)
                                        : request.expires_header.value_or(options.default_expires);
  // "Greater than zero AND smaller than one hour AND less than a registrar-configured minimum."
  if (asked != 0 && asked < 3600 && asked < options.min_expires) return Reason::TooBrief;

  std::uint32_t at = 0;
  while (at < count_ && !same_contact(*uri, next_[at].contact)) ++at;
  if (at == count_) {
    if (asked == 0) {
      ++request.idle;
      return kFine;
    }
    if (count_ == next_.size()) return Reason::TooManyContacts;
    fill(request, *contact, grant(request, asked), next_[count_]);
    touched_[count_++] = true;
    ++request.added;
    return kFine;
  }
  // The same address twice in one request: the last word counts.
  if (!touched_[at] && next_[at].call_id == request.essentials.call_id) {
    const std::uint32_t cseq = request.essentials.cseq.number;
    if (cseq < next_[at].cseq) return Reason::OutOfOrder;
    if (cseq == next_[at].cseq) {
      ++request.repeated;
      return kFine;
    }
  }
  if (asked == 0) {
    erase(at);
    ++request.removed;
    return kFine;
  }
  fill(request, *contact, grant(request, asked), next_[at]);
  touched_[at] = true;
  ++request.refreshed;
  return kFine;
}

void Registrar::fill(Request& request, const sip::NameAddr& contact, std::uint32_t granted,
                     Binding& out) noexcept {
  const sip::Inbound& in = request.in;
  out = Binding{};
  out.contact = contact.uri;
  const std::size_t begin = used_;
  std::string_view rest = contact.params.text();
  sip::Params::Param param;
  while (sip::Params::next(rest, param)) {
    if (sip::equals_no_case(param.name, "expires")) continue;
    if (sip::equals_no_case(param.name, "q")) {
      // A bad q is no reason to leave somebody unreachable: it counts as not given.
      out.q = sip::parse_q(param.value).value_or(1000);
      continue;
    }
    append(";");
    append(param.name);
    if (param.has_value) {
      append("=");
      append(param.value);
    }
  }
  out.params = {text_.get() + begin, used_ - begin};
  const sip::Params kept{out.params};
  if (const auto instance = kept.find("+sip.instance"); instance && instance->size() >= 2) {
    out.instance = instance->front() == '"' ? instance->substr(1, instance->size() - 2) : *instance;
  }
  if (const auto reg_id = kept.find("reg-id")) {
    out.reg_id = sip::parse_number(*reg_id, 0x7fff'ffff).value_or(0);
  }
  out.call_id = request.essentials.call_id;
  out.cseq = request.essentials.cseq.number;
  out.path = request.path;
  out.user_agent = keep(in.message.value(HeaderId::UserAgent).substr(0, kLongestUserAgent));
  if (behind_nat(request.essentials, in)) out.received = in.source;
  out.flow = in.flow;
  out.listener = in.listener;
  out.transport = in.transport;
  const auto lifetime = std::chrono::seconds{granted};
  out.expires = request.core.now() + lifetime;
  out.expires_wall = request.core.wall() + lifetime;
  out.updated = request.core.wall();
}

std::uint32_t Registrar::grant(Request& request, std::uint32_t asked) noexcept {
  const Options& options = request.policy.options();
  std::uint32_t granted = std::min(asked, options.max_expires);
  const std::uint32_t floor = std::max(options.min_expires, 1U);
  if (options.jitter != 0 && granted > floor) {
    const std::uint64_t most = std::uint64_t{granted} * options.jitter / 1000;
    granted -= request.core.entropy.below(
        static_cast<std::uint32_t>(std::min<std::uint64_t>(most, granted - floor)) + 1);
  }
  return granted;
}

void Registrar::erase(std::uint32_t index) noexcept {
  --count_;
  for (; index < count_; ++index) {
    next_[index] = next_[index + 1];
    touched_[index] = touched_[index + 1];
  }
}

Registrar::Reason Registrar::limit_contacts(Request& request) noexcept {
  const Options& options = request.policy.options();
  // Removing and refreshing stay possible for an AoR that a new policy finds too large.
  while (count_ > options.max_contacts && request.added != 0) {
    if (!options.remove_existing) return Reason::TooManyContacts;
    std::uint32_t victim = count_;
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (touched_[i]) continue;
      if (victim == count_ || next_[i].expires < next_[victim].expires) victim = i;
    }
    if (victim == count_) return Reason::TooManyContacts;
    erase(victim);
    ++request.removed;
  }
  return kFine;
}

// RFC 3327 5.3: kept with the binding; a caller's request will carry it as Route.
Registrar::Reason Registrar::take_path(Request& request) noexcept {
  const std::size_t begin = used_;
  Reason reason = kFine;
  const sip::Message& message = request.in.message;
  sip::for_each_value(message, HeaderId::Path, [&](std::string_view value, const auto&) {
    const auto hop = sip::parse_name_addr(value);
    const auto uri = hop ? sip::parse_uri(hop->uri) : fail(hop.error());
    if (!uri || !uri->is_sip() || !hop->bracketed ||
        used_ - begin + value.size() + 1 > kLongestPath) {
      reason = Reason::BadPath;
      return false;
    }
    if (used_ != begin) append(",");
    append(value);
    return true;
  });
  request.path = {text_.get() + begin, used_ - begin};
  return reason;
}

void Registrar::append(std::string_view text) noexcept {
  SLUICE_ASSERT(used_ + text.size() <= kScratch);
  text = text.substr(0, kScratch - used_);
  // Through a pointer of its own: a char store might alias any member.
  char* out = text_.get() + used_;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out[i] = static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7f ? ' ' : text[i];
  }
  used_ += text.size();
}

void Registrar::append(std::uint64_t number) noexcept {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  append({digits, static_cast<std::size_t>(end - digits)});
}

std::string_view Registrar::keep(std::string_view text) noexcept {
  const std::size_t begin = used_;
  append(text);
  return {text_.get() + begin, used_ - begin};
}

std::string_view Registrar::contact_value(const Binding& binding, Instant now) noexcept {
  const std::size_t begin = used_;
  append("<");
  append(binding.contact);
  append(">");
  append(binding.params);
  if (binding.q != 1000) {
    append(";q=0.");
    const char digits[3] = {static_cast<char>('0' + binding.q / 100),
                            static_cast<char>('0' + binding.q / 10 % 10),
                            static_cast<char>('0' + binding.q % 10)};
    append({digits, binding.q % 10 != 0 ? 3U : binding.q % 100 != 0 ? 2U : 1U});
  }
  append(";expires=");
  // Rounded up: what was granted this second reads back whole, and a live binding never as 0.
  append(static_cast<std::uint64_t>(
      std::chrono::ceil<std::chrono::seconds>(binding.expires - now).count()));
  return {text_.get() + begin, used_ - begin};
}

// Step 8.
void Registrar::accept(Request& request, sip::Responder& responder) {
  std::array<sip::HeaderLine, 2 * Bindings::kMost + 2> headers;
  std::size_t lines = 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    headers[lines++] = {"Contact", contact_value(next_[i], request.core.now())};
  }
  if (!request.path.empty() && sip::lists_token(request.in.message, HeaderId::Supported, "path")) {
    headers[lines++] = {"Path", request.path};
  }
  headers[lines++] = {"Date", date(request.core.wall())};
  counters_[Reason::Accepted].add();
  responder.respond(request.core, {.status = 200, .headers = {headers.data(), lines}});
}

void Registrar::refuse(Request& request, sip::Responder& responder, Reason reason) {
  counters_[reason].add();
  const auto [status, text] = refusal(reason);
  sip::Response response{.status = status, .reason = text};
  sip::HeaderLine header;
  const std::size_t begin = used_;
  if (reason == Reason::TooBrief) {
    append(request.policy.options().min_expires);
    header = {"Min-Expires", {text_.get() + begin, used_ - begin}};
    response.headers = {&header, 1};
  } else if (reason == Reason::BadExtension) {
    // RFC 3261 8.2.2.3.
    sip::for_each_value(request.in.message, HeaderId::Require, [&](auto token, const auto&) {
      if (sip::equals_no_case(token, "path")) return true;
      if (used_ != begin) append(", ");
      append(token);
      return true;
    });
    header = {"Unsupported", {text_.get() + begin, used_ - begin}};
    response.headers = {&header, 1};
  }
  responder.respond(request.core, response);
}

// RFC 3261 20.17: "Sat, 13 Nov 2010 23:29:00 GMT".
std::string_view Registrar::date(WallTime now) noexcept {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  constexpr std::size_t kLength = 29;
  if (second.time_since_epoch().count() != date_second_) {
    date_second_ = second.time_since_epoch().count();
    const auto day = std::chrono::floor<std::chrono::days>(second);
    const std::chrono::year_month_day ymd{day};
    const std::chrono::hh_mm_ss time{second - day};
    constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    constexpr std::string_view kForm = "Sat, 13 Nov 2010 23:29:00 GMT";
    kForm.copy(date_.data(), kLength);
    kDays.substr(std::chrono::weekday{day}.c_encoding() * 3, 3).copy(date_.data(), 3);
    kMonths.substr((static_cast<unsigned>(ymd.month()) - 1) * 3, 3).copy(date_.data() + 8, 3);
    const auto put = [this](std::size_t at, std::int64_t value, std::size_t digits) {
      for (; digits != 0; --digits, value /= 10) {
        date_[at + digits - 1] = static_cast<char>('0' + value % 10);
      }
    };
    put(5, static_cast<unsigned>(ymd.day()), 2);
    put(12, static_cast<int>(ymd.year()), 4);
    put(17, time.hours().count(), 2);
    put(20, time.minutes().count(), 2);
    put(23, time.seconds().count(), 2);
  }
  return {date_.data(), kLength};
}

}  // namespace sluice::registrar
