// SPDX-License-Identifier: BSD-3-Clause
#include "common/xdp/program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

namespace sekisho::xdp {
namespace {

// The kernel copies as many bytes as the map's values have.
std::optional<bpf_map_info> map_info(const base::Fd& map) {
  bpf_map_info info{};
  std::uint32_t length = sizeof info;
  if (!map.valid() || bpf_obj_get_info_by_fd(map.get(), &info, &length) != 0) {
    return std::nullopt;
  }
  return info;
}

}  // namespace

auto attached_id(int ifindex) -> tl::expected<std::uint32_t, int> {
  bpf_xdp_query_opts query{};
  query.sz = sizeof query;
  if (const int error = bpf_xdp_query(ifindex, 0, &query); error < 0) {
    return tl::unexpected(-error);
  }
  // With programs in several modes `prog_id` is 0 and each mode has its own.
  std::uint32_t id = query.prog_id;
  for (const std::uint32_t other : {query.drv_prog_id, query.skb_prog_id, query.hw_prog_id}) {
    id = id == 0 ? other : id;
  }
  return id;
}

auto describe(base::Fd fd) -> tl::expected<Program, int> {
  Program program;
  program.fd = std::move(fd);
  program.map_ids.resize(64);
  bpf_prog_info info{};
  std::uint32_t length = sizeof info;
  info.nr_map_ids = static_cast<std::uint32_t>(program.map_ids.size());
  info.map_ids = reinterpret_cast<std::uintptr_t>(program.map_ids.data());
  if (bpf_obj_get_info_by_fd(program.fd.get(), &info, &length) < 0) {
    return tl::unexpected(errno);
  }
  program.id = info.id;
  program.map_ids.resize(std::min<std::size_t>(info.nr_map_ids, program.map_ids.size()));
  program.name = info.name;
  return program;
}

auto attached_program(int ifindex) -> tl::expected<Program, int> {
  const auto id = attached_id(ifindex);
  if (!id || *id == 0) {
    return id ? tl::expected<Program, int>{Program{}} : tl::unexpected(id.error());
  }
  base::Fd fd{bpf_prog_get_fd_by_id(*id)};
  return fd.valid() ? describe(std::move(fd)) : tl::unexpected(errno);
}

base::Fd find_map(const Program& program, std::string_view name) {
  for (const std::uint32_t id : program.map_ids) {
    base::Fd map{bpf_map_get_fd_by_id(id)};
    const auto info = map_info(map);
    // The kernel keeps 15 characters of a name.
    if (info && name.substr(0, 15) == info->name) {
      return map;
    }
  }
  return base::Fd{};
}

sekisho_steer_state read_state(const base::Fd& map) {
  sekisho_steer_state state{};
  const auto info = map_info(map);
  if (!info) {
    return state;
  }
  const std::uint32_t key = 0;
  std::vector<std::byte> value(info->value_size);
  if (bpf_map_lookup_elem(map.get(), &key, value.data()) == 0) {
    std::memcpy(&state, value.data(), std::min(value.size(), sizeof state));
  }
  return state;
}

Counts read_verdicts(const base::Fd& map) {
  Counts sums{};
  // A per-CPU value has a slot for every CPU that could be plugged in.
  const int cpus = libbpf_num_possible_cpus();
  std::vector<std::uint64_t> slots(static_cast<std::size_t>(std::max(cpus, 1)));
  for (std::uint32_t key = 0; cpus > 0 && map.valid() && key < sums.size(); ++key) {
    if (bpf_map_lookup_elem(map.get(), &key, slots.data()) == 0) {
      for (const std::uint64_t slot : slots) {
        sums[key] += slot;
      }
    }
  }
  return sums;
}

std::optional<std::uint64_t> start_time(std::uint64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string stat{std::istreambuf_iterator<char>{file}, {}};
  // The command's name, in parentheses, may contain anything; state is the field behind it.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream rest{stat.substr(name_end + 1)};
  const std::vector<std::string> fields{std::istream_iterator<std::string>{rest}, {}};
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") {
    return std::nullopt;
  }
  return std::stoull(fields[19]);
}

std::optional<std::uint64_t> living_owner(const Program& program) {
  const auto state = read_state(find_map(program, "state"));
  if (state.owner_pid == 0 || start_time(state.owner_pid) != state.owner_start_time) {
    return std::nullopt;
  }
  return state.owner_pid;
}

// XDP runs in a read-side critical section of RCU, and this command is a grace period. (A kernel with nohz_full refuses it: what
// was counted in the last microseconds is then missing.)
void wait_for_runs() noexcept {
  syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

}  // namespace sekisho::xdp
