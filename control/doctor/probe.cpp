// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/probe.hpp"

#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string_view>
#include <utility>

#include "common/base/detached_read.hpp"
#include "common/base/file.hpp"
#include "control/advertise/frr_conf.hpp"
#include "control/doctor/devices.hpp"
#include "control/doctor/needs.hpp"
#include "control/frr/vtysh.hpp"
#include "control/guard/table.hpp"
#include "control/guard/truth.hpp"
#include "control/netlink/interface_addresses.hpp"
#include "control/netlink/netlink.hpp"
#include "control/netlink/route_lookup.hpp"
#include "control/policy/policy.hpp"
#include "control/prove/prove.hpp"
#include "control/reach/host_stack.hpp"
#include "control/reach/members.hpp"
#include "control/route/internet.hpp"

namespace sekisho::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds patience{5};  // with each file; less than who waits for all of this has

// Empty where there is no such file.
std::string content(const fs::path& file) {
  constexpr std::size_t limit = 1 << 20;
  return base::read_file(file, limit).value_or(std::string{});
}

// The first word.
std::string word(const fs::path& file) {
  std::string text;
  std::ifstream{file} >> text;
  return text;
}
std::uint64_t number(const fs::path& file) {
  std::uint64_t value = 0;
  std::ifstream{file} >> value;
  return value;
}

