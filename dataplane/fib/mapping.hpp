// SPDX-License-Identifier: BSD-3-Clause
// Memory for tables: zeroed, straight from the kernel, in 2 MB pages where they can be had. Random lookups in tens of
// megabytes of 4 KB pages miss the TLB nearly every time.
#pragma once

#include <cstddef>

namespace sekisho::fib {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

enum class HugePages {
  any,          // reserved ones as long as there are some, then transparent ones
  transparent,  // which the kernel makes where it can
};

// An address range that grows in steps: what is not grown into costs no memory.
class Mapping {
 public:
  Mapping() = default;
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // Once. False: the kernel refused.
  [[nodiscard]] bool reserve(std::size_t bytes) noexcept;
  // The first `bytes` can be used, rounded up to huge pages; never more than was reserved.
  [[nodiscard]] bool grow_to(std::size_t bytes, HugePages pages = HugePages::any) noexcept;
  // Everything that was reserved can be used, in 4 KB pages that cost nothing before they are written: for what is
  // sparsely filled.
  [[nodiscard]] bool open_sparsely() noexcept;

  template <typename T>
  [[nodiscard]] T* as() const noexcept {
    return reinterpret_cast<T*>(start_);
  }

 private:
  void* base_ = nullptr;
  std::size_t reserved_ = 0;
  std::byte* start_ = nullptr;  // the first huge page's boundary
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;  // that can be used
};

}  // namespace sekisho::fib
