// SPDX-License-Identifier: BSD-3-Clause
// An ICMP echo, and its reply (RFC 792).
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/icmp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "control/probe/attempt.hpp"

namespace sekisho::probe {

class IcmpAttempt final : public Attempt, public std::enable_shared_from_this<IcmpAttempt> {
 public:
  IcmpAttempt(boost::asio::io_context& io, const reach::ProbeOrder& order, Done done);

  void start() override;
  void cancel() override;

 private:
  struct Echo {
    std::uint8_t type;
    std::uint8_t code;
    std::array<std::uint8_t, 2> checksum;
    std::array<std::uint8_t, 4> identity;  // identifier and sequence number
  };

  void open(boost::system::error_code& error);
  void receive();
  [[nodiscard]] bool is_reply(std::size_t length) const;
  void end(const Answer& answer);

  boost::asio::ip::icmp::socket socket_;
  reach::ProbeOrder order_;
  Done done_;
  Echo echo_{};
  std::array<std::uint8_t, 128> buffer_{};
};

}  // namespace sekisho::probe
