// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/route_message.hpp"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "control/netlink/attributes.hpp"

namespace sekisho::learn {
namespace {

using netlink::Attributes;
using netlink::header_of;
using route::LearnedHop;
using route::LearnedWay;

constexpr const char* ipv6_gateway = "its gateway is an IPv6 address";
constexpr const char* encapsulated = "it is encapsulated (MPLS, VXLAN or the like)";

auto unusable(const char* why) -> LearnedWay {
  return {.kind = LearnedWay::Kind::unusable, .why = why};
}

// Attributes of a route or of one of its paths.
auto attributes_within(const nlattr* first, std::size_t size) -> std::vector<const nlattr*> {
  std::vector<const nlattr*> result(RTA_MAX + 1);
  int left = static_cast<int>(size);
  for (; mnl_attr_ok(first, left);
       left -= static_cast<int>(MNL_ALIGN(first->nla_len)), first = mnl_attr_next(first)) {
    if (const auto type = mnl_attr_get_type(first); type < result.size())
      result[type] = first;
  }
  return result;
}

auto address_of(const nlattr* attribute) -> std::optional<std::uint32_t> {
  std::uint32_t value = 0;
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != sizeof value)
    return std::nullopt;
  std::memcpy(&value, mnl_attr_get_payload(attribute), sizeof value);
  return netlink::to_host(value);
}

void sort(LearnedWay& way) {
  auto& hops = way.hops;
  std::ranges::sort(hops);
  const auto again = std::ranges::unique(hops, [](const LearnedHop& a, const LearnedHop& b) {
    return a.gateway == b.gateway && a.link == b.link;
  });
  hops.erase(again.begin(), again.end());
}

// Several paths; those that are dead by the kernel's word are not taken, unless all are.
auto parse_multipath(const nlattr& paths) -> LearnedWay {
  LearnedWay result;
  LearnedWay dead;
  const auto* at = static_cast<const char*>(mnl_attr_get_payload(&paths));
  std::size_t left = mnl_attr_get_payload_len(&paths);
  while (left >= sizeof(rtnexthop)) {
    rtnexthop path{};
    std::memcpy(&path, at, sizeof path);
    if (path.rtnh_len < sizeof path || path.rtnh_len > left)
      break;
    const auto attributes =
        attributes_within(reinterpret_cast<const nlattr*>(at + sizeof path), path.rtnh_len - sizeof path);
    if (attributes[RTA_VIA] != nullptr)
      return unusable(ipv6_gateway);
    if (attributes[RTA_ENCAP] != nullptr)
      return unusable(encapsulated);
    auto& hops = (path.rtnh_flags & RTNH_F_DEAD) != 0 ? dead.hops : result.hops;
    hops.push_back({address_of(attributes[RTA_GATEWAY]).value_or(0), path.rtnh_ifindex, path.rtnh_hops + 1U});
    const auto step = std::min<std::size_t>(RTNH_ALIGN(path.rtnh_len), left);
    at += step;
    left -= step;
  }
  if (result.hops.empty())
    result.hops = std::move(dead.hops);
  sort(result);
  return result;
}

auto parse_route(const nlmsghdr& message) -> std::optional<Said> {
  const auto* info = header_of<rtmsg>(message);
  if (info == nullptr || info->rtm_family != AF_INET || (info->rtm_flags & RTM_F_CLONED) != 0 ||
      info->rtm_tos != 0 || info->rtm_dst_len > 32)
    return std::nullopt;
  const Attributes attributes(message, sizeof(rtmsg), RTA_MAX + 1);
  RouteMessage result;
  result.gone = message.nlmsg_type == RTM_DELROUTE;
  result.replaces = (message.nlmsg_flags & NLM_F_REPLACE) != 0;
  result.table = attributes.u32(RTA_TABLE).value_or(info->rtm_table);
  result.prefix = {attributes.address(RTA_DST).value_or(0), info->rtm_dst_len};
  result.prefix.address &= result.prefix.mask();
  result.metric = attributes.u32(RTA_PRIORITY).value_or(0);
  result.protocol = info->rtm_protocol;
  result.object = attributes.u32(RTA_NH_ID).value_or(0);
  switch (info->rtm_type) {
    case RTN_UNICAST:
      break;
    case RTN_BLACKHOLE:
    case RTN_UNREACHABLE:
    case RTN_PROHIBIT:
      result.way.kind = LearnedWay::Kind::drop;
      return result;
    default:
      return std::nullopt;
  }
  if (attributes.has(RTA_VIA)) {
    result.way = unusable(ipv6_gateway);
  } else if (attributes.has(RTA_ENCAP)) {
    result.way = unusable(encapsulated);
  } else if (const auto* paths = attributes.get(RTA_MULTIPATH)) {
    result.way = parse_multipath(*paths);
  } else if (const auto link = attributes.u32(RTA_OIF)) {
    result.way.hops = {{attributes.address(RTA_GATEWAY).value_or(0), static_cast<int>(*link)}};
  }
  if (result.way.hops.empty() && result.way.kind == LearnedWay::Kind::forward && result.object == 0 &&
      !result.gone)
    return std::nullopt;
  return result;
}

auto parse_object(const nlmsghdr& message) -> std::optional<Said> {
  const auto* info = header_of<nhmsg>(message);
  if (info == nullptr)
    return std::nullopt;
  const Attributes attributes(message, sizeof(nhmsg), NHA_MAX + 1);
  const auto id = attributes.u32(NHA_ID);
  if (!id || *id == 0)
    return std::nullopt;
  ObjectMessage result;
  result.gone = message.nlmsg_type == RTM_DELNEXTHOP;
  result.id = *id;
  if (const auto* group = attributes.get(NHA_GROUP)) {
    const auto* at = static_cast<const char*>(mnl_attr_get_payload(group));
    for (std::size_t i = 0; i < mnl_attr_get_payload_len(group) / sizeof(nexthop_grp); ++i) {
      nexthop_grp member{};
      std::memcpy(&member, at + i * sizeof member, sizeof member);
      result.group.emplace_back(member.id, member.weight + 1U);
    }
    if (result.group.empty())
      result.way = unusable("its next-hop object is an empty group");
  } else if (attributes.has(NHA_BLACKHOLE)) {
    result.way.kind = LearnedWay::Kind::drop;
  } else if (attributes.has(NHA_ENCAP)) {
    result.way = unusable(encapsulated);
  } else if (info->nh_family == AF_INET6) {
    result.way = unusable(ipv6_gateway);
  } else {
    result.way.hops = {
        {attributes.address(NHA_GATEWAY).value_or(0), static_cast<int>(attributes.u32(NHA_OIF).value_or(0))}};
  }
  return result;
}

auto parse_link(const nlmsghdr& message) -> std::optional<Said> {
  const auto* info = header_of<ifinfomsg>(message);
  const bool went = info != nullptr && (message.nlmsg_type == RTM_DELLINK || (info->ifi_flags & IFF_UP) == 0);
  return went ? std::optional<Said>{LinkMessage{}} : std::nullopt;
}

}  // namespace

