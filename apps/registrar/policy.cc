// SPDX-License-Identifier: Apache-2.0
#include "apps/registrar/policy.h"

#include "dal/store/bindings.h"

#include <algorithm>

namespace sluice::registrar {

Policy::Policy(const Options& options, std::vector<std::string> domains)
    : options_(options), domains_(std::move(domains)) {
  options_.max_contacts = std::min(options_.max_contacts, store::Bindings::kMost);
  for (std::string& domain : domains_) {
    for (char& c : domain) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
  }
  std::sort(domains_.begin(), domains_.end());
}

bool Policy::serves(std::string_view host) const noexcept {
  return std::binary_search(domains_.begin(), domains_.end(), host, std::less<std::string_view>{});
}

}  // namespace sluice::registrar
