// SPDX-License-Identifier: BSD-3-Clause
// Routes as Linux has them, and `ip route` prints them, with and without -j: what one means, however it was written.
//
// Of several routes of one prefix in one of the kernel's tables that of the lowest metric is in force, and of equal ones the
// first. What the kernel or a DHCP client made is a System route, what a routing daemon installed a BGP route, the rest User.
// A route without a gateway leads to a network that the host is on (VnetLocal) or, if somebody else than the kernel wrote it,
// to its interface by name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/error.hpp"
#include "control/formats/format.hpp"
#include "control/formats/preferred.hpp"
#include "control/formats/route_collector.hpp"

namespace sekisho::formats {

struct KernelHop {
  std::string gateway;  // an address; empty: none
  std::string device;
  std::uint64_t weight = 1;
  bool is_dead = false;
  bool is_encapsulated = false;  // RTA_ENCAP
};

// A route in the program's own words.
struct KernelRoute {
  std::string type = "unicast";
  std::string destination;  // "default", "10.0.0.0/8", "10.0.0.1"
  std::string protocol;     // or its number, as `ip -N` prints it
  std::string tos;          // empty: of all packets
  std::string table = "main";
  std::uint64_t metric = 0;
  // "default" is that of either family. Only IPv6 has RTA_PREF; an IPv4 route over an IPv6 gateway says so ("via inet6").
  bool is_ipv6 = false;
  std::vector<KernelHop> hops;
  std::string path;  // JSONPath; empty: text
  unsigned line = 0;
};

class KernelRoutes {
 public:
  explicit KernelRoutes(RouteCollector& routes) : routes_(routes) {}

  auto add(const KernelRoute& route) -> tl::expected<void, base::Error>;
  // After the last.
  void finish();

 private:
  using Refusal = tl::unexpected<base::Error>;
  auto refuse(const KernelRoute& route, std::string reason) const -> Refusal;
  auto next_hop(const KernelRoute& route, bool is_connected) -> tl::expected<NextHop, base::Error>;
  auto table_of(const KernelRoute& route) -> tl::expected<std::uint16_t, base::Error>;

  RouteCollector& routes_;
  Preferred candidates_;
  std::map<std::string, std::uint16_t> tables_;
  std::size_t own_ = 0;  // the host's own addresses and broadcasts
};

[[nodiscard]] bool holds_ip_route_json(const Content& content);
[[nodiscard]] auto read_ip_route_json(const Content& content, const Options& options) -> Reading;
[[nodiscard]] bool holds_ip_route(const Content& content);
[[nodiscard]] auto read_ip_route(const Content& content, const Options& options) -> Reading;

}  // namespace sekisho::formats
