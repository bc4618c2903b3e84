// SPDX-License-Identifier: BSD-3-Clause
#include "control/web/host.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace sekisho::web {
namespace {

// RFC 9112, 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host header
// field and to any request message that contains more than one Host header field line".
constexpr unsigned no_or_two_hosts = 400;
// RFC 9110, 15.5.20: "the request was directed at a server that is unable or unwilling to produce an authoritative response for the
// target URI".
constexpr unsigned misdirected = 421;

// Without a port: whoever comes through a tunnel has another one.
std::string_view without_port(std::string_view host) {
  return host.substr(0, std::min(host.find(':'), host.size()));
}

}  // namespace

auto check_host(const http::Request& request, std::span<const std::string> names)
    -> tl::expected<void, http::Response> {
  if (request.hosts.size() != 1) {
    return tl::unexpected(http::Response{.status = no_or_two_hosts, .body = "one Host header is needed\n"});
  }
  const auto name = without_port(request.hosts.front());
  const auto is_it = [&](std::string_view other) { return base::equal_without_case(name, other); };
  if (is_it("localhost") || is_it(request.to.to_string()) || std::ranges::any_of(names, is_it)) {
    return {};
  }
  return tl::unexpected(http::Response{
      .status = misdirected,
      .body = fmt::format("this appliance is not called {}: \"hosts\" in [web] lists what it is called\n",
                          base::in_quotes(name))});
}

}  // namespace sekisho::web
