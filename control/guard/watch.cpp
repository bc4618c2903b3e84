// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/watch.hpp"

#include <fmt/format.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include <utility>

namespace sekisho::guard {

// What changed does not matter; neither does a lost message, which is a change too.
Watch::Watch(boost::asio::io_context& io, netlink::Socket socket, std::function<void()> changed)
    : socket_(std::move(socket)), listener_(io, socket_, [this, changed = std::move(changed)] {
        socket_.read([](const nlmsghdr&) {});
        changed();
      }) {}

auto Watch::open(boost::asio::io_context& io, int bus, int group, std::string_view what,
                 std::function<void()> changed) -> tl::expected<std::unique_ptr<Watch>, std::string> {
  auto socket = netlink::Socket::open(bus, {group});
  if (!socket) {
    return tl::unexpected(fmt::format("changes of {} cannot be watched: {}", what, socket.error()));
  }
  return std::unique_ptr<Watch>(new Watch(io, std::move(*socket), std::move(changed)));
}

auto Watch::nftables(boost::asio::io_context& io, std::function<void()> changed)
    -> tl::expected<std::unique_ptr<Watch>, std::string> {
  return open(io, NETLINK_NETFILTER, NFNLGRP_NFTABLES, "nftables", std::move(changed));
}

auto Watch::traffic_control(boost::asio::io_context& io, std::function<void()> changed)
    -> tl::expected<std::unique_ptr<Watch>, std::string> {
  return open(io, NETLINK_ROUTE, RTNLGRP_TC, "tc filters", std::move(changed));
}

auto Watch::ipv6_settings(boost::asio::io_context& io, std::function<void()> changed)
    -> tl::expected<std::unique_ptr<Watch>, std::string> {
  return open(io, NETLINK_ROUTE, RTNLGRP_IPV6_NETCONF, "IPv6's settings", std::move(changed));
}

}  // namespace sekisho::guard
