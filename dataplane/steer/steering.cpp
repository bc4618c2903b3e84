#include "dataplane/steer/steering.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <sstream>
#include <string_view>
#include <utility>

#include "dataplane/steer/layout.h"

namespace sekisho::steer {
namespace {

constexpr std::string_view program_name = "sekisho_steer";

constexpr auto object_bytes = std::to_array<unsigned char>({
#include "steer_object.h"
});

constexpr std::array<const char*, sekisho_steer_verdict_count> verdict_names{
#define VERDICT(name) #name,
    SEKISHO_STEER_VERDICTS(VERDICT)
#undef VERDICT
};

struct Program {
  Fd fd;
  std::string name;
  std::vector<std::uint32_t> map_ids;
};

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

// Nothing attached is a Program without a file descriptor.
auto attached_program(int ifindex) -> tl::expected<Program, int> {
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
  Program program;
  if (id == 0) {
    return program;
  }
  program.fd = Fd{bpf_prog_get_fd_by_id(id)};
  if (!program.fd.valid()) {
    return tl::unexpected(errno);
  }
  program.map_ids.resize(64);
  bpf_prog_info info{};
  std::uint32_t length = sizeof info;
  info.nr_map_ids = static_cast<std::uint32_t>(program.map_ids.size());
  info.map_ids = reinterpret_cast<std::uintptr_t>(program.map_ids.data());
  if (bpf_obj_get_info_by_fd(program.fd.get(), &info, &length) < 0) {
    return tl::unexpected(errno);
  }
  program.map_ids.resize(std::min<std::size_t>(info.nr_map_ids, program.map_ids.size()));
  program.name = info.name;
  return program;
}

Fd find_map(const Program& program, std::string_view name) {
  for (const std::uint32_t id : program.map_ids) {
    Fd map{bpf_map_get_fd_by_id(id)};
    bpf_map_info info{};
    std::uint32_t length = sizeof info;
    // The kernel keeps 15 characters of a name.
    if (map.valid() && bpf_obj_get_info_by_fd(map.get(), &info, &length) == 0 &&
        name.substr(0, 15) == info.name) {
      return map;
    }
  }
  return Fd{};
}

// When the process started, in clock ticks; nothing if it is gone or a zombie, whose sockets are closed.
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
  const Fd map = find_map(program, "state");
  const std::uint32_t key = 0;
  sekisho_steer_state state{};
  if (!map.valid() || bpf_map_lookup_elem(map.get(), &key, &state) != 0 || state.owner_pid == 0 ||
      start_time(state.owner_pid) != state.owner_start_time) {
    return std::nullopt;
  }
  return state.owner_pid;
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

Steering::Steering(std::string netdev, int ifindex, Fd object)
    : netdev_(std::move(netdev)),
      ifindex_(ifindex),
      object_(std::move(object)),
      own_start_time_(start_time(static_cast<std::uint64_t>(getpid())).value_or(0)) {}

auto Steering::prepare(const std::string& netdev) -> tl::expected<std::unique_ptr<Steering>, std::string> {
  const auto ifindex = static_cast<int>(if_nametoindex(netdev.c_str()));
  if (ifindex == 0) {
    return tl::unexpected(
        fmt::format("{}: there is no such network interface; `ip link` lists them", netdev));
  }
  const auto attached = attached_program(ifindex);
  if (!attached) {
    return tl::unexpected(
        fmt::format("{}: its XDP program cannot be queried ({}); run as root or with CAP_NET_ADMIN, "
                    "CAP_NET_RAW and CAP_BPF",
                    netdev, errno_text(attached.error())));
  }
  if (attached->fd.valid()) {
    if (attached->name != program_name) {
      return tl::unexpected(
          fmt::format("{}: an XDP program that is not Sekisho's is attached ('{}'); remove it with "
                      "`ip link set {} xdp off` if it is not needed",
                      netdev, attached->name, netdev));
    }
    if (const auto pid = living_owner(*attached)) {
      return tl::unexpected(fmt::format(
          "{}: another Sekisho dataplane, process {}, is using it; stop that one first", netdev, *pid));
    }
    if (const int error = bpf_xdp_detach(ifindex, 0, nullptr); error < 0) {
      return tl::unexpected(
          fmt::format("{}: the XDP program of a crashed dataplane cannot be detached ({}); "
                      "`ip link set {} xdp off` may do it",
                      netdev, errno_text(-error), netdev));
    }
    // The kernel takes the queues of a process that just died back from a work queue, and does not say when.
    usleep(100'000);
  }

  Fd object{memfd_create("sekisho_steer", MFD_CLOEXEC)};
  if (!object.valid() || write(object.get(), object_bytes.data(), object_bytes.size()) !=
                             static_cast<ssize_t>(object_bytes.size())) {
    return tl::unexpected(
        fmt::format("{}: no memory for the steering program ({})", netdev, errno_text(errno)));
  }
  return std::unique_ptr<Steering>(new Steering(netdev, ifindex, std::move(object)));
}

std::string Steering::program_path() const {
  return fmt::format("/proc/self/fd/{}", object_.get());
}

auto Steering::bind() -> tl::expected<void, std::string> {
  const auto attached = attached_program(ifindex_);
  if (!attached || attached->name != program_name) {
    return tl::unexpected(fmt::format(
        "{}: the steering program is not attached; look for the reason in the log above", netdev_));
  }
  state_ = find_map(*attached, "state");
  local_map_ = find_map(*attached, "local_addresses");
  verdicts_ = find_map(*attached, "verdicts");
  const bool found = state_.valid() && local_map_.valid() && verdicts_.valid();
  if (const int error = found ? set_ready(false) : errno; error != 0) {
    return tl::unexpected(
        fmt::format("{}: the maps of the steering program cannot be used ({}); run as root or with "
                    "CAP_SYS_ADMIN, which finding a map by its id needs",
                    netdev_, errno_text(error)));
  }
  object_ = Fd{};
  return {};
}

auto Steering::set_local(const std::vector<std::uint32_t>& local) -> tl::expected<void, std::string> {
  const std::set<std::uint32_t> wanted(local.begin(), local.end());
  if (wanted.size() > SEKISHO_STEER_MAX_LOCAL) {
    return tl::unexpected(fmt::format("{}: {} local addresses are more than the {} that steering can hold",
                                      netdev_, wanted.size(), SEKISHO_STEER_MAX_LOCAL));
  }
  std::vector<std::uint32_t> gone;
  std::vector<std::uint32_t> added;
  std::ranges::set_difference(local_, wanted, std::back_inserter(gone));
  std::ranges::set_difference(wanted, local_, std::back_inserter(added));
  // Removed first, so that a full map has room.
  for (const std::uint32_t address : gone) {
    const std::uint32_t key = htonl(address);
    if (bpf_map_delete_elem(local_map_.get(), &key) != 0 && errno != ENOENT) {
      return tl::unexpected(fmt::format("{}: a local address cannot be removed from steering ({})", netdev_,
                                        errno_text(errno)));
    }
    local_.erase(address);
  }
  for (const std::uint32_t address : added) {
    const std::uint32_t key = htonl(address);
    const std::uint8_t present = 1;
    if (bpf_map_update_elem(local_map_.get(), &key, &present, BPF_ANY) != 0) {
      return tl::unexpected(
          fmt::format("{}: a local address cannot be added to steering ({})", netdev_, errno_text(errno)));
    }
    local_.insert(address);
  }
  return {};
}

int Steering::set_ready(bool ready) noexcept {
  const auto pid = static_cast<std::uint64_t>(getpid());
  const std::uint32_t key = 0;
  const sekisho_steer_state state{ready, pid, own_start_time_};
  return bpf_map_update_elem(state_.get(), &key, &state, BPF_ANY) == 0 ? 0 : errno;
}

auto Steering::admit() -> tl::expected<void, std::string> {
  if (const int error = set_ready(true); error != 0) {
    return tl::unexpected(fmt::format("{}: steering cannot be made ready ({})", netdev_, errno_text(error)));
  }
  return {};
}

void Steering::revoke() noexcept {
  const std::uint32_t key = 0;
  const sekisho_steer_state nobodys{};
  bpf_map_update_elem(state_.get(), &key, &nobodys, BPF_ANY);
}

std::map<std::string, std::uint64_t> Steering::counters() const {
  std::map<std::string, std::uint64_t> sums;
  // A per-CPU value has a slot for every CPU that could be plugged in.
  const int cpus = libbpf_num_possible_cpus();
  std::vector<std::uint64_t> slots(static_cast<std::size_t>(std::max(cpus, 1)));
  for (std::uint32_t key = 0; key < verdict_names.size(); ++key) {
    std::uint64_t sum = 0;
    if (cpus > 0 && bpf_map_lookup_elem(verdicts_.get(), &key, slots.data()) == 0) {
      for (const std::uint64_t slot : slots) {
        sum += slot;
      }
    }
    sums[verdict_names[key]] = sum;
  }
  return sums;
}

}  // namespace sekisho::steer
