// SPDX-License-Identifier: BSD-3-Clause
// Memory that is kept so that what was begun can be finished, or undone, when no more is to be had: operator new takes it when an
// allocation fails, and tries again. Whoever begins something that may be refused asks first whether it is whole, and again before
// he lets it count. It is never touched before and costs nothing but address space.
#pragma once

#include <cstddef>
#include <string_view>

namespace sekisho::base {

inline constexpr std::size_t memory_reserve = std::size_t{64} << 20;
inline constexpr std::string_view no_memory = "there is no memory for it: nothing was changed";

// For the whole process, from now on. When the reserve is used up, too, operator new throws std::bad_alloc.
void keep_memory_reserve();

// False: an allocation has failed since it was whole.
[[nodiscard]] bool has_memory_reserve() noexcept;
// The same, after trying to make it whole again. True in a process that keeps none.
[[nodiscard]] bool restore_memory_reserve() noexcept;

}  // namespace sekisho::base
