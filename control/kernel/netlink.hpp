// The kernel's links, addresses, neighbours, and what of its routing concerns us, mirrored by rtnetlink: one dump at the
// start, then every change. When the kernel says that messages were lost (ENOBUFS) the mirror dumps again. Runs on the
// caller's io_context.
//
// Neighbours that next hops need are kept resolved by the kernel itself (NTF_EXT_MANAGED, Linux 5.16; before that
// NTF_USE, repeated). What the kernel's own stack needs for our ports (kernel/wanted.hpp) is kept as it is wanted.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/config/config.hpp"

namespace sekisho::kernel {

using MacAddress = std::array<std::uint8_t, 6>;

struct Link {
  int index = 0;
  std::string name;
  bool up = false;       // IFF_UP and IFF_LOWER_UP
  bool enabled = false;  // IFF_UP alone
  MacAddress mac{};
  std::uint32_t mtu = 0;
  std::string alias;
  bool forwarding = false;  // net.ipv4.conf.NAME.forwarding
  int rp_filter = 0;        // net.ipv4.conf.NAME.rp_filter; the kernel takes the larger of it and `all`'s
};

struct Neighbour {
  std::string state;    // as `ip neigh` says: REACHABLE, STALE, FAILED, ...
  bool usable = false;  // has a MAC and is not FAILED or INCOMPLETE
  MacAddress mac{};
};

// An IPv4 route that we made, known by its protocol.
struct Route {
  std::uint32_t table = 0;
  fib::Prefix prefix;
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
  std::map<int, std::vector<config::InterfaceAddress>> addresses;    // by link index
  std::map<std::pair<int, std::uint32_t>, Neighbour> neighbours;     // by link index and address
  std::set<std::pair<int, config::InterfaceAddress>> own_addresses;  // of those above, what we set
  std::set<Route> routes;
  std::set<Rule> rules;
  std::set<DefaultRoute> defaults;
  int all_rp_filter = 0;                       // net.ipv4.conf.all.rp_filter
  std::map<std::string, std::string> refused;  // what was asked for and not granted, and why

  [[nodiscard]] const Link* link(const std::string& name) const;
};

struct Wanted;

class Netlink {
 public:
  // `changed` is called on the io_context after the mirror changed (once for a batch of messages).
  [[nodiscard]] static auto open(boost::asio::io_context& io, std::function<void()> changed)
      -> tl::expected<std::unique_ptr<Netlink>, std::string>;
  ~Netlink();
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;

  [[nodiscard]] const Mirror& mirror() const noexcept;
  // The neighbours to keep resolved; replaces what was asked for before, and asks again by itself when a link returns.
  void keep_resolved(const std::vector<std::pair<std::string, std::uint32_t>>& netdev_and_address);
  // Asks the kernel for what is wanted and not there, and to remove what we made and is no longer wanted. To be called
  // again whenever the mirror changed; asks for the same thing once a second at most.
  void keep(const Wanted& wanted);
  // Lists everything again: of an interface that is down, the kernel does not tell that it was given an alias.
  void refresh();

 private:
  struct Impl;
  explicit Netlink(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sekisho::kernel
