// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/interface_addresses.hpp"

#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include <utility>

#include "control/netlink/reader.hpp"

namespace sekisho::netlink {

auto snapshot() -> tl::expected<Mirror, std::string> {
  auto socket = Socket::open(NETLINK_ROUTE);
  if (!socket) {
    return tl::unexpected(fmt::format("netlink cannot be opened: {}", socket.error()));
  }
  Reader reader{std::move(*socket), {rtnetlink::Dump::links, rtnetlink::Dump::addresses}};
  if (const auto done = reader.read_round(); !done) {
    return tl::unexpected(done.error());
  }
  return std::move(reader.mirror);
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
