// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/metadata.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cstdint>

namespace sekisho::doctor {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t address = 0xa9fea9fe;  // 169.254.169.254
constexpr std::uint16_t port = 80;
constexpr unsigned http_1_1 = 11;
constexpr std::size_t longest_body = std::size_t{1} << 20;

}  // namespace

auto Metadata::get(const std::string& target, const std::vector<Header>& headers) const
    -> tl::expected<std::string, std::string> {
  return ask(false, target, headers).and_then(body_of);
}

auto Metadata::find(const std::string& target, const std::vector<Header>& headers) const
    -> tl::expected<std::optional<std::string>, std::string> {
  using Found = tl::expected<std::optional<std::string>, std::string>;
  return ask(false, target, headers).and_then([](Answer answer) -> Found {
    if (answer.status == static_cast<unsigned>(http::status::not_found)) {
      return std::nullopt;
    }
    return body_of(std::move(answer));
  });
}

auto Metadata::put(const std::string& target, const std::vector<Header>& headers) const
    -> tl::expected<std::string, std::string> {
  return ask(true, target, headers).and_then(body_of);
}

auto Metadata::body_of(Answer answer) -> tl::expected<std::string, std::string> {
  if (answer.status != static_cast<unsigned>(http::status::ok)) {
    return tl::unexpected(fmt::format("HTTP status {}", answer.status));
  }
  return std::move(answer.body);
}

auto Metadata::ask(bool puts, const std::string& target, const std::vector<Header>& headers) const
    -> tl::expected<Answer, std::string> {
  boost::asio::io_context io;
  beast::tcp_stream stream{io};
  stream.expires_at(deadline_);
  http::request<http::empty_body> request{puts ? http::verb::put : http::verb::get, target, http_1_1};
  // No proxy's `X-Forwarded-For`, which the servers refuse, and no redirection is followed.
  request.set(http::field::host, "169.254.169.254");
  request.set(http::field::connection, "close");
  for (const auto& [name, value] : headers) {
    request.set(name, value);
  }
  if (puts) {
    request.content_length(0);
  }
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(longest_body);
  error_code failed = boost::asio::error::would_block;
  const auto keep = [&](const error_code& error, std::size_t) { failed = error; };
  stream.async_connect(tcp::endpoint{boost::asio::ip::address_v4{address}, port},
                       [&](const error_code& error) {
                         failed = error;
                         if (!error) {
                           http::async_write(stream, request, [&](const error_code& unsent, std::size_t) {
                             failed = unsent;
                             if (!unsent) {
                               http::async_read(stream, buffer, parser, keep);
                             }
                           });
                         }
                       });
  io.run();
  if (failed) {
    return tl::unexpected(failed == beast::error::timeout ? std::string{"no answer in time"}
                                                          : failed.message());
  }
  return Answer{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace sekisho::doctor
