// SPDX-License-Identifier: BSD-3-Clause
// XDP programs and their maps, as the kernel tells them by id. Errors are errno values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/fd.hpp"
#include "common/xdp/layout.h"

namespace sekisho::xdp {

inline constexpr std::string_view program_name = "sekisho_steer";

using Counts = std::array<std::uint64_t, sekisho_steer_verdict_count>;

struct Program {
  base::Fd fd;
  std::uint32_t id = 0;
  std::string name;
  std::vector<std::uint32_t> map_ids;

  [[nodiscard]] bool is_steering() const { return name == program_name; }
};

// 0: none, in whatever mode.
[[nodiscard]] auto attached_id(int ifindex) -> tl::expected<std::uint32_t, int>;
// Nothing attached is a Program without a file descriptor.
[[nodiscard]] auto attached_program(int ifindex) -> tl::expected<Program, int>;
// Takes the file descriptor.
[[nodiscard]] auto describe(base::Fd program) -> tl::expected<Program, int>;
[[nodiscard]] base::Fd find_map(const Program& program, std::string_view name);

// Zeros where the map cannot be read, or is an older version's and shorter.
[[nodiscard]] sekisho_steer_state read_state(const base::Fd& state);
// What the program itself counted, summed over CPUs. The same holds.
[[nodiscard]] Counts read_verdicts(const base::Fd& verdicts);

// When the process started, in clock ticks; nothing if it is gone or a zombie, whose sockets are closed.
[[nodiscard]] std::optional<std::uint64_t> start_time(std::uint64_t pid);
// Who holds a steering program; nothing if that process is gone or has let go of it.
[[nodiscard]] std::optional<std::uint64_t> living_owner(const Program& program);

// Returns when every run of an XDP program that began before the call is over.
void wait_for_runs() noexcept;

}  // namespace sekisho::xdp