auto parse(const nlmsghdr& message) -> std::optional<Said> {
  switch (message.nlmsg_type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return parse_route(message);
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
      return parse_object(message);
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return parse_link(message);
    case RTM_DELADDR:
      return LinkMessage{};
    default:
      return std::nullopt;
  }
}

auto hearing(const nlmsghdr& message, std::uint32_t port, std::uint32_t question) -> Hearing {
  // What another process had the kernel do has that one's port.
  if (message.nlmsg_pid != port)
    return Hearing::news;
  return question != 0 && message.nlmsg_seq == question ? Hearing::answer : Hearing::leftover;
}

auto list_routes(std::uint32_t table, std::uint32_t sequence) -> netlink::Message {
  netlink::Message message;
  auto* const header = message.begin(RTM_GETROUTE, NLM_F_DUMP, sequence);
  auto* const info = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
  info->rtm_family = AF_INET;
  mnl_attr_put_u32(header, RTA_TABLE, table);
  return message;
}

auto list_objects(std::uint32_t sequence) -> netlink::Message {
  netlink::Message message;
  auto* const header = message.begin(RTM_GETNEXTHOP, NLM_F_DUMP, sequence);
  mnl_nlmsg_put_extra_header(header, sizeof(nhmsg));
  return message;
}

}  // namespace sekisho::learn
