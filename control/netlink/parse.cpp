// SPDX-License-Identifier: BSD-3-Clause
#include <net/if.h>  // linux/if.h goes with it only in this order

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "control/netlink/attributes.hpp"
#include "control/netlink/rtnetlink.hpp"

namespace sekisho::netlink::rtnetlink {
namespace {

const char* state_name(std::uint16_t state) {
  switch (state) {
    case NUD_NONE:
      return "NONE";
    case NUD_INCOMPLETE:
      return "INCOMPLETE";
    case NUD_REACHABLE:
      return "REACHABLE";
    case NUD_STALE:
      return "STALE";
    case NUD_DELAY:
      return "DELAY";
    case NUD_PROBE:
      return "PROBE";
    case NUD_FAILED:
      return "FAILED";
    case NUD_NOARP:
      return "NOARP";
    case NUD_PERMANENT:
      return "PERMANENT";
    default:
      return "UNKNOWN";
  }
}

// net.ipv4.conf.NAME.* as an array in the order of IPV4_DEVCONF_*, which begins at 1.
std::uint32_t setting(const Attributes& link, unsigned which) {
  const nlattr* all = nested(nested(link.get(IFLA_AF_SPEC), AF_INET), IFLA_INET_CONF);
  std::uint32_t value = 0;
  if (all != nullptr && mnl_attr_get_payload_len(all) >= which * sizeof(value)) {
    std::memcpy(&value, static_cast<const char*>(mnl_attr_get_payload(all)) + (which - 1) * sizeof(value),
                sizeof(value));
  }
  return value;
}

// One station's address: neither all zero nor a group's (broadcast is a group's too).
bool is_unicast(const base::MacAddress& mac) {
  return (mac[0] & 1) == 0 && std::ranges::any_of(mac, [](std::uint8_t byte) { return byte != 0; });
}

auto parse_link(const nlmsghdr& message) -> std::optional<LinkMessage> {
  const auto* info = header_of<ifinfomsg>(message);
  // A bridge sends messages of family AF_BRIDGE about its ports; they do not speak of the link itself.
  if (info == nullptr || info->ifi_family != AF_UNSPEC) {
    return std::nullopt;
  }
  const Attributes attributes(message, sizeof(ifinfomsg), IFLA_PARENT_DEV_NAME + 1);
  LinkMessage result;
  result.gone = message.nlmsg_type == RTM_DELLINK;
  result.link.index = info->ifi_index;
  result.link.name = attributes.string(IFLA_IFNAME);
  result.link.up = (info->ifi_flags & IFF_UP) != 0 && (info->ifi_flags & IFF_LOWER_UP) != 0;
  result.link.enabled = (info->ifi_flags & IFF_UP) != 0;
  result.link.mac = attributes.mac(IFLA_ADDRESS).value_or(base::MacAddress{});
  result.link.mtu = attributes.u32(IFLA_MTU).value_or(0);
  result.link.alias = attributes.string(IFLA_IFALIAS);
  for (const auto* name : all_nested(attributes.get(IFLA_PROP_LIST), IFLA_ALT_IFNAME)) {
    result.link.altnames.push_back(text_of(name));
  }
  result.link.kind = text_of(nested(attributes.get(IFLA_LINKINFO), IFLA_INFO_KIND));
  result.link.burned_mac = attributes.mac(IFLA_PERM_ADDRESS).value_or(base::MacAddress{});
  result.link.master = static_cast<int>(attributes.u32(IFLA_MASTER).value_or(0));
  // With a namespace beside it, it is an index there.
  if (!attributes.has(IFLA_LINK_NETNSID)) {
    result.link.lower = static_cast<int>(attributes.u32(IFLA_LINK).value_or(0));
  }
  if (auto parent = attributes.string(IFLA_PARENT_DEV_NAME); !parent.empty()) {
    result.link.bus.push_back(std::move(parent));
  }
  result.link.forwarding = setting(attributes, IPV4_DEVCONF_FORWARDING) != 0;
  result.link.rp_filter = static_cast<int>(setting(attributes, IPV4_DEVCONF_RP_FILTER));
  result.link.drops_unicast_to_all = setting(attributes, IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST) != 0;
  if (!result.gone && result.link.name.empty()) {
    return std::nullopt;
  }
  return result;
}

auto parse_address(const nlmsghdr& message) -> std::optional<AddressMessage> {
  const auto* info = header_of<ifaddrmsg>(message);
  if (info == nullptr || info->ifa_family != AF_INET) {
    return std::nullopt;
  }
  const Attributes attributes(message, sizeof(ifaddrmsg), IFA_PROTO + 1);
  const auto subnet = attributes.address(IFA_ADDRESS);
  const auto local = attributes.address(IFA_LOCAL).has_value() ? attributes.address(IFA_LOCAL) : subnet;
  if (!local) {
    return std::nullopt;
  }
  AddressMessage result;
  result.gone = message.nlmsg_type == RTM_DELADDR;
  result.index = static_cast<int>(info->ifa_index);
  // With a peer (`ip address add LOCAL peer PEER/LENGTH`) the length is the peer's; our own address is alone.
  const bool has_peer = subnet && *subnet != *local;
  result.address = {*local, has_peer ? std::uint8_t{32} : info->ifa_prefixlen};
  result.own = attributes.number<std::uint8_t>(IFA_PROTO) == own_protocol;
  return result;
}

auto parse_neighbour(const nlmsghdr& message) -> std::optional<NeighbourMessage> {
  const auto* info = header_of<ndmsg>(message);
  if (info == nullptr || info->ndm_family != AF_INET || (info->ndm_flags & NTF_PROXY) != 0) {
    return std::nullopt;
  }
  const Attributes attributes(message, sizeof(ndmsg), NDA_FLAGS_EXT + 1);
  const auto address = attributes.address(NDA_DST);
  if (!address) {
    return std::nullopt;
  }
  constexpr auto usable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
  const auto mac = attributes.mac(NDA_LLADDR);
  NeighbourMessage result;
  result.gone = message.nlmsg_type == RTM_DELNEIGH;
  result.index = info->ndm_ifindex;
  result.address = *address;
  result.managed = (attributes.u32(NDA_FLAGS_EXT).value_or(0) & NTF_EXT_MANAGED) != 0;
  result.permanent = (info->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0;
  result.neighbour.state = state_name(info->ndm_state);
  result.neighbour.usable = (info->ndm_state & usable) != 0 && mac && is_unicast(*mac);
  result.neighbour.mac = mac.value_or(base::MacAddress{});
  return result;
}

// Ours, or a default of the main table with one next hop; a cached route (RTM_F_CLONED) is none.
auto parse_route(const nlmsghdr& message) -> std::optional<RouteMessage> {
  const auto* info = header_of<rtmsg>(message);
  if (info == nullptr || info->rtm_family != AF_INET || info->rtm_type != RTN_UNICAST ||
      (info->rtm_flags & RTM_F_CLONED) != 0) {
    return std::nullopt;
  }
  const Attributes attributes(message, sizeof(rtmsg), RTA_TABLE + 1);
  const auto link = attributes.u32(RTA_OIF);
  const auto table = attributes.u32(RTA_TABLE).value_or(info->rtm_table);
  if (!link || info->rtm_tos != 0) {
    return std::nullopt;
  }
  const auto gateway = attributes.address(RTA_GATEWAY).value_or(0);
  const auto index = static_cast<int>(*link);
  const bool gone = message.nlmsg_type == RTM_DELROUTE;
  const bool replaces = (message.nlmsg_flags & NLM_F_REPLACE) != 0;
  const Route route{table, {attributes.address(RTA_DST).value_or(0), info->rtm_dst_len}, gateway, index};
  if (info->rtm_protocol == own_protocol) {
    return RouteMessage{gone, replaces, route};
  }
  if (replaces && table != RT_TABLE_MAIN) {
    return RouteMessage{true, replaces, route};  // if ours was there, it is no more
  }
  if (table == RT_TABLE_MAIN && info->rtm_dst_len == 0 && gateway != 0) {
    return RouteMessage{gone, replaces,
                        DefaultRoute{index, attributes.u32(RTA_PRIORITY).value_or(0), gateway}};
  }
  return std::nullopt;
}

auto parse_rule(const nlmsghdr& message) -> std::optional<RuleMessage> {
  const auto* info = header_of<fib_rule_hdr>(message);
  if (info == nullptr || info->family != AF_INET) {
    return std::nullopt;
  }
  const Attributes attributes(message, sizeof(fib_rule_hdr), FRA_PROTOCOL + 1);
  if (attributes.number<std::uint8_t>(FRA_PROTOCOL) != own_protocol) {
    return std::nullopt;
  }
  return RuleMessage{message.nlmsg_type == RTM_DELRULE,
                     Rule{attributes.u32(FRA_PRIORITY).value_or(0), attributes.address(FRA_SRC).value_or(0),
                          attributes.string(FRA_IIFNAME), attributes.u32(FRA_TABLE).value_or(info->table),
                          attributes.u32(FRA_FWMARK).value_or(0)}};
}

auto parse_settings(const nlmsghdr& message) -> std::optional<SettingsMessage> {
  const auto* info = header_of<netconfmsg>(message);
  if (info == nullptr || info->ncm_family != AF_INET) {
    return std::nullopt;
  }
  const Attributes attributes(message, sizeof(netconfmsg), NETCONFA_RP_FILTER + 1);
  const auto index = static_cast<int>(attributes.u32(NETCONFA_IFINDEX).value_or(0));
  if (index <= 0 && index != NETCONFA_IFINDEX_ALL && index != NETCONFA_IFINDEX_DEFAULT) {
    return std::nullopt;
  }
  SettingsMessage result;
  result.is_default = index == NETCONFA_IFINDEX_DEFAULT;
  result.index = std::max(index, 0);
  if (const auto forwarding = attributes.u32(NETCONFA_FORWARDING)) {
    result.forwarding = *forwarding != 0;
  }
  if (const auto rp_filter = attributes.u32(NETCONFA_RP_FILTER)) {
    result.rp_filter = static_cast<int>(*rp_filter);
  }
  return result;
}

}  // namespace

auto parse(const nlmsghdr& message) -> std::optional<Event> {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return parse_link(message);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return parse_address(message);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      return parse_neighbour(message);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return parse_route(message);
    case RTM_NEWRULE:
    case RTM_DELRULE:
      return parse_rule(message);
    case RTM_NEWNETCONF:
      return parse_settings(message);
    default:
      return std::nullopt;
  }
}

}  // namespace sekisho::netlink::rtnetlink
