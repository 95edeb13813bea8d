// SPDX-License-Identifier: Apache-2.0
//
// ByteView: borrowed bytes. OwnedBytes: move-only bytes that know how to go home.
//
// Threads  An OwnedBytes belongs to one thread at a time; handing it on is a move. The release
//          function may run on any thread, so whoever lends a buffer must accept it back from any.
// Memory   A window [data, data + size) inside a buffer of `capacity` bytes. Moving an OwnedBytes
//          never moves the bytes: pointers into them stay good for as long as the owner lives.
// Errors   Growing past the buffer is our own mistake (SLUICE_CHECK); ask headroom()/tailroom()
//          first.
#pragma once

#include "base/assert.h"

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace sluice {

using ByteView = std::span<const std::uint8_t>;

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

class OwnedBytes {
 public:
  using Release = void (*)(void* handle) noexcept;

  OwnedBytes() noexcept = default;

  // Takes over `handle`; release(handle) runs exactly once, when the last owner is destroyed.
  OwnedBytes(std::uint8_t* buffer, std::uint32_t capacity, std::uint32_t offset, std::uint32_t size,
             void* handle, Release release) noexcept
      : buffer_(buffer),
        capacity_(capacity),
        offset_(offset),
        size_(size),
        handle_(handle),
        release_(release) {
    SLUICE_ASSERT(std::uint64_t{offset} + size <= capacity);
  }

  OwnedBytes(OwnedBytes&& other) noexcept { steal(other); }
  OwnedBytes& operator=(OwnedBytes&& other) noexcept {
    if (this != &other) {
      reset();
      steal(other);
    }
    return *this;
  }
  OwnedBytes(const OwnedBytes&) = delete;
  OwnedBytes& operator=(const OwnedBytes&) = delete;
  ~OwnedBytes() { reset(); }

  // Bytes from the heap: control paths, start-up and tests. `size` bytes after `headroom`.
  static OwnedBytes from_heap(std::uint32_t size, std::uint32_t headroom = 0);
  static OwnedBytes copy_of(ByteView bytes, std::uint32_t headroom = 0);

  explicit operator bool() const noexcept { return buffer_ != nullptr; }
  std::uint8_t* data() noexcept { return buffer_ + offset_; }
  const std::uint8_t* data() const noexcept { return buffer_ + offset_; }
  std::uint32_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::uint32_t headroom() const noexcept { return offset_; }
  std::uint32_t tailroom() const noexcept { return capacity_ - offset_ - size_; }
  ByteView view() const noexcept { return {data(), size_}; }
  std::string_view text() const noexcept { return as_text(view()); }

  // The window grows or shrinks; the bytes do not move. Each returns the new data() or, for
  // append(), the first appended byte.
  std::uint8_t* prepend(std::uint32_t count) noexcept {
    SLUICE_CHECK(count <= offset_);
    offset_ -= count;
    size_ += count;
    return data();
  }
  std::uint8_t* append(std::uint32_t count) noexcept {
    SLUICE_CHECK(count <= tailroom());
    size_ += count;
    return data() + size_ - count;
  }
  std::uint8_t* trim_front(std::uint32_t count) noexcept {
    SLUICE_CHECK(count <= size_);
    offset_ += count;
    size_ -= count;
    return data();
  }
  // Shrinks, or grows into the tailroom.
  void resize(std::uint32_t size) noexcept {
    SLUICE_CHECK(size <= capacity_ - offset_);
    size_ = size;
  }

  void reset() noexcept {
    if (release_ != nullptr) release_(handle_);
    buffer_ = nullptr;
    capacity_ = offset_ = size_ = 0;
    handle_ = nullptr;
    release_ = nullptr;
  }

  // For the lender, to know its own buffers again: releases() tells whose they are, and
  // release_handle() takes the handle back without running the release function.
  bool releases_with(Release release) const noexcept { return release_ == release; }
  void* handle() const noexcept { return handle_; }
  void* release_handle() noexcept {
    release_ = nullptr;
    return std::exchange(handle_, nullptr);
  }

 private:
  void steal(OwnedBytes& other) noexcept {
    buffer_ = std::exchange(other.buffer_, nullptr);
    capacity_ = std::exchange(other.capacity_, 0U);
    offset_ = std::exchange(other.offset_, 0U);
    size_ = std::exchange(other.size_, 0U);
    handle_ = std::exchange(other.handle_, nullptr);
    release_ = std::exchange(other.release_, nullptr);
  }

  std::uint8_t* buffer_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t offset_ = 0;
  std::uint32_t size_ = 0;
  void* handle_ = nullptr;
  Release release_ = nullptr;
};

}  // namespace sluice
