// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/route_lookup.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "control/netlink/attributes.hpp"
#include "control/netlink/socket.hpp"

namespace sekisho::netlink {
namespace {

using Answer = tl::expected<std::optional<RouteTo>, std::string>;

auto failure(int error) -> Answer {
  return tl::unexpected(fmt::format("the kernel does not say where it sends: {}", std::strerror(error)));
}

auto question(std::uint32_t address) -> Message {
  constexpr std::uint8_t whole = 32;
  Message message;
  auto* const header = message.begin(RTM_GETROUTE, 0);
  auto* const info = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
  info->rtm_family = AF_INET;
  info->rtm_dst_len = whole;
  info->rtm_flags = RTM_F_FIB_MATCH;  // the route as it stands in the table, not as it is for this address
  mnl_attr_put_u32(header, RTA_DST, to_network(address));
  return message;
}

auto parse_answer(const nlmsghdr& message) -> Answer {
  if (message.nlmsg_type == NLMSG_ERROR) {
    const auto* const error = header_of<nlmsgerr>(message);
    const bool is_nowhere =
        error != nullptr && (error->error == -ENETUNREACH || error->error == -EHOSTUNREACH);
    return is_nowhere ? Answer{std::nullopt} : failure(error != nullptr ? -error->error : EPROTO);
  }
  const auto* const info = header_of<rtmsg>(message);
  if (message.nlmsg_type != RTM_NEWROUTE || info == nullptr) {
    return failure(EPROTO);
  }
  const Attributes attributes{message, sizeof(rtmsg), RTA_MAX + 1};
  return RouteTo{.prefix = {attributes.address(RTA_DST).value_or(0), info->rtm_dst_len},
                 .gateway = attributes.address(RTA_GATEWAY).value_or(0)};
}

}  // namespace

auto route_to(std::uint32_t address) -> tl::expected<std::optional<RouteTo>, std::string> {
  constexpr std::chrono::seconds patience{1};
  auto socket = Socket::open(NETLINK_ROUTE);
  if (!socket) {
    return tl::unexpected(fmt::format("netlink cannot be opened: {}", socket.error()));
  }
  if (!socket->send(question(address))) {
    return failure(errno);
  }
  Answer answer = failure(ETIMEDOUT);
  if (socket->wait(patience)) {
    socket->read([&](const nlmsghdr& message) { answer = parse_answer(message); });
  }
  return answer;
}

bool is_reached_by_default(std::uint32_t address) {
  const auto route = route_to(address);
  return route && *route && (*route)->prefix.length == 0;
}

}  // namespace sekisho::netlink
