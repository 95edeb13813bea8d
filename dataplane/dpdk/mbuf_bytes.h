// SPDX-License-Identifier: Apache-2.0
//
// An rte_mbuf as OwnedBytes and back, without a copy. Internal to dataplane/dpdk.
//
// Threads  release_mbuf() on any thread: a thread that is no lcore gives back past the per-core
//          cache.
// Memory   One segment, one reference, the whole buffer (headroom included) inside the OwnedBytes.
#pragma once

#include "base/bytes.h"

#include <rte_mbuf.h>

namespace sluice::dataplane {

void release_mbuf(void* mbuf) noexcept;

// Takes over `mbuf`.
inline OwnedBytes lend_mbuf(rte_mbuf* mbuf) noexcept {
  return {static_cast<std::uint8_t*>(mbuf->buf_addr),
          mbuf->buf_len,
          mbuf->data_off,
          mbuf->data_len,
          mbuf,
          &release_mbuf};
}

// The mbuf behind `bytes`, its fields set to the window that `bytes` has now; nullptr when the
// bytes live elsewhere. `bytes` keeps the ownership until the driver has taken the frame.
inline rte_mbuf* borrow_mbuf(const OwnedBytes& bytes) noexcept {
  if (!bytes.releases_with(&release_mbuf)) return nullptr;
  auto* mbuf = static_cast<rte_mbuf*>(bytes.handle());
  mbuf->data_off = static_cast<std::uint16_t>(bytes.headroom());
  mbuf->data_len = static_cast<std::uint16_t>(bytes.size());
  mbuf->pkt_len = bytes.size();
  mbuf->nb_segs = 1;
  mbuf->next = nullptr;
  // What the receiver noted about it must not be taken for a wish to the sender.
  mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
  return mbuf;
}

}  // namespace sluice::dataplane
