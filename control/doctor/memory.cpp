// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

Findings check_memory(const System& system) {
  constexpr std::uint64_t reserve =
      128 * mb;  // for control, while it reads a full Internet table, and all else
  const std::string name = "memory";
  const bool running = system.control && system.control->has_dataplane;
  const auto want = system.packet_bytes + system.table_bytes;
  const auto need = reserve + (running || system.hugepages.free >= want ? 0 : want);
  const auto sentence = fmt::format("{} MB are available", system.available_memory / mb);
  if (system.available_memory < need) {
    return {bad(name, fmt::format("{}, and {} are needed", sentence, need / mb),
                "give the machine more memory, or the dataplane a smaller --memory")};
  }
  return {ok(name, sentence)};
}

}  // namespace sekisho::doctor
