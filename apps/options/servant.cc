// SPDX-License-Identifier: Apache-2.0
#include "apps/options/servant.h"

namespace sluice::options {

void OptionsServant::on_request(Core& core, const sip::Received&, sip::Responder& responder) {
  static constexpr sip::HeaderLine kCapabilities[] = {
      {"Allow",
       "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, PRACK, SUBSCRIBE, NOTIFY, PUBLISH, INFO, "
       "REFER, "
       "MESSAGE, UPDATE"},
      {"Accept", "*/*"},
      {"Accept-Encoding", "identity"},
      {"Accept-Language", "en"},
      {"Supported", "path"},
  };
  static constexpr sip::HeaderLine kRetry[] = {{"Retry-After", "30"}};
  if (draining_.load(std::memory_order_relaxed)) {
    responder.respond(core, {.status = 503, .reason = "Draining", .headers = kRetry});
  } else {
    responder.respond(core, {.status = 200, .headers = kCapabilities});
  }
}

}  // namespace sluice::options
