// SPDX-License-Identifier: Apache-2.0
//
// The rules of `ports`: see check.h.
#pragma once

#include "config/reader.h"
#include "config/settings.h"

#include <optional>
#include <string>
#include <vector>

namespace sluice::config {

std::vector<Port> check_ports(const Reader& in);

// The port that has the address.
std::optional<std::size_t> port_of(const IpAddress& address, const std::vector<Port>& ports);

// "198.18.0.2, fd00:18::2"
std::string all_addresses(const std::vector<Port>& ports);

}  // namespace sluice::config
