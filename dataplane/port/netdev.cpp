// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/port/netdev.hpp"

#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "common/base/fd.hpp"
#include "dataplane/steer/steering.hpp"

namespace sekisho::port {
namespace {

// 0 or an errno.
int device_ioctl(const std::string& name, unsigned long request, ifreq& ifr) noexcept {
  const base::Fd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::strncpy(ifr.ifr_name, name.c_str(), IFNAMSIZ - 1);
  return socket.valid() && ioctl(socket.get(), request, &ifr) == 0 ? 0 : errno;
}

int ethtool_ioctl(const std::string& name, void* command) noexcept {
  ifreq ifr{};
  ifr.ifr_data = static_cast<char*>(command);
  return device_ioctl(name, SIOCETHTOOL, ifr);
}

bool may_use_af_xdp() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("CapEff:")) {
      const auto effective = std::stoull(line.substr(7), nullptr, 16);
      for (const int capability : {CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN}) {
        if ((effective >> capability & 1) == 0) {
          return false;
        }
      }
    }
  }
  return true;
}

}  // namespace

auto inspect_netdev(const std::string& name, unsigned workers) -> tl::expected<Netdev, std::string> {
  if (name.empty() || name.size() >= IFNAMSIZ || if_nametoindex(name.c_str()) == 0) {
    return tl::unexpected(fmt::format("{}: there is no such network interface; `ip link` lists them", name));
  }
  if (name.find_first_of(",=[]") != std::string::npos) {
    return tl::unexpected(
        fmt::format("{}: DPDK cannot be told an interface name with any of `,=[]`; rename it", name));
  }
  if (!may_use_af_xdp()) {
    return tl::unexpected(
        fmt::format("{}: AF_XDP and its steering program need root, or CAP_NET_ADMIN, CAP_NET_RAW and "
                    "CAP_SYS_ADMIN",
                    name));
  }

  Netdev netdev;
  ifreq ifr{};
  if (const int error = device_ioctl(name, SIOCGIFMTU, ifr); error != 0) {
    return tl::unexpected(
        fmt::format("{}: its MTU cannot be read ({})", name, std::generic_category().message(error)));
  }
  netdev.mtu = static_cast<std::uint16_t>(ifr.ifr_mtu < 0xffff ? ifr.ifr_mtu : 0xffff);

  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (ethtool_ioctl(name, &channels) != 0) {
    channels = {};
  }
  if (channels.max_combined == 0) {
    // The PMD uses queue 0 only of a device without combined channels: one that cannot be asked, or a veth.
    if (channels.rx_count > 1) {
      return tl::unexpected(
          fmt::format("{}: it spreads over {} receive queues and DPDK can use only one of a device "
                      "without combined channels; `ethtool -L {} rx 1`",
                      name, channels.rx_count, name));
    }
    netdev.queues = 1;
  } else {
    if (channels.combined_count == 0 || channels.rx_count != 0) {
      return tl::unexpected(
          fmt::format("{}: {} combined and {} receive-only channels; AF_XDP needs all of them combined: "
                      "`ethtool -L {} combined {}` (a TAP has as many as its user holds open)",
                      name, channels.combined_count, channels.rx_count, name, workers));
    }
    netdev.queues = static_cast<std::uint16_t>(channels.combined_count);
  }
  if (netdev.queues < workers) {
    if (channels.max_combined >= workers) {
      return tl::unexpected(
          fmt::format("{}: {} channel(s) for {} workers, and each needs its own transmit queue; "
                      "`ethtool -L {} combined {}`",
                      name, netdev.queues, workers, name, workers));
    }
    return tl::unexpected(
        fmt::format("{}: it offers {} queue(s) to AF_XDP and each of the {} workers needs its own to "
                    "transmit; run fewer workers (a veth offers one)",
                    name, netdev.queues, workers));
  }
  return netdev;
}

void disable_merging(const std::string& name) noexcept {
  ethtool_value value{};
  value.cmd = ETHTOOL_SGRO;
  ethtool_ioctl(name, &value);
  value.cmd = ETHTOOL_GFLAGS;
  if (ethtool_ioctl(name, &value) == 0) {
    for (const std::uint32_t flag : {ETH_FLAG_LRO, ETH_FLAG_RXVLAN}) {  // one by one: either may be fixed
      if ((value.data & flag) != 0) {
        ethtool_value change{.cmd = ETHTOOL_SFLAGS, .data = value.data & ~flag};
        if (ethtool_ioctl(name, &change) == 0) {
          value.data = change.data;
        }
      }
    }
  }
}

bool is_disabled(int ifindex) noexcept {
  std::array<char, IF_NAMESIZE> name{};
  ifreq ifr{};
  return if_indextoname(static_cast<unsigned>(ifindex), name.data()) != nullptr &&
         device_ioctl(name.data(), SIOCGIFFLAGS, ifr) == 0 && (ifr.ifr_flags & IFF_UP) == 0;
}

}  // namespace sekisho::port
