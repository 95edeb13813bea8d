// SPDX-License-Identifier: Apache-2.0
//
// header_from() for a caller who has the bytes in a register already.
//
// Threads  Pure functions.
#pragma once

#include "sipcore/parse/message.h"

#include <immintrin.h>

#include <string_view>

namespace sluice::sip {

// `first` holds the first sixteen bytes of the name, zeros behind it. The name is not empty.
HeaderId header_from_16(std::string_view name, __m128i first) noexcept;

}  // namespace sluice::sip
