// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/socket.hpp"

#include <libmnl/libmnl.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sekisho::netlink {
namespace {

constexpr int kernel_buffer = 16 << 20;
// An interface may have as many other names as fit its message.
constexpr std::size_t longest_message = std::size_t{1} << 18;

}  // namespace

nlmsghdr* Message::begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence) {
  auto* const header = mnl_nlmsg_put_header(bytes.data());
  header->nlmsg_type = type;
  header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  header->nlmsg_seq = sequence;
  return header;
}

void Socket::Close::operator()(mnl_socket* socket) const noexcept {
  mnl_socket_close(socket);
}

Socket::Socket(mnl_socket* socket) : socket_(socket), buffer_(longest_message) {}

auto Socket::open(int bus, std::initializer_list<int> groups) -> tl::expected<Socket, std::string> {
  unsigned mask = 0;
  for (const int group : groups) {
    mask |= 1U << static_cast<unsigned>(group - 1);
  }
  Socket socket{mnl_socket_open2(bus, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!socket.socket_ || mnl_socket_bind(socket.socket_.get(), mask, MNL_SOCKET_AUTOPID) < 0) {
    return tl::unexpected(std::string{std::strerror(errno)});
  }
  if (mask != 0 &&
      setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &kernel_buffer, sizeof kernel_buffer) != 0) {
    setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &kernel_buffer, sizeof kernel_buffer);
  }
  return socket;
}

int Socket::fd() const noexcept {
  return mnl_socket_get_fd(socket_.get());
}

std::uint32_t Socket::port() const noexcept {
  return mnl_socket_get_portid(socket_.get());
}

bool Socket::send(const Message& message) const {
  nlmsghdr header{};
  std::memcpy(&header, message.bytes.data(), sizeof header);
  return mnl_socket_sendto(socket_.get(), message.bytes.data(), header.nlmsg_len) >= 0;
}

bool Socket::wait(std::chrono::milliseconds limit) const {
  pollfd ready{fd(), POLLIN, 0};
  int polled = 0;
  do {
    polled = ::poll(&ready, 1, static_cast<int>(limit.count()));
  } while (polled < 0 && errno == EINTR);
  return polled > 0;
}

// The kernel says ENOBUFS once for any number of messages that it could not queue.
bool Socket::read(const std::function<void(const nlmsghdr&)>& handle) {
  bool is_complete = true;
  for (;;) {
    const auto received = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
    if (received >= 0) {
      int left = static_cast<int>(received);
      const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
      for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
        handle(*message);
      }
    } else if (errno == ENOBUFS || errno == ENOSPC) {
      is_complete = false;
    } else if (errno != EINTR) {
      return is_complete;
    }
  }
}

struct Listener::Impl : std::enable_shared_from_this<Listener::Impl> {
  Impl(boost::asio::io_context& io, int fd, std::function<void()> call)
      : descriptor(io, fd), ready(std::move(call)) {}

  void wait() {
    if (!descriptor.is_open()) {
      return;  // `ready` has ended the listener
    }
    descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                          [self = weak_from_this()](const boost::system::error_code& error) {
                            if (const auto impl = self.lock(); impl && !error) {
                              impl->ready();
                              impl->wait();
                            }
                          });
  }

  boost::asio::posix::stream_descriptor descriptor;
  std::function<void()> ready;
};

Listener::Listener(boost::asio::io_context& io, const Socket& socket, std::function<void()> ready)
    : impl_(std::make_shared<Impl>(io, socket.fd(), std::move(ready))) {
  impl_->wait();
}

Listener::~Listener() {
  impl_->descriptor.release();  // the socket closes it
}

}  // namespace sekisho::netlink
