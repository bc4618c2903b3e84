// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/watch.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace sekisho::guard {

struct Watch::Impl : std::enable_shared_from_this<Watch::Impl> {
  Impl(boost::asio::io_context& io, std::function<void()> on_change)
      : descriptor(io), changed(std::move(on_change)) {}
  ~Impl() {
    if (descriptor.is_open()) {
      descriptor.release();
    }
    if (socket != nullptr) {
      mnl_socket_close(socket);
    }
  }

  void wait() {
    descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                          [self = weak_from_this()](const boost::system::error_code& error) {
                            if (const auto impl = self.lock(); impl && !error) {
                              impl->drain();
                            }
                          });
  }

  // What changed does not matter; neither does a lost message (ENOBUFS), which is a change too.
  void drain() {
    for (;;) {
      const auto received = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
      if (received < 0 && errno != ENOBUFS && errno != EINTR && errno != ENOSPC) {
        break;
      }
    }
    wait();
    changed();
  }

  boost::asio::posix::stream_descriptor descriptor;
  std::function<void()> changed;
  mnl_socket* socket = nullptr;
  std::vector<char> buffer = std::vector<char>(32768);
};

auto Watch::open(boost::asio::io_context& io, int bus, int group, std::string_view what,
                 std::function<void()> changed) -> tl::expected<std::unique_ptr<Watch>, std::string> {
  auto impl = std::make_shared<Impl>(io, std::move(changed));
  impl->socket = mnl_socket_open2(bus, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (impl->socket == nullptr || mnl_socket_bind(impl->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
      mnl_socket_setsockopt(impl->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
    return tl::unexpected(fmt::format("changes of {} cannot be watched: {}", what, std::strerror(errno)));
  }
  impl->descriptor.assign(mnl_socket_get_fd(impl->socket));
  impl->wait();
  return std::unique_ptr<Watch>(new Watch(std::move(impl)));
}

auto Watch::nftables(boost::asio::io_context& io, std::function<void()> changed)
    -> tl::expected<std::unique_ptr<Watch>, std::string> {
  return open(io, NETLINK_NETFILTER, NFNLGRP_NFTABLES, "nftables", std::move(changed));
}

auto Watch::traffic_control(boost::asio::io_context& io, std::function<void()> changed)
    -> tl::expected<std::unique_ptr<Watch>, std::string> {
  return open(io, NETLINK_ROUTE, RTNLGRP_TC, "tc filters", std::move(changed));
}

Watch::Watch(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Watch::~Watch() = default;

}  // namespace sekisho::guard
