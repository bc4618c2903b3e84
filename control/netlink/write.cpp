// SPDX-License-Identifier: BSD-3-Clause
#include <net/if.h>  // linux/if.h goes with it only in this order

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include "control/netlink/attributes.hpp"
#include "control/netlink/rtnetlink.hpp"

namespace sekisho::netlink::rtnetlink {
namespace {

template <typename Header>
Header* add_header(nlmsghdr* message) {
  return static_cast<Header*>(mnl_nlmsg_put_extra_header(message, sizeof(Header)));
}

// Without NLM_F_REPLACE: what somebody else has there is not overwritten.
std::uint16_t flags_of(Request::Way way) {
  switch (way) {
    case Request::Way::add:
      return NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    case Request::Way::replace:
      return NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
    case Request::Way::remove:
      return NLM_F_ACK;
  }
  return 0;
}

struct Writer {
  Message& message;
  Request::Way way;
  std::uint32_t sequence;

  [[nodiscard]] nlmsghdr* begin(std::uint16_t add, std::uint16_t remove) const {
    return message.begin(way == Request::Way::remove ? remove : add, flags_of(way), sequence);
  }

  ifinfomsg* change_link(int link) const {
    // Without NLM_F_CREATE: of a link that exists.
    auto* info = add_header<ifinfomsg>(message.begin(RTM_NEWLINK, NLM_F_ACK, sequence));
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
    auto* families = mnl_attr_nest_start(message.header(), IFLA_AF_SPEC);
    auto* family = mnl_attr_nest_start(message.header(), AF_INET);
    auto* settings = mnl_attr_nest_start(message.header(), IFLA_INET_CONF);
    if (configure.settings.forwarding) {
      mnl_attr_put_u32(message.header(), IPV4_DEVCONF_FORWARDING, *configure.settings.forwarding ? 1 : 0);
    }
    if (configure.settings.rp_filter) {
      mnl_attr_put_u32(message.header(), IPV4_DEVCONF_RP_FILTER,
                       static_cast<std::uint32_t>(*configure.settings.rp_filter));
    }
    if (configure.settings.drops_unicast_to_all) {
      mnl_attr_put_u32(message.header(), IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST,
                       *configure.settings.drops_unicast_to_all ? 1 : 0);
    }
    mnl_attr_nest_end(message.header(), settings);
    mnl_attr_nest_end(message.header(), family);
    mnl_attr_nest_end(message.header(), families);
  }

  void operator()(const Request::Resize& resize) const {
    change_link(resize.link);
    mnl_attr_put_u32(message.header(), IFLA_MTU, resize.mtu);
  }

  void operator()(const Request::Address& address) const {
    auto* info = add_header<ifaddrmsg>(begin(RTM_NEWADDR, RTM_DELADDR));
    info->ifa_family = AF_INET;
    info->ifa_prefixlen = address.address.length;
    info->ifa_index = static_cast<std::uint32_t>(address.link);
    mnl_attr_put_u32(message.header(), IFA_LOCAL, to_network(address.address.address));
    mnl_attr_put_u32(message.header(), IFA_ADDRESS, to_network(address.address.address));
    mnl_attr_put_u8(message.header(), IFA_PROTO, own_protocol);
  }

  void operator()(const Route& route) const {
    auto* info = add_header<rtmsg>(begin(RTM_NEWROUTE, RTM_DELROUTE));
    info->rtm_family = AF_INET;
    info->rtm_dst_len = route.prefix.length;
    info->rtm_table = RT_TABLE_UNSPEC;  // has no room for the number; RTA_TABLE has
    info->rtm_protocol = own_protocol;
    info->rtm_scope = route.gateway != 0 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    info->rtm_type = RTN_UNICAST;
    mnl_attr_put_u32(message.header(), RTA_TABLE, route.table);
    mnl_attr_put_u32(message.header(), RTA_DST, to_network(route.prefix.address));
    mnl_attr_put_u32(message.header(), RTA_OIF, static_cast<std::uint32_t>(route.link));
    if (route.gateway != 0) {
      info->rtm_flags = RTNH_F_ONLINK;  // Google's addresses are /32, and their gateway in no subnet
      mnl_attr_put_u32(message.header(), RTA_GATEWAY, to_network(route.gateway));
    }
  }

  void operator()(const Rule& rule) const {
    auto* info = add_header<fib_rule_hdr>(begin(RTM_NEWRULE, RTM_DELRULE));
    info->family = AF_INET;
    info->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(message.header(), FRA_TABLE, rule.table);
    mnl_attr_put_u32(message.header(), FRA_PRIORITY, rule.priority);
    mnl_attr_put_u8(message.header(), FRA_PROTOCOL, own_protocol);
    if (rule.from != 0) {
      info->src_len = 32;
      mnl_attr_put_u32(message.header(), FRA_SRC, to_network(rule.from));
    }
    if (rule.mark != 0) {
      mnl_attr_put_u32(message.header(), FRA_FWMARK, rule.mark);
    }
    if (!rule.iif.empty()) {
      mnl_attr_put_strz(message.header(), FRA_IIFNAME, rule.iif.c_str());
    }
  }
};

}  // namespace

Message list(Dump what, std::uint32_t sequence) {
  Message message;
  const auto begin = [&](std::uint16_t type) { return message.begin(type, NLM_F_DUMP, sequence); };
  switch (what) {
    case Dump::links:
      add_header<ifinfomsg>(begin(RTM_GETLINK))->ifi_family = AF_UNSPEC;
      break;
    case Dump::settings:
      add_header<netconfmsg>(begin(RTM_GETNETCONF))->ncm_family = AF_INET;
      break;
    case Dump::addresses:
      add_header<ifaddrmsg>(begin(RTM_GETADDR))->ifa_family = AF_INET;
      break;
    case Dump::neighbours:
      add_header<ndmsg>(begin(RTM_GETNEIGH))->ndm_family = AF_INET;
      break;
    case Dump::routes:
      add_header<rtmsg>(begin(RTM_GETROUTE))->rtm_family = AF_INET;
      break;
    case Dump::rules:
      add_header<fib_rule_hdr>(begin(RTM_GETRULE))->family = AF_INET;
      break;
  }
  return message;
}

Message resolve(const NeighbourKey& neighbour, bool managed, std::uint32_t sequence) {
  Message message;
  nlmsghdr* header =
      message.begin(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_REPLACE | (managed ? NLM_F_CREATE : 0), sequence);
  auto* info = add_header<ndmsg>(header);
  info->ndm_family = AF_INET;
  info->ndm_ifindex = neighbour.first;
  info->ndm_state = NUD_NONE;
  // A kernel before 5.16 does not look at NDA_FLAGS_EXT and does what NTF_USE says.
  info->ndm_flags = NTF_USE;
  mnl_attr_put_u32(header, NDA_DST, to_network(neighbour.second));
  if (managed) {
    mnl_attr_put_u32(header, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
  }
  return message;
}

Message write(const Request& request, std::uint32_t sequence) {
  Message message;
  std::visit(Writer{message, request.way, sequence}, request.what);
  return message;
}

}  // namespace sekisho::netlink::rtnetlink
