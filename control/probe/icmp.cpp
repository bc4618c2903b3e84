// SPDX-License-Identifier: BSD-3-Clause
#include "control/probe/icmp.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/post.hpp>
#include <cstring>

namespace sekisho::probe {
namespace {

using boost::asio::ip::icmp;
using boost::system::error_code;

constexpr std::uint8_t echo_request = 8;
constexpr std::uint8_t echo_reply = 0;
// linux/icmp.h, which does not go with the C library's headers.
constexpr int filter_option = 1;
constexpr std::size_t shortest_ip_header = 20;

// No two echoes that are under way have the same; those of another process differ by its number.
auto next_identity() -> std::array<std::uint8_t, 4> {
  static std::uint16_t sequence = 0;
  ++sequence;
  const auto process = static_cast<std::uint16_t>(getpid());
  return {static_cast<std::uint8_t>(process >> 8), static_cast<std::uint8_t>(process),
          static_cast<std::uint8_t>(sequence >> 8), static_cast<std::uint8_t>(sequence)};
}

}  // namespace

IcmpAttempt::IcmpAttempt(boost::asio::io_context& io, const reach::ProbeOrder& order, Done done)
    : socket_(io), order_(order), done_(std::move(done)) {
  echo_.type = echo_request;
  echo_.identity = next_identity();
  // RFC 1071, over three words of which two are the identity and one is type and code.
  std::uint32_t sum = echo_request << 8;
  sum += static_cast<std::uint32_t>(echo_.identity[0] << 8 | echo_.identity[1]);
  sum += static_cast<std::uint32_t>(echo_.identity[2] << 8 | echo_.identity[3]);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = ~((sum & 0xffff) + (sum >> 16));
  echo_.checksum = {static_cast<std::uint8_t>(sum >> 8), static_cast<std::uint8_t>(sum)};
}

// Connected: it gets what comes from this member alone; filtered: replies alone.
void IcmpAttempt::open(error_code& error) {
  if (socket_.open(icmp::v4(), error)) {
    return;
  }
  if (error = send_by(socket_.native_handle(), order_); error) {
    return;
  }
  const std::uint32_t unwanted = ~(1U << echo_reply);
  setsockopt(socket_.native_handle(), SOL_RAW, filter_option, &unwanted, sizeof(unwanted));
  socket_.connect({boost::asio::ip::address_v4{order_.member}, 0}, error);
}

void IcmpAttempt::start() {
  error_code error;
  open(error);
  if (!error) {
    socket_.send(boost::asio::buffer(&echo_, sizeof(echo_)), 0, error);
  }
  if (!error) {
    receive();
    return;
  }
  boost::asio::post(socket_.get_executor(),
                    [self = shared_from_this(), error] { self->end(answer_of(error)); });
}

void IcmpAttempt::receive() {
  socket_.async_receive(boost::asio::buffer(buffer_),
                        [self = shared_from_this()](const error_code& failed, std::size_t length) {
                          if (!self->done_) {
                            return;
                          }
                          if (failed) {
                            self->end(answer_of(failed));
                          } else if (self->is_reply(length)) {
                            self->end({.came = true, .unsent = false, .why = {}});
                          } else {
                            self->receive();
                          }
                        });
}

// A raw socket gives the IP header, too.
bool IcmpAttempt::is_reply(std::size_t length) const {
  if (length < shortest_ip_header) {
    return false;
  }
  const std::size_t header = std::size_t{buffer_[0] & 0x0fU} * 4;
  if (header < shortest_ip_header || length < header + sizeof(Echo)) {
    return false;
  }
  Echo reply{};
  std::memcpy(&reply, buffer_.data() + header, sizeof(reply));
  return reply.type == echo_reply && reply.identity == echo_.identity;
}

void IcmpAttempt::end(const Answer& answer) {
  if (const auto done = std::exchange(done_, nullptr)) {
    cancel();
    done(answer);
  }
}

void IcmpAttempt::cancel() {
  done_ = nullptr;
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace sekisho::probe
