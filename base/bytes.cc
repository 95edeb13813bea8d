// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <cstdlib>

namespace sluice {
namespace {

void free_heap(void* handle) noexcept {
  std::free(handle);
}

}  // namespace

OwnedBytes OwnedBytes::from_heap(std::uint32_t size, std::uint32_t headroom) {
  const std::uint32_t capacity = headroom + size;
  void* memory = std::malloc(capacity == 0 ? 1 : capacity);
  SLUICE_CHECK(memory != nullptr);
  return {static_cast<std::uint8_t*>(memory), capacity, headroom, size, memory, free_heap};
}

OwnedBytes OwnedBytes::copy_of(ByteView bytes, std::uint32_t headroom) {
  OwnedBytes copy = from_heap(static_cast<std::uint32_t>(bytes.size()), headroom);
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

}  // namespace sluice
