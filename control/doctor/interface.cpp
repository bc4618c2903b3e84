// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/interface.hpp"

#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>

namespace sekisho::doctor {
namespace {

// Linux, include/uapi/linux/netdev.h, which headers before 6.3 lack.
constexpr const char* netdev_family = "netdev";
constexpr std::uint8_t dev_get = 1;        // NETDEV_CMD_DEV_GET
constexpr std::uint16_t dev_ifindex = 1;   // NETDEV_A_DEV_IFINDEX
constexpr std::uint16_t xdp_features = 3;  // NETDEV_A_DEV_XDP_FEATURES

using Buffer = std::array<char, 16384>;
using OnAttribute = std::function<void(const nlattr*)>;

struct Reader {
  unsigned header;  // bytes of the family, before the attributes
  OnAttribute on_attribute;
};

int read_attribute(const nlattr* attribute, void* reader) {
  static_cast<const Reader*>(reader)->on_attribute(attribute);
  return MNL_CB_OK;
}

int read_message(const nlmsghdr* message, void* reader) {
  mnl_attr_parse(message, static_cast<const Reader*>(reader)->header, read_attribute, reader);
  return MNL_CB_STOP;
}

// One question, one answer; without one, nothing is called.
void ask(int protocol, Buffer& buffer, Reader reader) {
  const std::unique_ptr<mnl_socket, decltype(&mnl_socket_close)> socket{
      mnl_socket_open2(protocol, SOCK_CLOEXEC), mnl_socket_close};
  auto* const request = reinterpret_cast<nlmsghdr*>(buffer.data());
  request->nlmsg_flags = NLM_F_REQUEST;
  if (socket == nullptr || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0 ||
      mnl_socket_sendto(socket.get(), request, request->nlmsg_len) < 0) {
    return;
  }
  const auto received = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
  if (received > 0) {
    mnl_cb_run(buffer.data(), static_cast<std::size_t>(received), 0, mnl_socket_get_portid(socket.get()),
               read_message, &reader);
  }
}

nlmsghdr* generic_message(Buffer& buffer, std::uint16_t family, std::uint8_t command) {
  auto* const message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = family;
  auto* const generic = static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(message, sizeof(genlmsghdr)));
  generic->cmd = command;
  generic->version = 1;
  return message;
}

std::string find_alias(unsigned index) {
  Buffer buffer{};
  auto* const message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = RTM_GETLINK;
  auto* const link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
  link->ifi_index = static_cast<int>(index);
  std::string alias;
  ask(NETLINK_ROUTE, buffer, {sizeof(ifinfomsg), [&](const nlattr* attribute) {
                                if (mnl_attr_get_type(attribute) == IFLA_IFALIAS) {
                                  alias = mnl_attr_get_str(attribute);
                                }
                              }});
  return alias;
}

std::optional<std::uint64_t> find_xdp_features(unsigned index) {
  Buffer buffer{};
  std::uint16_t family = 0;
  mnl_attr_put_strz(generic_message(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY), CTRL_ATTR_FAMILY_NAME,
                    netdev_family);
  ask(NETLINK_GENERIC, buffer, {sizeof(genlmsghdr), [&](const nlattr* attribute) {
                                  if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID) {
                                    family = mnl_attr_get_u16(attribute);
                                  }
                                }});
  if (family == 0) {
    return std::nullopt;
  }
  buffer.fill(0);
  std::optional<std::uint64_t> features;
  mnl_attr_put_u32(generic_message(buffer, family, dev_get), dev_ifindex, index);
  ask(NETLINK_GENERIC, buffer, {sizeof(genlmsghdr), [&](const nlattr* attribute) {
                                  if (mnl_attr_get_type(attribute) == xdp_features) {
                                    features = mnl_attr_get_u64(attribute);
                                  }
                                }});
  return features;
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

Interface find_interface(const std::string& name) {
  Interface interface {
    .name = name
  };
  const auto index = ::if_nametoindex(name.c_str());
  if (index == 0) {
    return interface;
  }
  interface.present = true;
  interface.driver = find_driver(name);
  interface.alias = find_alias(index);
  interface.xdp_features = find_xdp_features(index);
  std::ifstream{"/proc/sys/net/ipv4/conf/" + name + "/rp_filter"} >> interface.rp_filter;
  return interface;
}

}  // namespace sekisho::doctor
