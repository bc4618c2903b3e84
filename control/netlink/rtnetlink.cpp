// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/rtnetlink.hpp"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/mac_address.hpp"

namespace sekisho::netlink::rtnetlink {
namespace {

std::uint32_t to_host(std::uint32_t big_endian) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(big_endian) : big_endian;
}
std::uint32_t to_network(std::uint32_t address) {
  return to_host(address);
}

// Empty for one that is not there.
std::string text_of(const nlattr* attribute) {
  if (attribute == nullptr) {
    return {};
  }
  const auto* text = static_cast<const char*>(mnl_attr_get_payload(attribute));
  return {text, strnlen(text, mnl_attr_get_payload_len(attribute))};
}

// Attributes by type; of a type that stands twice the last.
class Attributes {
 public:
  Attributes(const nlmsghdr& message, std::size_t header, std::size_t types) : by_type_(types) {
    const auto* attribute = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(&message, header));
    const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(&message));
    while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
      if (const auto type = mnl_attr_get_type(attribute); type < types) {
        by_type_[type] = attribute;
      }
      attribute = mnl_attr_next(attribute);
    }
  }

  [[nodiscard]] std::optional<std::uint32_t> u32(std::size_t type) const {
    const nlattr* attribute = by_type_[type];
    if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != sizeof(std::uint32_t)) {
      return std::nullopt;
    }
    return mnl_attr_get_u32(attribute);
  }
  [[nodiscard]] std::optional<std::uint8_t> u8(std::size_t type) const {
    const nlattr* attribute = by_type_[type];
    if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != sizeof(std::uint8_t)) {
      return std::nullopt;
    }
    return mnl_attr_get_u8(attribute);
  }
  [[nodiscard]] bool has(std::size_t type) const { return by_type_[type] != nullptr; }
  [[nodiscard]] const nlattr* get(std::size_t type) const { return by_type_[type]; }
  [[nodiscard]] std::optional<std::uint32_t> address(std::size_t type) const {
    const auto value = u32(type);
    return value ? std::optional(to_host(*value)) : std::nullopt;
  }
  [[nodiscard]] std::optional<base::MacAddress> mac(std::size_t type) const {
    const nlattr* attribute = by_type_[type];
    base::MacAddress mac{};
    if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != mac.size()) {
      return std::nullopt;
    }
    std::memcpy(mac.data(), mnl_attr_get_payload(attribute), mac.size());
    return mac;
  }
  [[nodiscard]] std::string string(std::size_t type) const { return text_of(by_type_[type]); }

 private:
  std::vector<const nlattr*> by_type_;
};

template <typename Header>
const Header* header(const nlmsghdr& message) {
  return mnl_nlmsg_get_payload_len(&message) >= sizeof(Header)
             ? static_cast<const Header*>(mnl_nlmsg_get_payload(&message))
             : nullptr;
}

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

std::vector<const nlattr*> all_nested(const nlattr* outer, unsigned type) {
  std::vector<const nlattr*> result;
  if (outer == nullptr) {
    return result;
  }
  const auto* attribute = static_cast<const nlattr*>(mnl_attr_get_payload(outer));
  const auto* end = reinterpret_cast<const char*>(attribute) + mnl_attr_get_payload_len(outer);
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    if (mnl_attr_get_type(attribute) == type) {
      result.push_back(attribute);
    }
    attribute = mnl_attr_next(attribute);
  }
  return result;
}

const nlattr* nested(const nlattr* outer, unsigned type) {
  const auto all = all_nested(outer, type);
  return all.empty() ? nullptr : all.front();
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

}  // namespace

auto parse_link(const nlmsghdr& message) -> std::optional<LinkMessage> {
  const auto* info = header<ifinfomsg>(message);
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
  if (!result.gone && result.link.name.empty()) {
    return std::nullopt;
  }
  return result;
}

auto parse_address(const nlmsghdr& message) -> std::optional<AddressMessage> {
  const auto* info = header<ifaddrmsg>(message);
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
  result.own = attributes.u8(IFA_PROTO) == own_protocol;
  return result;
}

