// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/fib/mapping.hpp"

#include <linux/mman.h>
#include <sys/mman.h>

#include <cstdint>

namespace sekisho::fib {
namespace {

constexpr std::size_t round_up(std::size_t bytes) noexcept {
  return (bytes + huge_page - 1) & ~(huge_page - 1);
}

bool map_over(std::byte* at, std::size_t bytes, int flags) noexcept {
  return mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0) !=
         MAP_FAILED;
}

}  // namespace

Mapping::~Mapping() {
  if (base_ != nullptr) {
    munmap(base_, reserved_);
  }
}

bool Mapping::reserve(std::size_t bytes) noexcept {
  // A mapping does not always start at a multiple of a huge page.
  reserved_ = round_up(bytes) + huge_page;
  void* const base = mmap(nullptr, reserved_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    return false;
  }
  base_ = base;
  start_ = reinterpret_cast<std::byte*>(round_up(reinterpret_cast<std::uintptr_t>(base)));
  capacity_ = round_up(bytes);
  return true;
}

bool Mapping::grow_to(std::size_t bytes, HugePages pages) noexcept {
  const std::size_t wanted = round_up(bytes);
  if (wanted <= size_) {
    return true;
  }
  if (wanted > capacity_) {
    return false;
  }
  std::byte* const at = start_ + size_;
  const std::size_t more = wanted - size_;
  if (pages == HugePages::transparent || !map_over(at, more, MAP_HUGETLB | MAP_HUGE_2MB)) {
    // None is free, or wanted: perhaps the kernel can make them.
    if (!map_over(at, more, 0)) {
      return false;
    }
    madvise(at, more, MADV_HUGEPAGE);
  }
  size_ = wanted;
  return true;
}

bool Mapping::open_sparsely() noexcept {
  if (!map_over(start_, capacity_, MAP_NORESERVE)) {
    return false;
  }
  size_ = capacity_;
  return true;
}

}  // namespace sekisho::fib
