// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/steer/steering.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <system_error>
#include <utility>

#include "common/xdp/counters.hpp"

namespace sekisho::steer {
namespace {

constexpr auto object_bytes = std::to_array<unsigned char>({
#include "steer_object.h"
});

static_assert(static_cast<int>(decide::SourceVerdict::allowed) == sekisho_steer_allowed &&
              static_cast<int>(decide::SourceVerdict::spoofed) == sekisho_steer_spoofed &&
              static_cast<int>(decide::SourceVerdict::martian) == sekisho_steer_martian);

// The netdev's MAC address, as it lies in memory; 0 if it has none.
std::uint64_t station_of(const std::string& netdev) {
  const base::Fd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq request{};
  netdev.copy(request.ifr_name, IFNAMSIZ - 1);
  std::uint64_t station = 0;
  if (ioctl(socket.get(), SIOCGIFHWADDR, &request) == 0) {
    std::memcpy(&station, request.ifr_hwaddr.sa_data, 6);
  }
  return station;
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

std::string foreign(const std::string& netdev, const xdp::Program& program) {
  return fmt::format(
      "{}: an XDP program that is not Sekisho's is attached ('{}'); remove it with `ip link set {} xdp off` "
      "if "
      "it is not needed",
      netdev, program.name, netdev);
}

std::string taken(const std::string& netdev, std::uint64_t pid) {
  return fmt::format("{}: another Sekisho dataplane, process {}, is using it; stop that one first", netdev,
                     pid);
}

}  // namespace

Steering::Steering(std::string netdev, int ifindex, base::Fd object)
    : netdev_(std::move(netdev)),
      ifindex_(ifindex),
      object_(std::move(object)),
      own_start_time_(xdp::start_time(static_cast<std::uint64_t>(getpid())).value_or(0)),
      station_(station_of(netdev_)) {
  claim(ifindex_, *this);
}

Steering::~Steering() {
  release(ifindex_, *this);
  settle();
}

auto Steering::prepare(const std::string& netdev) -> tl::expected<std::unique_ptr<Steering>, std::string> {
  const auto ifindex = static_cast<int>(if_nametoindex(netdev.c_str()));
  if (ifindex == 0) {
    return tl::unexpected(
        fmt::format("{}: there is no such network interface; `ip link` lists them", netdev));
  }
  const auto attached = xdp::attached_program(ifindex);
  if (!attached) {
    return tl::unexpected(
        fmt::format("{}: its XDP program cannot be queried ({}); run as root or with CAP_NET_ADMIN, "
                    "CAP_NET_RAW and CAP_BPF",
                    netdev, errno_text(attached.error())));
  }
  if (attached->fd.valid()) {
    if (!attached->is_steering()) {
      return tl::unexpected(foreign(netdev, *attached));
    }
    if (const auto pid = xdp::living_owner(*attached)) {
      return tl::unexpected(taken(netdev, *pid));
    }
  }

  base::Fd object{memfd_create("sekisho_steer", MFD_CLOEXEC)};
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

int Steering::install(int program) noexcept try {
  auto described = xdp::describe(base::Fd{fcntl(program, F_DUPFD_CLOEXEC, 0)});
  if (!described) {
    return -described.error();
  }
  program_ = std::move(*described);
  state_ = xdp::find_map(program_, "state");
  local_map_ = xdp::find_map(program_, "local_addresses");
  sources_map_ = xdp::find_map(program_, "host_sources");
  verdicts_ = xdp::find_map(program_, "verdicts");
  if (!state_.valid() || !local_map_.valid() || !sources_map_.valid() || !verdicts_.valid()) {
    const int error = errno;
    refused_ = fmt::format(
        "{}: the maps of the steering program cannot be used ({}); run as root or with CAP_SYS_ADMIN, which "
        "finding a map by its id needs",
        netdev_, errno_text(error));
    return -error;
  }
  auto done = write_known();
  if (done) {
    const auto old = xdp::attached_program(ifindex_);
    done = old ? take_place_of(*old) : tl::unexpected(old.error());
  }
  if (done) {
    return 0;
  }
  if (refused_.empty()) {
    refused_ =
        fmt::format("{}: the steering program cannot be attached ({})", netdev_, errno_text(done.error()));
  }
  return -done.error();
} catch (const std::exception&) {
  return -ENOMEM;
}

auto Steering::take_place_of(const xdp::Program& old) -> tl::expected<void, int> {
  base::Fd old_verdicts;
  if (old.fd.valid()) {
    // Since prepare().
    if (!old.is_steering()) {
      refused_ = foreign(netdev_, old);
      return tl::unexpected(EBUSY);
    }
    const auto pid = xdp::living_owner(old);
    if (pid && *pid != static_cast<std::uint64_t>(getpid())) {
      refused_ = taken(netdev_, *pid);
      return tl::unexpected(EBUSY);
    }
    before_ = xdp::carried_by(xdp::read_state(xdp::find_map(old, "state")));
    old_verdicts = xdp::find_map(old, "verdicts");
    carried_ = xdp::sum_of(before_, xdp::read_verdicts(old_verdicts));
  }
  if (const int error = set_state(false, true); error != 0) {
    return tl::unexpected(error);
  }
  if (const int error = attach_in_place_of(ifindex_, program_.fd.get(), old.fd.get()); error < 0) {
    return tl::unexpected(-error);
  }
  replaced_verdicts_ = std::move(old_verdicts);
  return {};
}

// The program before has run for the last time: what it counted since it was read is booked, too.
void Steering::settle() noexcept {
  if (!replaced_verdicts_.valid()) {
    return;
  }
  xdp::wait_for_runs();
  carried_ = xdp::sum_of(before_, xdp::read_verdicts(replaced_verdicts_));
  replaced_verdicts_ = base::Fd{};
  auto state = xdp::read_state(state_);
  std::ranges::copy(carried_, state.carried);
  const std::uint32_t key = 0;
  bpf_map_update_elem(state_.get(), &key, &state, BPF_ANY);
}

auto Steering::bind() -> tl::expected<void, std::string> {
  const auto attached = xdp::attached_id(ifindex_);
  if (!attached || program_.id == 0 || *attached != program_.id) {
    return tl::unexpected(
        refused_.empty()
            ? fmt::format("{}: the steering program is not attached; look for the reason in the log above",
                          netdev_)
            : refused_);
  }
  settle();
  object_ = base::Fd{};
  return {};
}

auto Steering::write_known() -> tl::expected<void, int> {
  for (const std::uint32_t address : local_) {
    const std::uint32_t key = htonl(address);
    const std::uint8_t present = 1;
    if (bpf_map_update_elem(local_map_.get(), &key, &present, BPF_ANY) != 0) {
      return tl::unexpected(errno);
    }
  }
  for (const auto& [prefix, verdict] : sources_) {
    if (auto done = write_source(prefix, verdict); !done) {
      return done;
    }
  }
  return {};
}

auto Steering::write_source(base::Prefix prefix, decide::SourceVerdict verdict) -> tl::expected<void, int> {
  const sekisho_steer_source key{.length = prefix.length, .address = htonl(prefix.address)};
  const auto value = static_cast<std::uint8_t>(verdict);
  if (bpf_map_update_elem(sources_map_.get(), &key, &value, BPF_ANY) != 0) {
    return tl::unexpected(errno);
  }
  return {};
}

auto Steering::set_sources(const decide::HostSources::Rules& wanted) -> tl::expected<void, std::string> {
  if (wanted.size() > SEKISHO_STEER_MAX_SOURCES) {
    return tl::unexpected(
        fmt::format("{}: {} prefixes of sources are more than the {} that steering can hold", netdev_,
                    wanted.size(), SEKISHO_STEER_MAX_SOURCES));
  }
  if (!sources_map_.valid()) {
    sources_ = wanted;  // written by install()
    return {};
  }
  for (const auto& [prefix, verdict] : wanted) {
    if (const auto known = sources_.find(prefix); known != sources_.end() && known->second == verdict) {
      continue;
    }
    if (const auto done = write_source(prefix, verdict); !done) {
      return tl::unexpected(fmt::format("{}: source {} cannot be told to steering ({})", netdev_,
                                        base::to_string(prefix), errno_text(done.error())));
    }
    sources_.insert_or_assign(prefix, verdict);
  }
  for (auto known = sources_.begin(); known != sources_.end();) {
    if (wanted.contains(known->first)) {
      ++known;
      continue;
    }
    const sekisho_steer_source key{.length = known->first.length, .address = htonl(known->first.address)};
    if (bpf_map_delete_elem(sources_map_.get(), &key) != 0 && errno != ENOENT) {
      return tl::unexpected(fmt::format("{}: source {} cannot be taken from steering ({})", netdev_,
                                        base::to_string(known->first), errno_text(errno)));
    }
    known = sources_.erase(known);
  }
  return {};
}

auto Steering::set_local(const std::vector<std::uint32_t>& local) -> tl::expected<void, std::string> {
  std::set<std::uint32_t> wanted(local.begin(), local.end());
  if (wanted.size() > SEKISHO_STEER_MAX_LOCAL) {
    return tl::unexpected(fmt::format("{}: {} local addresses are more than the {} that steering can hold",
                                      netdev_, wanted.size(), SEKISHO_STEER_MAX_LOCAL));
  }
  if (!local_map_.valid()) {
    local_ = std::move(wanted);  // written by install()
    return {};
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

int Steering::set_state(bool ready, bool owned) noexcept {
  sekisho_steer_state state{.ready = ready,
                            .owner_pid = owned ? static_cast<std::uint64_t>(getpid()) : 0,
                            .owner_start_time = owned ? own_start_time_ : 0,
                            .station = station_,
                            .carried = {}};
  std::ranges::copy(carried_, state.carried);
  const std::uint32_t key = 0;
  return bpf_map_update_elem(state_.get(), &key, &state, BPF_ANY) == 0 ? 0 : errno;
}

auto Steering::admit() -> tl::expected<void, std::string> {
  if (const int error = set_state(true, true); error != 0) {
    return tl::unexpected(fmt::format("{}: steering cannot be made ready ({})", netdev_, errno_text(error)));
  }
  return {};
}

auto Steering::keep() -> tl::expected<bool, std::string> {
  const auto id = xdp::attached_id(ifindex_);
  if (id && *id == program_.id) {
    return false;
  }
  const auto attached = id ? xdp::attached_program(ifindex_) : tl::unexpected(id.error());
  if (!attached) {
    return tl::unexpected(
        fmt::format("{}: its XDP program cannot be queried ({})", netdev_, errno_text(attached.error())));
  }
  if (!attached->fd.valid()) {
    if (const int error = attach_in_place_of(ifindex_, program_.fd.get(), -1); error < 0) {
      return tl::unexpected(
          fmt::format("{}: its steering program was removed and cannot be attached again ({})", netdev_,
                      errno_text(-error)));
    }
    return true;
  }
  return tl::unexpected(
      attached->is_steering()
          ? fmt::format("{}: another Sekisho dataplane has put its steering program there", netdev_)
          : foreign(netdev_, *attached));
}

void Steering::revoke() noexcept {
  if (state_.valid()) {
    set_state(false, false);
    xdp::wait_for_runs();
  }
}

std::map<std::string, std::uint64_t> Steering::counters() const {
  return xdp::named(xdp::sum_of(carried_, xdp::read_verdicts(verdicts_)));
}

std::uint64_t Steering::redirected_before() const noexcept {
  return carried_[sekisho_steer_redirected];
}

auto counters_of(const std::string& netdev) -> std::map<std::string, std::uint64_t> {
  return xdp::counters_of(static_cast<int>(if_nametoindex(netdev.c_str())));
}

}  // namespace sekisho::steer
