// SPDX-License-Identifier: BSD-3-Clause
// Lookups in a layout. Any thread that is an online reader of the table's Qsbr.
//
// A bulk is judged by its first addresses. Where their shortcuts answer, all addresses ask theirs, those that are led on ask
// tbl24, and those that lead on again the extension tables: three rounds, and no load waits for another of its round. Where nearly
// all are led on (destinations inside a full table's prefixes) the shortcut is only a detour and tbl24 is asked at once.
#pragma once

#include <cstdint>

#include "dataplane/fib/layout.hpp"

namespace sekisho::fib {

inline constexpr unsigned bulk = 64;

// One address in tbl24 and behind it. Without a branch, because whether a block is extended follows no pattern and a wrong guess
// costs more than the load that it saves: who is not led on loads its own entry again.
template <typename Format>
[[nodiscard]] Value lookup_block(const View<Format>& view, std::uint32_t address) noexcept;

// `count` addresses, at most `bulk`, in tbl24 and behind it.
template <typename Format>
void lookup_blocks(const View<Format>& view, const std::uint32_t* addresses, Value* values,
                   unsigned count) noexcept;

// The same with AVX-512 gathers, sixteen addresses at a time. Only where have_avx512() says so.
[[nodiscard]] bool have_avx512() noexcept;
void lookup_blocks_avx512(const View<Narrow>& view, const std::uint32_t* addresses, Value* values,
                          unsigned count) noexcept;
void lookup_blocks_avx512(const View<Wide>& view, const std::uint32_t* addresses, Value* values,
                          unsigned count) noexcept;

// `count` addresses, at most `bulk`, by their shortcuts first.
template <typename Format>
void lookup_by_shortcut(const View<Format>& view, const std::uint32_t* addresses, Value* values,
                        unsigned count) noexcept;

// Any number of addresses, each bulk the way that suits it.
template <typename Format>
void lookup_bulk(const View<Format>& view, const std::uint32_t* addresses, Value* values,
                 unsigned count) noexcept;

}  // namespace sekisho::fib
