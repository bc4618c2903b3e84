// The kernel's links, addresses and neighbours, mirrored by rtnetlink: one dump at the start, then every change.
// When the kernel says that messages were lost (ENOBUFS) the mirror dumps again. Runs on the caller's io_context.
//
// Neighbours that next hops need are kept resolved by the kernel itself (NTF_EXT_MANAGED, Linux 5.16; before that
// NTF_USE, repeated).
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/config/config.hpp"

namespace sekisho::kernel {

using MacAddress = std::array<std::uint8_t, 6>;

struct Link {
  int index = 0;
  std::string name;
  bool up = false;  // IFF_UP and IFF_LOWER_UP
  MacAddress mac{};
  std::uint32_t mtu = 0;
};

struct Neighbour {
  std::string state;    // as `ip neigh` says: REACHABLE, STALE, FAILED, ...
  bool usable = false;  // has a MAC and is not FAILED or INCOMPLETE
  MacAddress mac{};
};

struct Mirror {
  std::map<int, Link> links;
  std::map<int, std::vector<config::InterfaceAddress>> addresses;               // by link index
  std::map<std::pair<int, std::uint32_t>, Neighbour> neighbours;  // by link index and address

  [[nodiscard]] const Link* link(const std::string& name) const;
};

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

 private:
  struct Impl;
  explicit Netlink(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sekisho::kernel
