// SPDX-License-Identifier: BSD-3-Clause
// What the kernel's own stack needs for our ports: addresses, routes, rules, settings of interfaces; and what is still to
// be asked for so that it has exactly that. Pure.
//
// Everything that can carry it is marked with a protocol number of our own: that is how, after a crash too, we know
// what is ours, and touch nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "control/config/config.hpp"
#include "control/netlink/mirror.hpp"

namespace sekisho::netlink {

inline constexpr std::uint8_t own_protocol = 83;  // `ip rule`, `ip route` and `ip address` show it

// Nothing that is not named here is changed.
struct Settings {
  std::optional<bool> forwarding;
  std::optional<int> rp_filter;
  std::optional<bool> drops_unicast_to_all;  // a datagram to one address, in a frame to many stations
  friend bool operator==(const Settings&, const Settings&) = default;
};

struct Wanted {
  std::set<int> enabled;  // links
  std::set<std::pair<int, config::InterfaceAddress>> addresses;
  std::map<int, Settings> settings;
  std::map<int, std::uint32_t> mtus;
  std::set<Route> routes;
  std::set<Rule> rules;

  void merge(Wanted other);  // where both have something, this one's stays
};

// One thing to ask the kernel for.
struct Request {
  enum class Way : std::uint8_t { add, replace, remove };
  struct Enable {
    int link;
  };
  struct Configure {
    int link;
    Settings settings;
  };
  struct Resize {
    int link;
    std::uint32_t mtu;
  };
  struct Address {
    int link;
    config::InterfaceAddress address;
  };
  std::variant<Enable, Configure, Resize, Address, Route, Rule> what;
  Way way = Way::add;
  std::string text;  // for messages: "the rule from 10.0.2.4"
};

// What messages, and Mirror::refused, call them.
[[nodiscard]] std::string text_of(const Route& route, const Mirror& mirror);
[[nodiscard]] std::string text_of(const Rule& rule);

// In an order in which each can succeed: a link up before its routes, what replaces before what is removed.
[[nodiscard]] auto requests(const Wanted& wanted, const Mirror& mirror) -> std::vector<Request>;

}  // namespace sekisho::netlink
