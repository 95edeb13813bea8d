// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/mbuf_bytes.h"

namespace sluice::dataplane {

void release_mbuf(void* mbuf) noexcept {
  rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
}

}  // namespace sluice::dataplane
