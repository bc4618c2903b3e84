// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/xdp/layout.h"
#include "control/policy/learned.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::policy {
namespace {

// A port whose steering cannot hold its sources does not run: the learned ones leave room for those that are configured.
static_assert(most_learned_sources + 30'000 <= SEKISHO_STEER_MAX_SOURCES);

using base::Prefix;
using route::LearnedHop;
using route::LearnedWay;
using Lines = std::vector<std::string>;

constexpr std::string_view text = R"(
[port.lan]
device = "af_xdp:lan0"
[port.egress]
device = "af_xdp:egress0"
[next_hop.firewall]
members = ["10.0.2.10"]
[next_hop.other]
members = ["10.0.2.11"]
[next_hop.onprem-gateway]
members = ["10.0.1.1"]
[internet]
via = "firewall"
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12", "bgp"]
internet = true
FOLLOW
routes = ["bgp", { prefix = "20.0.0.0/8", next_hop = "other" }]
[zone.internet]
port = ["egress"]
sources = ["0.0.0.0/0"]
routes = ["bgp"]
[zone.plain]
port = ["lan"]
sources = ["10.9.0.0/16"]
routes = [{ prefix = "20.0.0.0/8", next_hop = "other" }]
[bgp]
)";

constexpr int lan = 2;
constexpr int egress = 3;
const std::vector<LearnedPort> ports{
    {.name = "egress", .link = egress, .subnets = {{0x0a000200, 24}}, .unicast = {0x0a000204}},
    {.name = "lan", .link = lan, .subnets = {{0x0a000100, 24}}, .unicast = {0x0a000104}}};

constexpr auto address(unsigned a, unsigned b, unsigned c, unsigned d) -> std::uint32_t {
  return a << 24U | b << 16U | c << 8U | d;
}

class Learning : public testing::Test {
 protected:
  Learning() { configure("follow_default = false"); }

  void configure(const std::string& follow) {
    std::string with{text};
    with.replace(with.find("FOLLOW"), 6, follow);
    auto config = config::parse(with, "sekisho.toml");
    ASSERT_TRUE(config) << config.error().to_string();
    auto built = build(std::move(*config));
    ASSERT_TRUE(built) << built.error().to_string();
    plain_ = *built;
  }

  void learn(const std::string& prefix, LearnedWay way) {
    const auto number = static_cast<std::uint32_t>(learned_->ways.size());
    learned_->ways.push_back(std::move(way));
    learned_->routes.push_back(
        {.prefix = base::parse_prefix(prefix).value(), .way = number, .protocol = 186});
    std::ranges::sort(learned_->routes, {}, &route::LearnedRoute::prefix);
  }
  void learn(const std::string& prefix, std::uint32_t gateway = address(10, 0, 1, 1), int link = lan) {
    learn(prefix, LearnedWay{.hops = {{gateway, link}}});
  }
  auto merged() -> std::shared_ptr<const Policy> { return with_learned(plain_, learned_, ports); }

  // "192.168.0.0/24 onprem-gateway" of what is learned and in force; of what else wins for 0.0.0.0/0 and the halves, too.
  static auto lines(const Policy& policy, std::string_view zone) -> Lines {
    Lines result;
    for (const auto& route : policy.zone(zone)->table.winners())
      if (route.origin == route::Origin::bgp || route.prefix.length < 2)
        result.push_back(base::to_string(route.prefix) + " " + policy.names[route.next_hop]);
    return result;
  }
  auto in_force(std::string_view zone = "internet") -> Lines { return lines(*merged(), zone); }
  auto sources(std::string_view zone = "onprem") -> Lines {
    const auto policy = merged();
    Lines result;
    for (const auto source : policy->zone(zone)->sources)
      result.push_back(base::to_string(source));
    return result;
  }
  auto why_not(const std::string& prefix) -> std::string {
    const auto policy = merged();
    for (const auto& route : policy->taken->learned->routes)
      if (base::to_string(route.prefix) == prefix)
        return policy->taken->why_not(route);
    return "it is not there";
  }

