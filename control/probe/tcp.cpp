// SPDX-License-Identifier: BSD-3-Clause
#include "control/probe/tcp.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/version.hpp>

namespace sekisho::probe {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr unsigned http_1_1 = 11;

}  // namespace

void TcpAttempt::open(error_code& error) {
  if (socket_.open(tcp::v4(), error)) {
    return;
  }
  // Ended by RST: neither this host nor a firewall keeps a connection of each probe in mind for a minute.
  if (socket_.set_option(tcp::socket::linger(true, 0), error)) {
    return;
  }
  error = send_by(socket_.native_handle(), order_);
}

void TcpAttempt::start() {
  error_code error;
  open(error);
  if (error) {
    boost::asio::post(socket_.get_executor(), [self = shared_from_this(), error] {
      self->end({.came = false, .unsent = true, .why = error.message()});
    });
    return;
  }
  const tcp::endpoint endpoint{boost::asio::ip::address_v4{destination_.address}, destination_.port};
  socket_.async_connect(endpoint, [self = shared_from_this()](const error_code& failed) {
    if (failed) {
      self->end(answer_of(failed));
    } else if (self->order_.probe.type == config::Probe::Type::http) {
      self->request();
    } else {
      self->end({.came = true, .unsent = false, .why = {}});
    }
  });
}

void TcpAttempt::request() {
  if (!done_) {
    return;
  }
  request_.version(http_1_1);
  request_.method(http::verb::get);
  request_.target(order_.probe.path);
  request_.set(http::field::host, destination_.host);
  request_.set(http::field::user_agent, "sekisho-probe");
  request_.set(http::field::connection, "close");
  http::async_write(socket_, request_, [self = shared_from_this()](const error_code& failed, std::size_t) {
    if (failed) {
      self->end(answer_of(failed));
    } else {
      self->read_head();
    }
  });
}

void TcpAttempt::read_head() {
  if (!done_) {
    return;
  }
  response_ = std::make_unique<Response>();
  response_->parser.header_limit(longest_head);
  http::async_read_header(
      socket_, response_->buffer, response_->parser,
      [self = shared_from_this()](const error_code& failed, std::size_t) {
        const auto status = self->response_->parser.get().result_int();
        if (failed) {
          self->end({.came = false, .unsent = false, .why = "no HTTP response: " + failed.message()});
        } else if (status != self->order_.probe.status) {
          self->end({.came = false, .unsent = false, .why = fmt::format("HTTP status {}", status)});
        } else {
          self->end({.came = true, .unsent = false, .why = {}});
        }
      });
}

void TcpAttempt::end(const Answer& answer) {
  if (const auto done = std::exchange(done_, nullptr)) {
    cancel();
    done(answer);
  }
}

void TcpAttempt::cancel() {
  done_ = nullptr;
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace sekisho::probe