auto parse_neighbour(const nlmsghdr& message) -> std::optional<NeighbourMessage> {
  const auto* info = header<ndmsg>(message);
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
  const auto* info = header<rtmsg>(message);
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
  const auto* info = header<fib_rule_hdr>(message);
  if (info == nullptr || info->family != AF_INET) {
    return std::nullopt;
  }
  const Attributes attributes(message, sizeof(fib_rule_hdr), FRA_PROTOCOL + 1);
  if (attributes.u8(FRA_PROTOCOL) != own_protocol) {
    return std::nullopt;
  }
  return RuleMessage{message.nlmsg_type == RTM_DELRULE,
                     Rule{attributes.u32(FRA_PRIORITY).value_or(0), attributes.address(FRA_SRC).value_or(0),
                          attributes.string(FRA_IIFNAME), attributes.u32(FRA_TABLE).value_or(info->table)}};
}

auto parse_settings(const nlmsghdr& message) -> std::optional<SettingsMessage> {
  const auto* info = header<netconfmsg>(message);
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

std::size_t write_dump(Buffer buffer, Dump what, std::uint32_t sequence) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = sequence;
  switch (what) {
    case Dump::links:
      message->nlmsg_type = RTM_GETLINK;
      static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)))->ifi_family = AF_UNSPEC;
      break;
    case Dump::addresses:
      message->nlmsg_type = RTM_GETADDR;
      static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)))->ifa_family = AF_INET;
      break;
    case Dump::neighbours:
      message->nlmsg_type = RTM_GETNEIGH;
      static_cast<ndmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ndmsg)))->ndm_family = AF_INET;
      break;
    case Dump::routes:
      message->nlmsg_type = RTM_GETROUTE;
      static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(rtmsg)))->rtm_family = AF_INET;
      break;
    case Dump::rules:
      message->nlmsg_type = RTM_GETRULE;
      static_cast<fib_rule_hdr*>(mnl_nlmsg_put_extra_header(message, sizeof(fib_rule_hdr)))->family = AF_INET;
      break;
    case Dump::settings:
      message->nlmsg_type = RTM_GETNETCONF;
      static_cast<netconfmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(netconfmsg)))->ncm_family = AF_INET;
      break;
  }
  return message->nlmsg_len;
}

std::size_t write_resolve(Buffer buffer, int index, std::uint32_t address, bool managed,
                          std::uint32_t sequence) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = RTM_NEWNEIGH;
  message->nlmsg_flags =
      static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | NLM_F_REPLACE | (managed ? NLM_F_CREATE : 0));
  message->nlmsg_seq = sequence;
  auto* info = static_cast<ndmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ndmsg)));
  info->ndm_family = AF_INET;
  info->ndm_ifindex = index;
  info->ndm_state = NUD_NONE;
  // A kernel before 5.16 does not look at NDA_FLAGS_EXT and does what NTF_USE says.
  info->ndm_flags = NTF_USE;
  mnl_attr_put_u32(message, NDA_DST, to_network(address));
  if (managed) {
    mnl_attr_put_u32(message, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
  }
  return message->nlmsg_len;
}

namespace {

// Without NLM_F_REPLACE: what somebody else has there is not overwritten.
std::uint16_t flags_of(Request::Way way) {
  switch (way) {
    case Request::Way::add:
      return NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    case Request::Way::replace:
      return NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
    case Request::Way::remove:
      return NLM_F_REQUEST | NLM_F_ACK;
  }
  return 0;
}

template <typename Header>
Header* begin(nlmsghdr* message, Request::Way way, std::uint16_t add, std::uint16_t remove) {
  message->nlmsg_type = way == Request::Way::remove ? remove : add;
  message->nlmsg_flags = flags_of(way);
  return static_cast<Header*>(mnl_nlmsg_put_extra_header(message, sizeof(Header)));
}

struct Writer {
  nlmsghdr* message;
  Request::Way way;

