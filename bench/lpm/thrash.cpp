// SPDX-License-Identifier: BSD-3-Clause
#include "bench/lpm/thrash.hpp"

#include <vector>

#include "bench/environment.hpp"

namespace sekisho::bench {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t bytes = std::size_t{128} << 20;

}  // namespace

Thrash::Thrash(unsigned cpu)
    : thread_{[cpu](const std::stop_token& stop) {
        pin_to(cpu);
        std::vector<char> memory(bytes);
        auto* const lines = static_cast<volatile char*>(memory.data());
        // Asked at each line: on a busy CPU a whole round may take seconds.
        for (std::size_t i = 0; !stop.stop_requested(); i = (i + cache_line) % bytes) {
          lines[i] = 1;
        }
      }} {}

}  // namespace sekisho::bench
