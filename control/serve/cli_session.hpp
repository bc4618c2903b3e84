// SPDX-License-Identifier: BSD-3-Clause
// One client of control's socket: a request, its answer (in pages), the next request. Lives as long as something is under way
// for it.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/ipc/frame.hpp"
#include "common/ipc/seats.hpp"
#include "control/serve/backend.hpp"
#include "control/serve/request.hpp"
#include "control/serve/role.hpp"

namespace sekisho::serve {

class CliSession : public std::enable_shared_from_this<CliSession> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  CliSession(Socket socket, Role role, Backend& backend, std::uint64_t started_unix_ms,
             std::chrono::milliseconds patience);
  ~CliSession();
  CliSession(const CliSession&) = delete;
  CliSession& operator=(const CliSession&) = delete;

  std::function<void()> closed;

  void start() { read_header(); }
  void turn_away(const std::string& why);
  void close();
  [[nodiscard]] ipc::Seat seat() const;

 private:
  void read_header();
  void read_body(std::uint32_t length);
  void answer();
  void send(Answer answer);
  void wait_for_more(std::function<void(std::function<void(Answer)>)> later);
  // For the client to send a whole request, or to take a whole page.
  void be_patient();

  Socket socket_;
  boost::asio::steady_timer deadline_;
  Role role_;
  Backend& backend_;
  std::uint64_t started_unix_ms_;
  std::chrono::milliseconds patience_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  bool is_busy_ = false;  // a request is being answered
  ipc::FrameHeader header_{};
  std::string body_;
  std::string reply_;
  std::function<void(std::function<void(Answer)>)> later_;  // of a page that has yet to come
  bool is_watched_ = false;                                 // for its end, while it waits for one
};

}  // namespace sekisho::serve
