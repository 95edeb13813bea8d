// SPDX-License-Identifier: Apache-2.0
#include "sipcore/parse/scan.h"

#include <array>

namespace sluice::sip {
namespace {

struct Kernels {
  std::array<ScanKernel, 4> list;
  std::size_t count = 0;

  void add(std::string_view name, ScanLines scan) { list[count++] = {name, scan}; }
};

Kernels detect() noexcept {
  Kernels kernels;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw")) kernels.add("avx512", scan_lines_avx512);
  if (__builtin_cpu_supports("avx2")) kernels.add("avx2", scan_lines_avx2);
  if (__builtin_cpu_supports("sse4.2")) kernels.add("sse42", scan_lines_sse42);
  kernels.add("scalar", scan_lines_scalar);
  return kernels;
}

}  // namespace

std::span<const ScanKernel> scan_kernels() noexcept {
  static const Kernels kernels = detect();
  return {kernels.list.data(), kernels.count};
}

}  // namespace sluice::sip
