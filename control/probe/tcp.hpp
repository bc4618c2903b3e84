// SPDX-License-Identifier: BSD-3-Clause
// A TCP connection, and over it, where the probe is one of HTTP, a request.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "control/probe/attempt.hpp"

namespace sekisho::probe {

class TcpAttempt final : public Attempt, public std::enable_shared_from_this<TcpAttempt> {
 public:
  TcpAttempt(boost::asio::io_context& io, const reach::ProbeOrder& order, Destination destination, Done done)
      : socket_(io), order_(order), destination_(std::move(destination)), done_(std::move(done)) {}

  void start() override;
  void cancel() override;

 private:
  // Head of a response; nobody reads its body.
  static constexpr std::size_t longest_head = std::size_t{8} << 10;

  void open(boost::system::error_code& error);
  void request();
  void read_head();
  void end(const Answer& answer);

  boost::asio::ip::tcp::socket socket_;
  reach::ProbeOrder order_;
  Destination destination_;
  Done done_;
  boost::beast::http::request<boost::beast::http::empty_body> request_;
  struct Response {
    boost::beast::flat_static_buffer<longest_head> buffer;
    boost::beast::http::response_parser<boost::beast::http::empty_body> parser;
  };
  std::unique_ptr<Response> response_;
};

}  // namespace sekisho::probe