  std::shared_ptr<const Policy> plain_;
  std::shared_ptr<route::Learned> learned_ = std::make_shared<route::Learned>();
};

TEST_F(Learning, RoutesAreInTheZonesThatAskForThem) {
  learn("192.168.1.0/24");
  EXPECT_EQ(in_force(), Lines{"192.168.1.0/24 onprem-gateway"});
  EXPECT_EQ(in_force("onprem"),
            (Lines{"0.0.0.0/1 firewall", "128.0.0.0/1 firewall", "192.168.1.0/24 onprem-gateway"}));
  EXPECT_EQ(in_force("plain"), Lines{});
  const auto policy = merged();
  EXPECT_TRUE(policy->zone("plain")->table.shares_with(plain_->zone("plain")->table));
  EXPECT_EQ(plain(policy), plain_);
  EXPECT_EQ(with_learned(policy, nullptr, ports), plain_);
}

TEST_F(Learning, AUserRouteWinsAndTheOthersStandBehindIt) {
  learn("20.0.0.0/8");
  EXPECT_EQ(in_force("onprem"), (Lines{"0.0.0.0/1 firewall", "128.0.0.0/1 firewall"}));
  const auto policy = merged();
  const auto& candidates = policy->zone("onprem")->table.candidates();
  EXPECT_EQ(std::ranges::count(candidates, Prefix{20U << 24, 8}, &route::Route::prefix), 2);
  EXPECT_EQ(in_force("internet"), Lines{"20.0.0.0/8 onprem-gateway"});
}

TEST_F(Learning, AGatewayThatNoNextHopHasGetsOneOfItsOwn) {
  learn("192.168.1.0/24", address(10, 0, 1, 9));
  learn("192.168.2.0/24",
        LearnedWay{.hops = {{address(10, 0, 1, 1), lan, 1}, {address(10, 0, 2, 11), egress, 3}}});
  EXPECT_EQ(in_force(), (Lines{"192.168.1.0/24 bgp-10-0-1-9", "192.168.2.0/24 bgp-10-0-1-1-905b2c8e"}));
  const auto policy = merged();
  EXPECT_TRUE(std::ranges::is_sorted(policy->config.next_hops, {}, &config::NextHop::name));
  const auto made =
      std::ranges::find(policy->config.next_hops, "bgp-10-0-1-1-905b2c8e", &config::NextHop::name);
  ASSERT_NE(made, policy->config.next_hops.end());
  EXPECT_EQ(made->members, (std::vector<std::uint32_t>{address(10, 0, 1, 1), address(10, 0, 2, 11)}));
  EXPECT_EQ(made->weight_of(address(10, 0, 2, 11)), 3U);
}

TEST_F(Learning, ABlackholeIsARouteToNone) {
  learn("192.168.1.0/24", LearnedWay{.kind = LearnedWay::Kind::drop});
  EXPECT_EQ(in_force(), Lines{"192.168.1.0/24 None"});
  EXPECT_EQ(sources(), Lines{"172.16.0.0/12"});
}

TEST_F(Learning, WhatIsNotTaken) {
  learn("127.0.0.0/8");
  learn("169.254.0.0/16");
  learn("168.63.129.16/32");
  learn("0.0.0.0/1");
  learn("64.0.0.0/7");
  learn("10.0.1.0/24");
  learn("10.0.2.10/32");
  learn("192.168.1.0/24", address(10, 0, 1, 4));
  learn("192.168.2.0/24", address(10, 0, 9, 1), 9);
  learn("192.168.3.0/24", address(10, 0, 3, 1));
  learn("192.168.4.0/24", 0);
  learn("192.168.5.0/24",
        LearnedWay{.kind = LearnedWay::Kind::unusable, .why = "its gateway is an IPv6 address"});
  EXPECT_EQ(in_force(), Lines{});
  EXPECT_EQ(sources(), Lines{"172.16.0.0/12"});
  EXPECT_EQ(merged()->taken->refused, 12U);
  EXPECT_EQ(why_not("127.0.0.0/8"), "no packet can be for it");
  EXPECT_EQ(why_not("168.63.129.16/32"), "it is always the host's own");
  EXPECT_EQ(why_not("0.0.0.0/1"),
            "it is shorter than /8: a piece of the Internet, which only 0.0.0.0/0 stands for");
  EXPECT_EQ(why_not("10.0.1.0/24"), "it is within a port's own subnet");
  EXPECT_EQ(why_not("10.0.2.10/32"), "it is within a port's own subnet");
  EXPECT_EQ(why_not("192.168.1.0/24"), "gateway 10.0.1.4 is this appliance itself");
  EXPECT_EQ(why_not("192.168.2.0/24"), "gateway 10.0.9.1 is on no port: its interface is none");
  EXPECT_EQ(why_not("192.168.3.0/24"), "gateway 10.0.3.1 is on no subnet of port lan");
  EXPECT_EQ(why_not("192.168.4.0/24"), "it is on the link of port lan, without a gateway");
  EXPECT_EQ(why_not("192.168.5.0/24"), "its gateway is an IPv6 address");
}

TEST_F(Learning, ADefaultIsTakenByZonesThatFollowItAlone) {
  learn("0.0.0.0/0");
  EXPECT_EQ(in_force("onprem"), (Lines{"0.0.0.0/1 firewall", "128.0.0.0/1 firewall"}));
  EXPECT_EQ(why_not("0.0.0.0/0"), "no zone follows a learned default (follow_default)");
  configure("follow_default = true");
  EXPECT_EQ(in_force("onprem"), Lines{"0.0.0.0/0 onprem-gateway"});
  EXPECT_EQ(in_force("internet"), Lines{});
  EXPECT_EQ(sources(), Lines{"172.16.0.0/12"}) << "and nobody may come from anywhere";
  const auto policy = merged();
  EXPECT_EQ(policy->taken->follows, std::set<std::string>{"onprem"});
  const auto zone = std::ranges::find(policy->config.zones, "onprem", &config::Zone::name);
  EXPECT_EQ(policy->config.via_of(*zone), "onprem-gateway");
  EXPECT_EQ(why_not("0.0.0.0/0"), "");
}

TEST_F(Learning, WithoutADefaultTheZonesOwnIsThere) {
  configure("follow_default = true");
  learn("192.168.1.0/24");
  EXPECT_EQ(in_force("onprem"),
            (Lines{"0.0.0.0/1 firewall", "128.0.0.0/1 firewall", "192.168.1.0/24 onprem-gateway"}));
  configure("follow_default = true\nvia = \"other\"");
  EXPECT_EQ(in_force("onprem"),
            (Lines{"0.0.0.0/1 other", "128.0.0.0/1 other", "192.168.1.0/24 onprem-gateway"}));
}

TEST_F(Learning, ADefaultThatLeadsNowhereIsNotFollowed) {
  configure("follow_default = true");
  learn("0.0.0.0/0", address(10, 0, 9, 1), 9);
  EXPECT_EQ(in_force("onprem"), (Lines{"0.0.0.0/1 firewall", "128.0.0.0/1 firewall"}));
}

TEST_F(Learning, ADefaultThatDropsEverythingIsNotFollowed) {
  configure("follow_default = true");
  learn("0.0.0.0/0", LearnedWay{.kind = LearnedWay::Kind::drop});
  EXPECT_EQ(in_force("onprem"), (Lines{"0.0.0.0/1 firewall", "128.0.0.0/1 firewall"}));
  const auto policy = merged();
  EXPECT_TRUE(policy->taken->follows.empty());
  EXPECT_EQ(policy->taken->refused, 1U);
  EXPECT_EQ(why_not("0.0.0.0/0"), "it leads to None: no zone follows a default that drops everything");
}

TEST_F(Learning, PrefixesBehindAZonesPortsAreItsSources) {
  learn("192.168.1.0/24");
  learn("192.168.2.0/24", address(10, 0, 2, 11), egress);
  learn("172.16.0.0/12");
  EXPECT_EQ(sources(), (Lines{"172.16.0.0/12", "192.168.1.0/24"}));
  EXPECT_EQ(sources("internet"), Lines{"0.0.0.0/0"});
}

TEST_F(Learning, ASubnetStaysWhoseItIsWhenAPrefixAroundItIsLearned) {
  learn("10.0.0.0/22");
  EXPECT_EQ(sources(), (Lines{"172.16.0.0/12", "10.0.0.0/24", "10.0.3.0/24"}));
}

TEST_F(Learning, ASourceOfAnotherZoneStaysThere) {
  learn("10.9.0.0/16");
  EXPECT_EQ(sources(), Lines{"172.16.0.0/12"});
  EXPECT_EQ(in_force(), Lines{"10.9.0.0/16 onprem-gateway"});
}

TEST_F(Learning, AHostOfAnotherZoneStaysThereWhateverPrefixAroundItIsLearned) {
  learn("10.9.7.0/24");
  learn("10.9.0.0/16");
  learn("10.9.8.1/32");
  learn("10.8.0.0/15");    // the longer one decides
  learn("172.16.9.0/24");  // its own already
  EXPECT_EQ(sources(), (Lines{"172.16.0.0/12", "10.8.0.0/15", "172.16.9.0/24"}));
  EXPECT_EQ(sources("plain"), Lines{"10.9.0.0/16"});
  EXPECT_EQ(
      merged()->taken->notes,
      Lines{"3 learned prefixes are no sources: they are within configured ones of other zones, such as "
            "10.9.0.0/16 within 10.9.0.0/16 of zone plain"});
  EXPECT_EQ(in_force().size(), 5U) << "as routes they are taken";
}

TEST_F(Learning, WhatIsEveryHostsOwnIsNoSourceWithinAPrefixAroundIt) {
  learn("168.63.129.0/28");
  learn("168.63.129.16/30");
  learn("169.254.0.0/15");
  EXPECT_EQ(sources(), (Lines{"172.16.0.0/12", "168.63.129.0/28", "168.63.129.17/32", "168.63.129.18/31",
                              "169.255.0.0/16"}));
  learn("169.252.0.0/14");
  EXPECT_TRUE(std::ranges::count(sources(), "169.252.0.0/15"));
  const auto policy = merged();
  for (const auto source : policy->zone("onprem")->sources)
    EXPECT_FALSE(source.covers(address(169, 254, 169, 254)) || source.covers(address(168, 63, 129, 16)));
}

TEST_F(Learning, NextHopsAreBounded) {
  for (unsigned i = 0; i < most_learned_next_hops + 10; ++i)
    learn(base::to_string(Prefix{address(50, i >> 8U, i & 255U, 0), 24}),
          LearnedWay{
              .hops = {{address(10, 0, 1, 100 + i % 100), lan}, {address(10, 0, 2, 20 + i / 100), egress}}});
  const auto policy = merged();
  EXPECT_EQ(policy->config.next_hops.size(), plain_->config.next_hops.size() + most_learned_next_hops);
  EXPECT_EQ(policy->taken->refused, 10U);
  EXPECT_EQ(why_not("50.1.9.0/24"), "there are 256 learned next hops already");
}

TEST_F(Learning, AnOverrideAndWhatIsLearnedStandBesideEachOther) {
  learn("192.168.1.0/24");
  const auto overridden = with_overrides(*plain_, {{"onprem", {address(192, 168, 1, 0), 24}, "other"}});
  ASSERT_TRUE(overridden) << overridden.error();
  const auto policy = with_learned(*overridden, learned_, ports);
  EXPECT_EQ(policy->names[policy->zone("onprem")->table.lookup(address(192, 168, 1, 1))->next_hop], "other");
  EXPECT_EQ(policy->overrides.size(), 1U);
  EXPECT_EQ(policy->names[policy->zone("internet")->table.lookup(address(192, 168, 1, 1))->next_hop],
            "onprem-gateway");
}

}  // namespace
}  // namespace sekisho::policy
