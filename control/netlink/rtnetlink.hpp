// SPDX-License-Identifier: BSD-3-Clause
// rtnetlink messages as types: what the kernel sends is read here, what it is asked is written here. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "control/config/config.hpp"
#include "control/netlink/mirror.hpp"
#include "control/netlink/socket.hpp"
#include "control/netlink/wanted.hpp"

namespace sekisho::netlink::rtnetlink {

struct LinkMessage {
  bool gone = false;
  Link link;
};

struct AddressMessage {
  bool gone = false;
  int index = 0;
  config::InterfaceAddress address;
  bool own = false;
};

struct NeighbourMessage {
  bool gone = false;
  int index = 0;
  std::uint32_t address = 0;
  bool managed = false;    // the kernel keeps it resolved
  bool permanent = false;  // an operator set it: PERMANENT or NOARP
  Neighbour neighbour;
};

struct RouteMessage {
  bool gone = false;
  bool replaces = false;  // the one of this prefix and metric, of which no other message speaks
  std::variant<Route, DefaultRoute> route;  // ours, or the main table's
};

struct RuleMessage {
  bool gone = false;
  Rule rule;
};

// net.ipv4.conf.NAME.*; an index of 0 is `all`, unless it is `default`.
struct SettingsMessage {
  int index = 0;
  bool is_default = false;
  std::optional<bool> forwarding;
  std::optional<int> rp_filter;
};

using Event =
    std::variant<LinkMessage, AddressMessage, NeighbourMessage, RouteMessage, RuleMessage, SettingsMessage>;

// Nothing for a message of another kind or family, or one that lacks what it must have.
[[nodiscard]] auto parse(const nlmsghdr& message) -> std::optional<Event>;

enum class Dump : std::uint8_t { links, settings, addresses, neighbours, routes, rules };
[[nodiscard]] Message list(Dump what, std::uint32_t sequence);
// Resolve this neighbour; with `managed`, and keep it resolved. Without it an entry that exists is no longer
// managed.
[[nodiscard]] Message resolve(const NeighbourKey& neighbour, bool managed, std::uint32_t sequence);
[[nodiscard]] Message write(const Request& request, std::uint32_t sequence);

}  // namespace sekisho::netlink::rtnetlink
