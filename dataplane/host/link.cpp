// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/host/link.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>

namespace sekisho::host {
namespace {

using Buffer = std::array<char, 32 << 10>;
using OnMessage = std::function<void(const nlmsghdr&)>;

int dispatch(const nlmsghdr* message, void* opaque) {
  (*static_cast<const OnMessage*>(opaque))(*message);
  return MNL_CB_OK;
}

// Sends what stands in `buffer` and hands out the answers, up to the last one: a dump has an end, anything else asks for an
// acknowledgement. 0 or an errno.
int ask(Buffer& buffer, const OnMessage& on_message) {
  const std::unique_ptr<mnl_socket, decltype(&mnl_socket_close)> socket{
      mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), mnl_socket_close};
  auto* const request = reinterpret_cast<nlmsghdr*>(buffer.data());
  request->nlmsg_flags |= NLM_F_REQUEST;
  if (socket == nullptr || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0 ||
      mnl_socket_sendto(socket.get(), request, request->nlmsg_len) < 0) {
    return errno;
  }
  const auto port = mnl_socket_get_portid(socket.get());
  int more = MNL_CB_OK;
  while (more > MNL_CB_STOP) {
    const auto length = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
    if (length < 0) {
      return errno;
    }
    more = mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), 0, port, dispatch,
                      const_cast<OnMessage*>(&on_message));
  }
  return more < 0 ? errno : 0;
}

auto new_message(Buffer& buffer, std::uint16_t type, std::uint16_t flags) -> nlmsghdr* {
  auto* const message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = type;
  message->nlmsg_flags = flags;
  auto* const link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
  link->ifi_family = AF_UNSPEC;
  return message;
}

using Attributes = std::array<const nlattr*, IFLA_MAX + 1>;

template <typename Parse>
Attributes attributes_of(Parse parse) {
  Attributes attributes{};
  parse(
      [](const nlattr* attribute, void* opaque) {
        if (const auto type = mnl_attr_get_type(attribute); type <= IFLA_MAX) {
          (*static_cast<Attributes*>(opaque))[type] = attribute;
        }
        return MNL_CB_OK;
      },
      &attributes);
  return attributes;
}

Attributes nested(const nlattr* attribute) {
  return attributes_of(
      [&](mnl_attr_cb_t callback, void* all) { mnl_attr_parse_nested(attribute, callback, all); });
}

std::string text(const nlattr* attribute) {
  return attribute == nullptr ? std::string{} : mnl_attr_get_str(attribute);
}

Link read_link(const nlmsghdr& message) {
  const auto attributes = attributes_of(
      [&](mnl_attr_cb_t callback, void* all) { mnl_attr_parse(&message, sizeof(ifinfomsg), callback, all); });
  Link link{.index = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message))->ifi_index,
            .name = text(attributes[IFLA_IFNAME]),
            .alias = text(attributes[IFLA_IFALIAS]),
            .kind = {}};
  if (attributes[IFLA_LINKINFO] != nullptr) {
    const auto info = nested(attributes[IFLA_LINKINFO]);
    link.kind = text(info[IFLA_INFO_KIND]);
    if (link.kind == "tun" && info[IFLA_INFO_DATA] != nullptr) {
      const auto data = nested(info[IFLA_INFO_DATA]);
      link.tun_type = data[IFLA_TUN_TYPE] == nullptr ? 0 : mnl_attr_get_u8(data[IFLA_TUN_TYPE]);
    }
  }
  return link;
}

auto failed(std::string_view what, int error) {
  return tl::unexpected(fmt::format("{} ({})", what, std::strerror(error)));
}

}  // namespace

auto find_link(const std::string& name) -> tl::expected<std::optional<Link>, std::string> {
  Buffer buffer{};
  mnl_attr_put_strz(new_message(buffer, RTM_GETLINK, NLM_F_ACK), IFLA_IFNAME, name.c_str());
  std::optional<Link> found;
  const int error = ask(buffer, [&](const nlmsghdr& message) { found = read_link(message); });
  if (error != 0 && error != ENODEV) {
    return failed(fmt::format("{}: the kernel does not say whether it is there", name), error);
  }
  return found;
}

auto links_with_alias(std::string_view prefix) -> tl::expected<std::vector<Link>, std::string> {
  Buffer buffer{};
  new_message(buffer, RTM_GETLINK, NLM_F_DUMP);
  std::vector<Link> found;
  const int error = ask(buffer, [&](const nlmsghdr& message) {
    if (auto link = read_link(message); link.alias.starts_with(prefix)) {
      found.push_back(std::move(link));
    }
  });
  if (error != 0) {
    return failed("the kernel does not list its interfaces", error);
  }
  return found;
}

auto set_alias(const std::string& name, const std::string& alias) -> tl::expected<void, std::string> {
  Buffer buffer{};
  auto* const message = new_message(buffer, RTM_NEWLINK, NLM_F_ACK);
  mnl_attr_put_strz(message, IFLA_IFNAME, name.c_str());
  mnl_attr_put(message, IFLA_IFALIAS, alias.size(), alias.data());
  if (const int error = ask(buffer, [](const nlmsghdr&) {}); error != 0) {
    return failed(fmt::format("{}: it cannot be given its alias", name), error);
  }
  return {};
}

}  // namespace sekisho::host
