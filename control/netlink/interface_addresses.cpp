// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/interface_addresses.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "control/netlink/bus.hpp"
#include "control/netlink/rtnetlink.hpp"

namespace sekisho::netlink {
namespace {

using Socket = std::unique_ptr<mnl_socket, decltype(&mnl_socket_close)>;

int take(const nlmsghdr* message, void* mirror) {
  auto& into = *static_cast<Mirror*>(mirror);
  if (auto link = rtnetlink::parse_link(*message); link && message->nlmsg_type == RTM_NEWLINK)
    into.links[link->link.index] = std::move(link->link);
  else if (const auto address = rtnetlink::parse_address(*message);
           address && message->nlmsg_type == RTM_NEWADDR)
    into.addresses[address->index].push_back(address->address);
  return MNL_CB_OK;
}

bool dump(mnl_socket* socket, rtnetlink::Dump what, unsigned sequence, Mirror& mirror) {
  alignas(nlmsghdr) std::array<char, 512> request{};
  if (mnl_socket_sendto(socket, request.data(), rtnetlink::write_dump(request, what, sequence)) < 0)
    return false;
  std::vector<char> buffer(rtnetlink::longest_message);
  for (int more = MNL_CB_OK; more > MNL_CB_STOP;) {
    const auto received = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
    if (received < 0)
      return false;
    more = mnl_cb_run(buffer.data(), static_cast<std::size_t>(received), sequence,
                      mnl_socket_get_portid(socket), take, &mirror);
    if (more < MNL_CB_STOP)
      return false;
  }
  return true;
}

}  // namespace

auto snapshot() -> tl::expected<Mirror, std::string> {
  constexpr int attempts = 5;  // what changes while it is listed has to be listed again
  const Socket socket{mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), mnl_socket_close};
  bool is_open = socket != nullptr && mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) == 0;
  for (unsigned i = 0; is_open && i < attempts; ++i) {
    Mirror mirror;
    if (dump(socket.get(), rtnetlink::Dump::links, 2 * i + 1, mirror) &&
        dump(socket.get(), rtnetlink::Dump::addresses, 2 * i + 2, mirror)) {
      for (auto& [index, link] : mirror.links)
        add_bus_below(link);
      return mirror;
    }
    is_open = errno == EINTR;
  }
  return tl::unexpected(
      fmt::format("the kernel does not list its interfaces and addresses: {}", std::strerror(errno)));
}

auto addresses_by(Mirror mirror) -> AddressesOf {
  return [mirror = std::move(mirror)](
             const config::Port& port) -> std::optional<std::vector<config::InterfaceAddress>> {
    const Link* link = mirror.link_of(port);
    if (link == nullptr)
      return std::nullopt;
    const auto addresses = mirror.addresses.find(link->index);
    return addresses == mirror.addresses.end() ? std::vector<config::InterfaceAddress>{} : addresses->second;
  };
}

}  // namespace sekisho::netlink
