// SPDX-License-Identifier: BSD-3-Clause
// The same table and the same addresses, by different libraries.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "bench/tables.hpp"

namespace sekisho::bench {

inline constexpr unsigned max_bulk = 256;

class Engine {
 public:
  virtual ~Engine() = default;

  // A library may have several ways to look up; each cell is measured with the one that is fastest there.
  [[nodiscard]] virtual auto variants() const -> std::vector<std::string> { return {""}; }
  virtual void select(std::size_t /*variant*/) {}

  // The measured loop: `bulk` addresses a call; the results go to one array of the type that the library
  // writes, which is what a worker does with those of a burst. addresses.size() is a multiple of bulk.
  virtual void run(std::span<const std::uint32_t> addresses, unsigned bulk) noexcept = 0;

  // Not measured: the same lookups, for comparison. no_route where nothing covers an address.
  [[nodiscard]] virtual auto answers(std::span<const std::uint32_t> addresses) -> std::vector<fib::Value> = 0;
};

// Results count as used: the compiler may not drop a lookup of which it sees the body.
inline void keep(const void* results) noexcept {
  asm volatile("" : : "r"(results) : "memory");
}

// The error is the reason why an engine cannot hold all of a table.
using Made = tl::expected<std::unique_ptr<Engine>, std::string>;

[[nodiscard]] Made make_sekisho(const Table& table);
[[nodiscard]] Made make_rte_fib(const Table& table, unsigned entry_bytes);  // 1, 2 or 4
[[nodiscard]] Made make_rte_lpm(const Table& table);

inline constexpr std::string_view engine_names[] = {"sekisho", "rte_fib_1B", "rte_fib_2B", "rte_fib_4B",
                                                    "rte_lpm"};
[[nodiscard]] Made make_engine(std::string_view name, const Table& table);

}  // namespace sekisho::bench
