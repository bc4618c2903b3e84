// SPDX-License-Identifier: BSD-3-Clause
// What the kernel has of links, addresses, neighbours and routing, as values. Netlink keeps one up to date.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "control/config/config.hpp"

namespace sekisho::netlink {

struct Link {
  int index = 0;
  std::string name;
  bool up = false;       // IFF_UP and IFF_LOWER_UP
  bool enabled = false;  // IFF_UP alone
  base::MacAddress mac{};
  std::uint32_t mtu = 0;
  std::string alias;
  std::vector<std::string> altnames;
  std::string kind;               // "veth", "vlan", "bond", "tun"; empty: a NIC
  base::MacAddress burned_mac{};  // that the NIC was made with; all zero: a virtual device has none
  int master = 0;  // whose slave it is: of a bond, a bridge, a VRF, or (a VF on Azure) a netvsc
  int lower = 0;   // on which it lies, in this namespace: of a VLAN its NIC
  std::vector<std::string>
      bus;  // what its device is called on a bus, and on the bus below: "virtio3", "0000:00:05.0"
  bool forwarding = false;  // net.ipv4.conf.NAME.forwarding
  int rp_filter = 0;        // net.ipv4.conf.NAME.rp_filter; the kernel takes the larger of it and `all`'s
  bool drops_unicast_to_all = false;  // net.ipv4.conf.NAME.drop_unicast_in_l2_multicast
};

struct Neighbour {
  std::string state;    // as `ip neigh` says: REACHABLE, STALE, FAILED, ...
  bool usable = false;  // has a MAC and is not FAILED or INCOMPLETE
  base::MacAddress mac{};
};

using NeighbourKey = std::pair<int, std::uint32_t>;  // link index and address

// An IPv4 route that we made, known by its protocol.
struct Route {
  std::uint32_t table = 0;
  base::Prefix prefix;
  std::uint32_t gateway = 0;  // 0: the prefix is on the link
  int link = 0;
  friend auto operator<=>(const Route&, const Route&) = default;
};

// A rule of IPv4 policy routing that we made.
struct Rule {
  std::uint32_t priority = 0;
  std::uint32_t from = 0;  // one address; 0: any
  std::string iif;         // empty: any
  std::uint32_t table = 0;
  std::uint32_t mark = 0;  // of the packet, all bits; 0: any
  friend auto operator<=>(const Rule&, const Rule&) = default;
};

// A default route of the main table: somebody else's, by DHCP say.
struct DefaultRoute {
  int link = 0;
  std::uint32_t metric = 0;
  std::uint32_t gateway = 0;
  friend auto operator<=>(const DefaultRoute&, const DefaultRoute&) = default;
};

struct Mirror {
  std::map<int, Link> links;
  std::map<int, std::vector<config::InterfaceAddress>> addresses;  // by link index
  std::map<NeighbourKey, Neighbour> neighbours;
  std::map<NeighbourKey, base::MacAddress>
      last_macs;  // that serve while their neighbour has no entry (netlink/last_macs.hpp)
  std::set<std::pair<int, config::InterfaceAddress>> own_addresses;  // of those above, what we set
  std::set<Route> routes;
  std::set<Rule> rules;
  std::set<DefaultRoute> defaults;
  int all_rp_filter = 0;                       // net.ipv4.conf.all.rp_filter
  bool default_forwarding = false;             // net.ipv4.conf.default.forwarding, with which a link begins
  std::map<std::string, std::string> refused;  // what was asked for and not granted, and why
  // Which link a port runs on that the dataplane runs, by the port's name and device: it stays with that link for as long
  // as there is one of this index, whatever its name and MAC address become.
  using Bindings = std::map<std::pair<std::string, std::string>, int>;
  Bindings bound;
  // How often a port's link went and one of its index came (from another namespace and back): it is another interface for
  // whoever had it open. By index.
  std::map<int, unsigned> returns;

  // Null: there is none.
  [[nodiscard]] const Link* link(const std::string& name) const;
  // The link that is this port's interface now: which it is bound to, or else the one that its device names (port_link.cpp
  // says how); null: there is none, or the kernel has no interface of this port.
  [[nodiscard]] const Link* link_of(const config::Port& port) const;
  // The same; the error says why there is none: "there is no interface lan0".
  [[nodiscard]] auto find_link_of(const config::Port& port) const -> tl::expected<const Link*, std::string>;
};

}  // namespace sekisho::netlink
