// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/devices.hpp"

#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include "control/netlink/attributes.hpp"
#include "control/netlink/socket.hpp"

namespace sekisho::doctor {
namespace {

namespace fs = std::filesystem;

bool is_pci_address(const std::string& name) {
  unsigned part = 0;
  int length = 0;
  return std::sscanf(name.c_str(), "%4x:%2x:%2x.%1x%n", &part, &part, &part, &part, &length) == 4 &&
         name.size() == static_cast<std::size_t>(length);
}

// A virtio NIC's interface belongs to the virtio device behind the PCI device.
std::string interface_of(const fs::path& device) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{device / "net", none}) {
    return entry.path().filename();
  }
  for (const auto& entry : fs::directory_iterator{device, none}) {
    if (entry.path().filename().native().starts_with("virtio")) {
      return interface_of(entry.path());
    }
  }
  return {};
}

}  // namespace

std::optional<Nic> find_nic(const std::string& device, const fs::path& sysfs) {
  constexpr std::string_view vmbus = "vmbus:";
  const auto name = device.substr(0, device.find(','));
  fs::path path = sysfs / "bus";
  if (name.starts_with(vmbus)) {
    path /= fs::path{"vmbus/devices"} / name.substr(vmbus.size());
  } else if (is_pci_address(name)) {
    path /= fs::path{"pci/devices"} / name;
  } else {
    return std::nullopt;
  }
  Nic nic;
  std::error_code none;
  nic.present = fs::exists(path, none);
  nic.driver = fs::read_symlink(path / "driver", none).filename();
  nic.interface = interface_of(path);
  // vfio-pci's no-IOMMU mode makes a group of that name.
  std::string group;
  std::ifstream{path / "iommu_group/name"} >> group;
  nic.iommu = fs::exists(path / "iommu_group", none) && group != "vfio-noiommu";
  std::string type;
  std::ifstream{path / "iommu_group/type"} >> type;
  nic.translated = nic.iommu && type.starts_with("DMA");
  return nic;
}

namespace {

// Linux, include/uapi/linux/netdev.h, which headers before 6.3 lack.
constexpr const char* netdev_family = "netdev";
constexpr std::uint8_t dev_get = 1;        // NETDEV_CMD_DEV_GET
constexpr std::uint16_t dev_ifindex = 1;   // NETDEV_A_DEV_IFINDEX
constexpr std::uint16_t xdp_features = 3;  // NETDEV_A_DEV_XDP_FEATURES

netlink::Message generic_message(std::uint16_t family, std::uint8_t command) {
  netlink::Message message;
  auto* const generic =
      static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(message.begin(family, 0), sizeof(genlmsghdr)));
  generic->cmd = command;
  generic->version = 1;
  return message;
}

// The attribute of this type in the answer; nothing: the kernel does not know of what is asked.
template <typename Number>
std::optional<Number> ask(netlink::Socket& socket, const netlink::Message& question, std::uint16_t type) {
  constexpr std::chrono::seconds patience{1};
  std::optional<Number> found;
  if (socket.send(question) && socket.wait(patience)) {
    socket.read([&](const nlmsghdr& message) {
      if (message.nlmsg_type >= NLMSG_MIN_TYPE) {
        found = netlink::Attributes{message, sizeof(genlmsghdr), type + std::size_t{1}}.number<Number>(type);
      }
    });
  }
  return found;
}

std::optional<std::uint64_t> find_xdp_features(int index) {
  auto socket = netlink::Socket::open(NETLINK_GENERIC);
  if (!socket) {
    return std::nullopt;
  }
  auto which_family = generic_message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
  mnl_attr_put_strz(which_family.header(), CTRL_ATTR_FAMILY_NAME, netdev_family);
  const auto family = ask<std::uint16_t>(*socket, which_family, CTRL_ATTR_FAMILY_ID);
  if (!family) {
    return std::nullopt;
  }
  auto which_features = generic_message(*family, dev_get);
  mnl_attr_put_u32(which_features.header(), dev_ifindex, static_cast<std::uint32_t>(index));
  return ask<std::uint64_t>(*socket, which_features, xdp_features);
}

std::string find_driver(const std::string& name) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&info);
  const bool known = fd >= 0 && ::ioctl(fd, SIOCETHTOOL, &request) == 0;
  if (fd >= 0) {
    ::close(fd);
  }
  return known ? std::string{info.driver, ::strnlen(info.driver, sizeof(info.driver))} : "driver unknown";
}

}  // namespace

Interface find_interface(const std::string& name, const netlink::Mirror& mirror) {
  const netlink::Link* link = mirror.link(name);
  if (link == nullptr) {
    return {.name = name};
  }
  return {.name = name,
          .present = true,
          .driver = find_driver(name),
          .alias = link->alias,
          .xdp_features = find_xdp_features(link->index),
          .rp_filter = link->rp_filter,
          .mtu = link->mtu};
}

}  // namespace sekisho::doctor
