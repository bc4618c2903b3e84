// SPDX-License-Identifier: BSD-3-Clause
// A netlink socket: messages to the kernel and from it.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

struct mnl_socket;
struct nlmsghdr;

namespace sekisho::netlink {

// One message to the kernel, with room for what we ask.
struct Message {
  alignas(std::uint32_t) std::array<char, 512> bytes{};
  [[nodiscard]] nlmsghdr* header() noexcept { return reinterpret_cast<nlmsghdr*>(bytes.data()); }
  // Writes the header; what libmnl puts behind it has to fit.
  nlmsghdr* begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence = 0);
};

// Never blocks, except in wait().
class Socket {
 public:
  // A member of these multicast groups (RTNLGRP_*, NFNLGRP_*; at most 32). The error is the kernel's reason.
  [[nodiscard]] static auto open(int bus, std::initializer_list<int> groups = {})
      -> tl::expected<Socket, std::string>;

  [[nodiscard]] int fd() const noexcept;
  [[nodiscard]] std::uint32_t port() const noexcept;
  // False: see errno.
  bool send(const Message& message) const;
  // Until there is something to read. False: nothing came in time.
  [[nodiscard]] bool wait(std::chrono::milliseconds limit) const;
  // Hands on every message that is there. False: the kernel says that it had to leave some out.
  bool read(const std::function<void(const nlmsghdr&)>& handle);

 private:
  struct Close {
    void operator()(mnl_socket* socket) const noexcept;
  };
  explicit Socket(mnl_socket* socket);
  std::unique_ptr<mnl_socket, Close> socket_;
  std::vector<char> buffer_;
};

// Calls `ready` on the io_context whenever there is something to read on the socket, which has to live longer.
class Listener {
 public:
  Listener(boost::asio::io_context& io, const Socket& socket, std::function<void()> ready);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sekisho::netlink
