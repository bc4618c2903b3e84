// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/route_message.hpp"

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "control/netlink/attributes.hpp"

namespace sekisho::learn {
namespace {

using route::LearnedHop;
using route::LearnedWay;

class Written {
 public:
  explicit Written(std::uint16_t type, std::uint16_t flags = 0)
      : header_(mnl_nlmsg_put_header(bytes_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = flags;
  }
  auto route(std::uint8_t length, std::uint8_t type = RTN_UNICAST, std::uint8_t family = AF_INET) -> rtmsg& {
    auto& info = *static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header_, sizeof(rtmsg)));
    info.rtm_family = family;
    info.rtm_dst_len = length;
    info.rtm_table = 100;
    info.rtm_protocol = 186;
    info.rtm_type = type;
    return info;
  }
  auto object(std::uint8_t family = AF_INET) -> void {
    static_cast<nhmsg*>(mnl_nlmsg_put_extra_header(header_, sizeof(nhmsg)))->nh_family = family;
  }
  auto u32(std::uint16_t type, std::uint32_t value) -> Written& {
    mnl_attr_put_u32(header_, type, value);
    return *this;
  }
  auto address(std::uint16_t type, std::uint32_t value) -> Written& {
    return u32(type, netlink::to_network(value));
  }
  auto bytes(std::uint16_t type, const void* data, std::size_t size) -> Written& {
    mnl_attr_put(header_, type, size, data);
    return *this;
  }
  [[nodiscard]] auto read() const { return parse(*header_); }
  [[nodiscard]] auto as_route() const { return std::get<RouteMessage>(read().value()); }
  [[nodiscard]] auto as_object() const { return std::get<ObjectMessage>(read().value()); }
  [[nodiscard]] nlmsghdr* header() { return header_; }