  ifinfomsg* change_link(int link) const {
    message->nlmsg_type = RTM_NEWLINK;  // without NLM_F_CREATE: of a link that exists
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    auto* info = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
    info->ifi_family = AF_UNSPEC;
    info->ifi_index = link;
    return info;
  }

  void operator()(const Request::Enable& enable) const {
    auto* info = change_link(enable.link);
    info->ifi_flags = IFF_UP;
    info->ifi_change = IFF_UP;
  }

  // By netlink and not by /proc/sys, which a hardened service sees read-only.
  void operator()(const Request::Configure& configure) const {
    change_link(configure.link);
    auto* families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
    auto* family = mnl_attr_nest_start(message, AF_INET);
    auto* settings = mnl_attr_nest_start(message, IFLA_INET_CONF);
    if (configure.settings.forwarding) {
      mnl_attr_put_u32(message, IPV4_DEVCONF_FORWARDING, *configure.settings.forwarding ? 1 : 0);
    }
    if (configure.settings.rp_filter) {
      mnl_attr_put_u32(message, IPV4_DEVCONF_RP_FILTER,
                       static_cast<std::uint32_t>(*configure.settings.rp_filter));
    }
    mnl_attr_nest_end(message, settings);
    mnl_attr_nest_end(message, family);
    mnl_attr_nest_end(message, families);
  }

  void operator()(const Request::Resize& resize) const {
    change_link(resize.link);
    mnl_attr_put_u32(message, IFLA_MTU, resize.mtu);
  }

  void operator()(const Request::Address& address) const {
    auto* info = begin<ifaddrmsg>(message, way, RTM_NEWADDR, RTM_DELADDR);
    info->ifa_family = AF_INET;
    info->ifa_prefixlen = address.address.length;
    info->ifa_index = static_cast<std::uint32_t>(address.link);
    mnl_attr_put_u32(message, IFA_LOCAL, to_network(address.address.address));
    mnl_attr_put_u32(message, IFA_ADDRESS, to_network(address.address.address));
    mnl_attr_put_u8(message, IFA_PROTO, own_protocol);
  }

  void operator()(const Route& route) const {
    auto* info = begin<rtmsg>(message, way, RTM_NEWROUTE, RTM_DELROUTE);
    info->rtm_family = AF_INET;
    info->rtm_dst_len = route.prefix.length;
    info->rtm_table = RT_TABLE_UNSPEC;  // has no room for the number; RTA_TABLE has
    info->rtm_protocol = own_protocol;
    info->rtm_scope = route.gateway != 0 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    info->rtm_type = RTN_UNICAST;
    mnl_attr_put_u32(message, RTA_TABLE, route.table);
    mnl_attr_put_u32(message, RTA_DST, to_network(route.prefix.address));
    mnl_attr_put_u32(message, RTA_OIF, static_cast<std::uint32_t>(route.link));
    if (route.gateway != 0) {
      info->rtm_flags = RTNH_F_ONLINK;  // Google's addresses are /32, and their gateway in no subnet
      mnl_attr_put_u32(message, RTA_GATEWAY, to_network(route.gateway));
    }
  }

  void operator()(const Rule& rule) const {
    auto* info = begin<fib_rule_hdr>(message, way, RTM_NEWRULE, RTM_DELRULE);
    info->family = AF_INET;
    info->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(message, FRA_TABLE, rule.table);
    mnl_attr_put_u32(message, FRA_PRIORITY, rule.priority);
    mnl_attr_put_u8(message, FRA_PROTOCOL, own_protocol);
    if (rule.from != 0) {
      info->src_len = 32;
      mnl_attr_put_u32(message, FRA_SRC, to_network(rule.from));
    }
    if (!rule.iif.empty()) {
      mnl_attr_put_strz(message, FRA_IIFNAME, rule.iif.c_str());
    }
  }
};

}  // namespace

std::size_t write(Buffer buffer, const Request& request, std::uint32_t sequence) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  std::visit(Writer{message, request.way}, request.what);
  message->nlmsg_seq = sequence;
  return message->nlmsg_len;
}

}  // namespace sekisho::netlink::rtnetlink
