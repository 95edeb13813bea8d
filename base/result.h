// SPDX-License-Identifier: Apache-2.0
//
// Result: a value or the reason why there is none.
//
// An alias of tl::expected until the compiler has std::expected. E is a one-byte enum class of the
// component, made from a .def table. "Need more bytes" is a state, not an error.
#pragma once

#include <tl/expected.hpp>

namespace sluice {

template <typename T, typename E>
using Result = tl::expected<T, E>;

template <typename E>
using Failure = tl::unexpected<E>;

template <typename E>
constexpr Failure<E> fail(E error) {
  return Failure<E>(error);
}

}  // namespace sluice
