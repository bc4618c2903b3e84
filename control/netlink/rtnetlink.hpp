// SPDX-License-Identifier: BSD-3-Clause
// rtnetlink messages as types: what the kernel sends is read here, what it is asked is written here. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "control/config/config.hpp"
#include "control/netlink/netlink.hpp"
#include "control/netlink/wanted.hpp"

struct nlmsghdr;

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

// An interface may have as many other names as fit its message.
inline constexpr std::size_t longest_message = std::size_t{1} << 18;

// Nothing for a message of another kind or family, or one that lacks what it must have.
[[nodiscard]] auto parse_link(const nlmsghdr& message) -> std::optional<LinkMessage>;
[[nodiscard]] auto parse_address(const nlmsghdr& message) -> std::optional<AddressMessage>;
[[nodiscard]] auto parse_neighbour(const nlmsghdr& message) -> std::optional<NeighbourMessage>;
[[nodiscard]] auto parse_route(const nlmsghdr& message) -> std::optional<RouteMessage>;
[[nodiscard]] auto parse_rule(const nlmsghdr& message) -> std::optional<RuleMessage>;
[[nodiscard]] auto parse_settings(const nlmsghdr& message) -> std::optional<SettingsMessage>;

// Each writes one message into the buffer and returns its length.
using Buffer = std::span<char, 512>;
enum class Dump : std::uint8_t { links, addresses, neighbours, routes, rules, settings };
std::size_t write_dump(Buffer buffer, Dump what, std::uint32_t sequence);
// Resolve this neighbour; with `managed`, and keep it resolved. Without it an entry that exists is no longer
// managed.
std::size_t write_resolve(Buffer buffer, int index, std::uint32_t address, bool managed,
                          std::uint32_t sequence);
std::size_t write(Buffer buffer, const Request& request, std::uint32_t sequence);

}  // namespace sekisho::netlink::rtnetlink
