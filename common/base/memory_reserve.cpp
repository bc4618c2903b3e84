// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/memory_reserve.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace sekisho::base {
namespace {

std::atomic<bool> is_kept{false};
std::atomic<void*> reserve{nullptr};

void give_way() {
  void* const kept = reserve.exchange(nullptr);
  if (kept == nullptr) {
    throw std::bad_alloc{};
  }
  std::free(kept);
}

}  // namespace

void keep_memory_reserve() {
  is_kept = true;
  std::set_new_handler(give_way);
  static_cast<void>(restore_memory_reserve());
}

bool has_memory_reserve() noexcept {
  return !is_kept || reserve != nullptr;
}

bool restore_memory_reserve() noexcept {
  if (has_memory_reserve()) {
    return true;
  }
  void* const fresh = std::malloc(memory_reserve);
  void* before = nullptr;
  if (fresh != nullptr && !reserve.compare_exchange_strong(before, fresh)) {
    std::free(fresh);
  }
  return reserve != nullptr;
}

}  // namespace sekisho::base
