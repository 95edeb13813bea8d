// SPDX-License-Identifier: Apache-2.0
//
// TransactionKey: what identifies a transaction. TransactionTable: from key to transaction, per
// core.
//
// RFC 3261 17.1.3 (client: branch and CSeq method) and 17.2.3 (server: branch, sent-by and method;
// the RFC 2543 rules where the branch lacks the magic cookie).
//
// Threads  One core.
// Memory   The key text is part of the transaction; the table is an array of chain heads, chained
//          through the transactions. A text that is longer than the key holds is replaced by 128
//          bits of keyed hash.
#pragma once

#include "base/hash.h"

#include <array>
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>

namespace sluice::sip {

struct Essentials;
class Message;

class TransactionKey {
 public:
  TransactionKey() = default;
  TransactionKey(const HashKey& secret, std::initializer_list<std::string_view> parts) noexcept;

  std::string_view text() const noexcept { return {text_.data(), length_}; }
  std::uint64_t hash() const noexcept { return hash_; }
  friend bool operator==(const TransactionKey& a, const TransactionKey& b) noexcept {
    return a.hash_ == b.hash_ && a.text() == b.text();
  }

 private:
  static constexpr std::size_t kCapacity = 103;
  std::uint64_t hash_ = 0;
  std::uint8_t length_ = 0;
  std::array<char, kCapacity> text_;
};

// `method`: what the transaction was created by; "INVITE" for an ACK, and to find what a CANCEL
// means.
TransactionKey server_key(const HashKey& secret, const Message& request,
                          const Essentials& essentials, std::string_view method) noexcept;
TransactionKey client_key(const HashKey& secret, std::string_view branch,
                          std::string_view method) noexcept;

// Base of what a TransactionTable holds.
class TableNode {
 public:
  const TransactionKey& key() const noexcept { return key_; }

 protected:
  explicit TableNode(const TransactionKey& key) noexcept : key_(key) {}
  ~TableNode() = default;

 private:
  template <typename T>
  friend class TransactionTable;
  TransactionKey key_;
  TableNode* next_ = nullptr;
};

template <typename T>
class TransactionTable {
 public:
  explicit TransactionTable(std::uint32_t capacity)
      : mask_(std::bit_ceil(capacity < 2 ? 2U : capacity) - 1),
        heads_(new TableNode*[mask_ + 1]()) {}

  T* find(const TransactionKey& key) const noexcept {
    for (TableNode* node = heads_[key.hash() & mask_]; node != nullptr; node = node->next_) {
      if (node->key_ == key) return static_cast<T*>(node);
    }
    return nullptr;
  }

  void insert(T& item) noexcept {
    TableNode& node = item;
    TableNode*& head = heads_[node.key_.hash() & mask_];
    node.next_ = head;
    head = &node;
    ++size_;
  }

  void erase(T& item) noexcept {
    TableNode& node = item;
    TableNode** at = &heads_[node.key_.hash() & mask_];
    while (*at != &node) at = &(*at)->next_;
    *at = node.next_;
    --size_;
  }

  std::uint32_t size() const noexcept { return size_; }

  // Any one of them, to empty the table at shutdown.
  T* any() const noexcept {
    for (std::uint32_t i = 0; size_ != 0 && i <= mask_; ++i) {
      if (heads_[i] != nullptr) return static_cast<T*>(heads_[i]);
    }
    return nullptr;
  }

 private:
  const std::uint32_t mask_;
  const std::unique_ptr<TableNode*[]> heads_;
  std::uint32_t size_ = 0;
};

}  // namespace sluice::sip
