// SPDX-License-Identifier: BSD-3-Clause
// Says that somebody changed something, and not what: the caller asks the kernel how it is now.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "control/netlink/socket.hpp"

namespace sekisho::guard {

class Watch {
 public:
  // `changed` is called on the io_context after every change of nftables, our own among them (once for those that came
  // together).
  [[nodiscard]] static auto nftables(boost::asio::io_context& io, std::function<void()> changed)
      -> tl::expected<std::unique_ptr<Watch>, std::string>;
  // The same of qdiscs and filters.
  [[nodiscard]] static auto traffic_control(boost::asio::io_context& io, std::function<void()> changed)
      -> tl::expected<std::unique_ptr<Watch>, std::string>;

  // The same of IPv6's settings. The mirror follows IPv4's alone.
  [[nodiscard]] static auto ipv6_settings(boost::asio::io_context& io, std::function<void()> changed)
      -> tl::expected<std::unique_ptr<Watch>, std::string>;

 private:
  Watch(boost::asio::io_context& io, netlink::Socket socket, std::function<void()> changed);
  [[nodiscard]] static auto open(boost::asio::io_context& io, int bus, int group, std::string_view what,
                                 std::function<void()> changed)
      -> tl::expected<std::unique_ptr<Watch>, std::string>;
  netlink::Socket socket_;
  netlink::Listener listener_;
};

}  // namespace sekisho::guard
