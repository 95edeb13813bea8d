// SPDX-License-Identifier: Apache-2.0
#include "apps/sluice/secrets.h"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace sluice {

HashKey draw_key() {
  HashKey key;
  if (getrandom(&key, sizeof key, 0) != static_cast<ssize_t>(sizeof key)) {
    throw std::system_error(errno, std::generic_category(), "cannot draw random bytes");
  }
  return key;
}

}  // namespace sluice