 private:
  alignas(nlmsghdr) std::array<char, 4096> bytes_{};
  nlmsghdr* header_;
};

constexpr std::uint32_t gateway = 0x0a000101;

TEST(RouteMessage, ARoute) {
  Written written{RTM_NEWROUTE, NLM_F_REPLACE};
  written.route(16);
  written.address(RTA_DST, 0xac100000).u32(RTA_PRIORITY, 20).u32(RTA_OIF, 3).address(RTA_GATEWAY, gateway);
  written.u32(RTA_TABLE, 1000);
  const auto route = written.as_route();
  EXPECT_FALSE(route.gone);
  EXPECT_TRUE(route.replaces);
  EXPECT_EQ(route.table, 1000U);
  EXPECT_EQ(route.prefix, (base::Prefix{0xac100000, 16}));
  EXPECT_EQ(route.metric, 20U);
  EXPECT_EQ(route.protocol, 186);
  EXPECT_EQ(route.way, (LearnedWay{.hops = {{gateway, 3}}}));
}

TEST(RouteMessage, SeveralPaths) {
  Written written{RTM_NEWROUTE};
  written.route(0);
  auto* const paths = mnl_attr_nest_start(written.header(), RTA_MULTIPATH);
  const auto add = [&](std::uint32_t address, int link, std::uint8_t hops, std::uint8_t flags) {
    auto* const at = static_cast<char*>(mnl_nlmsg_get_payload_tail(written.header()));
    mnl_nlmsg_put_extra_header(written.header(), sizeof(rtnexthop));
    mnl_attr_put_u32(written.header(), RTA_GATEWAY, netlink::to_network(address));
    const auto size =
        static_cast<std::uint16_t>(static_cast<char*>(mnl_nlmsg_get_payload_tail(written.header())) - at);
    const rtnexthop path{.rtnh_len = size, .rtnh_flags = flags, .rtnh_hops = hops, .rtnh_ifindex = link};
    std::memcpy(at, &path, sizeof path);
  };
  add(gateway + 1, 3, 4, 0);
  add(gateway, 2, 0, 0);
  add(gateway + 2, 2, 0, RTNH_F_DEAD);
  mnl_attr_nest_end(written.header(), paths);
  EXPECT_EQ(written.as_route().way, (LearnedWay{.hops = {{gateway, 2, 1}, {gateway + 1, 3, 5}}}));
}

TEST(RouteMessage, WhatIsDropped) {
  for (const std::uint8_t type : {RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT}) {
    Written written{RTM_NEWROUTE};
    written.route(8, type);
    EXPECT_EQ(written.as_route().way.kind, LearnedWay::Kind::drop);
  }
}

TEST(RouteMessage, WhatCannotBeForwardedTo) {
  Written ipv6{RTM_NEWROUTE};
  ipv6.route(8);
  const std::array<char, 18> via{AF_INET6};
  ipv6.u32(RTA_OIF, 2).bytes(RTA_VIA, via.data(), via.size());
  EXPECT_EQ(ipv6.as_route().way.why, "its gateway is an IPv6 address");
  Written label{RTM_NEWROUTE};
  label.route(8);
  label.u32(RTA_OIF, 2).bytes(RTA_ENCAP, via.data(), 4);
  EXPECT_EQ(label.as_route().way.kind, LearnedWay::Kind::unusable);
}

TEST(RouteMessage, WhatIsNobodysRoute) {
  for (const std::uint8_t type : {RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST, RTN_THROW}) {
    Written written{RTM_NEWROUTE};
    written.route(8, type);
    EXPECT_FALSE(written.u32(RTA_OIF, 1).read());
  }
  Written cached{RTM_NEWROUTE};
  cached.route(8).rtm_flags = RTM_F_CLONED;
  EXPECT_FALSE(cached.u32(RTA_OIF, 1).read());
  Written service{RTM_NEWROUTE};
  service.route(8).rtm_tos = 8;
  EXPECT_FALSE(service.u32(RTA_OIF, 1).read());
  Written ipv6{RTM_NEWROUTE};
  ipv6.route(8, RTN_UNICAST, AF_INET6);
  EXPECT_FALSE(ipv6.u32(RTA_OIF, 1).read());
  Written nowhere{RTM_NEWROUTE};
  nowhere.route(8);
  EXPECT_FALSE(nowhere.read());
  Written longest{RTM_NEWROUTE};
  longest.route(33);
  EXPECT_FALSE(longest.u32(RTA_OIF, 1).read());
  EXPECT_FALSE((Written{RTM_NEWROUTE}.read())) << "shorter than its header";
}

TEST(RouteMessage, ANextHopObject) {
  Written single{RTM_NEWNEXTHOP};
  single.object();
  single.u32(NHA_ID, 5).u32(NHA_OIF, 2).address(NHA_GATEWAY, gateway);
  EXPECT_EQ(single.as_object().id, 5U);
  EXPECT_EQ(single.as_object().way, (LearnedWay{.hops = {{gateway, 2}}}));
  Written group{RTM_NEWNEXTHOP};
  group.object();
  const std::array<nexthop_grp, 2> members{nexthop_grp{.id = 5}, nexthop_grp{.id = 6, .weight = 1}};
  group.u32(NHA_ID, 7).bytes(NHA_GROUP, members.data(), sizeof members);
  EXPECT_EQ(group.as_object().group, (std::vector<std::pair<std::uint32_t, unsigned>>{{5, 1}, {6, 2}}));
  Written black{RTM_NEWNEXTHOP};
  black.object();
  black.u32(NHA_ID, 8).bytes(NHA_BLACKHOLE, nullptr, 0);
  EXPECT_EQ(black.as_object().way.kind, LearnedWay::Kind::drop);
  Written ipv6{RTM_NEWNEXTHOP};
  ipv6.object(AF_INET6);
  EXPECT_EQ(ipv6.u32(NHA_ID, 9).as_object().way.kind, LearnedWay::Kind::unusable);
  Written nameless{RTM_NEWNEXTHOP};
  nameless.object();
  EXPECT_FALSE(nameless.read());
}

TEST(RouteMessage, AnInterfaceThatGoesTakesRoutesAlong) {
  Written down{RTM_NEWLINK};
  mnl_nlmsg_put_extra_header(down.header(), sizeof(ifinfomsg));
  EXPECT_TRUE(down.read());
  Written up{RTM_NEWLINK};
  static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(up.header(), sizeof(ifinfomsg)))->ifi_flags = IFF_UP;
  EXPECT_FALSE(up.read());
  EXPECT_TRUE(Written{RTM_DELADDR}.read());
}

TEST(Message, OfAListingThatWasGivenUpIsNoNews) {
  constexpr std::uint32_t port = 4711;
  Written message{RTM_NEWROUTE};
  message.route(8);
  message.header()->nlmsg_seq = 7;
  EXPECT_EQ(hearing(*message.header(), port, 7), Hearing::news) << "somebody else's question";
  message.header()->nlmsg_pid = port;
  EXPECT_EQ(hearing(*message.header(), port, 7), Hearing::answer);
  EXPECT_EQ(hearing(*message.header(), port, 8), Hearing::leftover);
  EXPECT_EQ(hearing(*message.header(), port, 0), Hearing::leftover);
  message.header()->nlmsg_seq = 0;
  EXPECT_EQ(hearing(*message.header(), port, 0), Hearing::leftover);
}

}  // namespace
}  // namespace sekisho::learn
