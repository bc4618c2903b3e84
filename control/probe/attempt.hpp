// SPDX-License-Identifier: BSD-3-Clause
// One question to one address, by way of a member: an ICMP echo, a TCP connection, an HTTP request.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/reach/probing.hpp"

namespace sekisho::probe {

struct Destination {
  std::uint32_t address = 0;
  std::uint16_t port = 0;
  std::string host;  // as the configuration has it, for HTTP
};
// The member itself, or what is to be reached through it.
[[nodiscard]] auto destinations(const reach::ProbeOrder& order) -> std::vector<Destination>;

struct Answer {
  bool came = false;
  bool unsent = false;  // there is none because of this host: it says nothing of the member
  std::string why;      // there is none
};

class Attempt {
 public:
  using Done = std::function<void(const Answer&)>;
  virtual ~Attempt() = default;
  // Calls `done` once, later, unless it is cancelled before.
  virtual void start() = 0;
  virtual void cancel() = 0;
};

[[nodiscard]] auto attempt(boost::asio::io_context& io, const reach::ProbeOrder& order,
                           const Destination& destination, Attempt::Done done) -> std::shared_ptr<Attempt>;

// What an error of a socket says.
[[nodiscard]] auto answer_of(const boost::system::error_code& error) -> Answer;
// Makes a socket's packets leave by the member, and only there.
[[nodiscard]] auto send_by(int socket, const reach::ProbeOrder& order) -> boost::system::error_code;

}  // namespace sekisho::probe