std::uint64_t meminfo(std::string_view key) {
  std::ifstream stream{"/proc/meminfo"};
  std::string name;
  std::uint64_t value = 0;
  for (std::string rest; stream >> name >> value; std::getline(stream, rest)) {
    if (name == key) {
      return value;
    }
  }
  return 0;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Whether a next hop without a probe has a member in one of the port's subnets.
bool trusts_neighbours(const config::Port& port, const config::Config& config,
                       const netlink::Mirror& mirror) {
  return std::ranges::any_of(config.next_hops, [&](const config::NextHop& next_hop) {
    return !next_hop.probe && std::ranges::any_of(next_hop.members, [&](std::uint32_t member) {
      return reach::member(member, config, mirror).port == port.name;
    });
  });
}

std::chrono::milliseconds neighbour_patience(const std::string& interface) {
  const fs::path folder = fs::path{"/proc/sys/net/ipv4/neigh"} / interface;
  const auto setting = [&](const char* name) { return static_cast<std::int64_t>(number(folder / name)); };
  constexpr std::int64_t second = 1000;
  return std::chrono::milliseconds{
      setting("base_reachable_time_ms") * 3 / 2 + setting("interval_probe_time_ms") +
      setting("delay_first_probe_time") * second +
      (setting("ucast_solicit") + setting("app_solicit")) * setting("retrans_time_ms")};
}

// As a cloud would know them.
void probe_addresses(Port& seen, const config::Port& port, const config::Config& config,
                     const netlink::Mirror& mirror) {
  for (const auto& address : port.addresses) {
    seen.addresses.emplace_back(address.address, address.length);
  }
  seen.frontends = config.azure.own_addresses;
  const auto* link = port.has_netdev() ? mirror.link_of(port) : nullptr;
  if (link == nullptr) {
    return;
  }
  seen.mac = link->mac;
  if (port.is_af_xdp()) {
    const auto found = mirror.addresses.find(link->index);
    if (found != mirror.addresses.end()) {
      for (const auto& address : found->second) {
        seen.addresses.emplace_back(address.address, address.length);
      }
    }
  }
  for (const auto& [index, other] : mirror.links) {
    if (other.master == link->index && other.mac == link->mac) {
      seen.vf = other.name;
    }
  }
}

// Null: it cannot be read.
auto probe_configuration(System& system, const fs::path& file, const netlink::Mirror& mirror)
    -> std::shared_ptr<const policy::Policy> {
  const auto policy = base::within(patience, file, [file, addresses = netlink::addresses_by(mirror)] {
    auto read = policy::read_to_run(file, addresses);
    if (auto broken = read ? prove::refuse_broken(**read) : std::nullopt) {
      read = tl::unexpected(std::move(*broken));
    }
    return read;
  });
  if (!policy) {
    system.configuration_error = policy.error().to_string();
    return nullptr;
  }
  system.table_bytes = table_bytes(**policy);
  for (const auto& port : (*policy)->config.ports) {
    Port seen{.name = port.name,
              .device = port.device.substr(0, port.device.find(',')),
              .af_xdp = port.is_af_xdp(),
              .nic = find_nic(port.device),
              .companion_alias = reach::companion_alias(port),
              .mtu = port.mtu};
    probe_addresses(seen, port, (*policy)->config, mirror);
    if (port.has_netdev()) {
      const auto link = mirror.find_link_of(port);
      seen.interface = find_interface(link ? (*link)->name : *port.netdev(), mirror);
      seen.missing = link ? std::string{} : link.error();
      if (link && trusts_neighbours(port, (*policy)->config, mirror)) {
        seen.neighbour_patience = neighbour_patience((*link)->name);
      }
    }
    system.ports.push_back(std::move(seen));
  }
  return *policy;
}

// The locks that the configuration wants, as the kernel has them.
void probe_guard(System& system, const fs::path& file) {
  system.guard = guard::installed().map([](const auto&) {});
  boost::asio::io_context io;
  const auto config = config::read_within(patience, file);
  const auto netlink = netlink::Netlink::open(io, [] {});
  if (system.root && config && netlink) {
    auto truth = guard::ask(*config, (*netlink)->mirror());
    system.guard_problems = std::move(truth.problems);
    system.unsteered = std::move(truth.unsteered);
  }
}

void probe_kernel(System& system, const netlink::Mirror& mirror) {
  utsname name{};
  if (uname(&name) == 0) {
    std::sscanf(name.release, "%u.%u", &system.kernel.first, &system.kernel.second);
  }
  system.forwards = number("/proc/sys/net/ipv4/ip_forward") != 0;
  system.rp_filter_all = static_cast<int>(number("/proc/sys/net/ipv4/conf/all/rp_filter"));
  system.exit = find_interface(std::string{config::exit_netdev}, mirror);
  system.no_iommu_mode = word("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") == "Y";
  const auto lockdown = content("/sys/kernel/security/lockdown");
  system.locked_down = has(lockdown, "[integrity]") || has(lockdown, "[confidentiality]");
  // Without a capability it is refused, too, but not as an unknown family.
  const int fd = ::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  system.xdp_sockets = fd >= 0 || errno != EAFNOSUPPORT;
  if (fd >= 0) {
    ::close(fd);
  }
  timex time{};
  const int state = adjtimex(&time);
  system.clock_synchronised = state >= 0 && state != TIME_ERROR;
}

void probe_memory(System& system) {
  constexpr std::uint64_t kb = 1024;
  system.available_memory = meminfo("MemAvailable:") * kb;
  auto& pages = system.hugepages;
  pages.page = meminfo("Hugepagesize:") * kb;
  pages.total = meminfo("HugePages_Total:") * pages.page;
  pages.free = meminfo("HugePages_Free:") * pages.page;
  const auto modes = content("/sys/kernel/mm/transparent_hugepage/enabled");
  pages.transparent = has(modes, "[always]") || has(modes, "[madvise]");
}

void probe_cpus(System& system, const fs::path& environment) {
  const fs::path cpus = "/sys/devices/system/cpu";
  system.cpus = parse_cpus(word(cpus / "online"));
  system.isolated = parse_cpus(word(cpus / "isolated"));
  system.tickless = parse_cpus(word(cpus / "nohz_full"));
  const auto options = parse_options(content(environment));
  system.packet_bytes = options.memory_mb * mb;
  system.packet_mtu = options.mtu;
  if (options.workers) {
    system.workers = *options.workers;
  } else if (!system.cpus.empty()) {
    system.workers = {system.cpus.back()};
  }
}

// "zebra version 8.4.4" is the first line that it prints.
std::string find_frr() {
  constexpr const char* zebra = "/usr/lib/frr/zebra";
  if (::access(zebra, X_OK) != 0) {
    return {};
  }
  std::array<char, 64> version{};
  std::FILE* const pipe = ::popen("/usr/lib/frr/zebra --version 2>&1", "re");
  const bool known = pipe != nullptr && std::fscanf(pipe, "zebra version %63s", version.data()) == 1;
  if (pipe != nullptr) {
    ::pclose(pipe);
  }
  return known ? version.data() : "of unknown version";
}

auto peers_by_default_alone(const config::Config& config) -> std::vector<Bgp::Peer> {
  std::vector<Bgp::Peer> result;
  if (std::ranges::none_of(config.zones, &config::Zone::follow_default)) {
    return result;
  }
  for (const auto& peer : config.bgp->peers) {
    const auto way = netlink::route_to(peer.address);
    if (way && *way && (*way)->prefix == route::default_route) {
      result.push_back({base::address_to_string(peer.address),
                        (*way)->gateway == 0 ? "" : base::address_to_string((*way)->gateway)});
    }
  }
  return result;
}

void probe_bgp(System& system, const policy::Policy& policy) {
  if (!policy.config.bgp || policy.config.bgp->peers.empty()) {
    return;
  }
  const auto& bgp = *policy.config.bgp;
  const auto file = frr::configuration_file(bgp.frr);
  Bgp found{.file = file.native(),
            .rendered = advertise::frr_conf(bgp, policy.config.guard, policy.advertised)};
  if (auto text = base::read_file(file)) {
    found.text = std::move(*text);
  } else if (std::error_code error; fs::exists(file, error) || error) {
    found.unread = text.error().to_string();
  }
  found.starts_bgpd = frr::starts_bgpd(bgp.frr);
  found.by_default_alone = peers_by_default_alone(policy.config);
  system.bgp = std::move(found);
}

}  // namespace

System probe(const fs::path& configuration, tl::expected<Control, std::string> control,
             std::optional<CloudKind> cloud) {
  System system{.root = ::geteuid() == 0, .file = configuration, .control = std::move(control)};
  const auto mirror = netlink::snapshot().value_or(netlink::Mirror{});
  const auto policy = probe_configuration(system, configuration, mirror);
  probe_kernel(system, mirror);
  probe_memory(system);
  probe_cpus(system, configuration.parent_path() / "dataplane.env");
  probe_guard(system, configuration);
  system.firmware_cloud = find_cloud();
  if (cloud) {
    system.cloud = ask_cloud(*cloud, Metadata{std::chrono::seconds{2}});
  }
  system.frr = find_frr();
  if (policy != nullptr) {
    probe_bgp(system, *policy);
  }
  return system;
}

}  // namespace sekisho::doctor
