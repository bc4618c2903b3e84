// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::policy {
namespace {

constexpr std::string_view configuration = R"([port.lan]
device = "af_xdp:lan0"
[next_hop.firewall]
members = ["10.0.2.10"]
[next_hop.gateway]
members = ["10.0.1.1"]
[internet]
via = "firewall"
exit = { port = "lan" }
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = ["routes.txt"]
[zone.vnet]
port = ["lan"]
sources = ["10.0.0.0/16"]
routes = ["routes.txt"]
)";

auto prefix(std::string_view text) -> base::Prefix {
  return base::parse_prefix(text).value();
}

class Overrides : public testing::Test {
 protected:
  auto base(std::string_view routes = "1.0.0.0/8 firewall\n1.0.0.0/8 gateway\n2.0.0.0/8 gateway\n") {
    folder_.write("routes.txt", routes);
    return read(folder_.write("sekisho.toml", configuration)).value();
  }
  test::TemporaryFolder folder_;
};

auto decided(const Policy& policy, std::string_view zone, std::string_view address) -> std::string {
  const auto route = policy.zone(zone)->table.lookup(base::parse_address(address).value());
  return route ? policy.names[route->next_hop] : "no route";
}

// What tells two policies' tables apart.
auto candidates(const Policy& policy) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& zone : policy.zones)
    for (const auto& route : zone.table.candidates())
      result.push_back(fmt::format("{} {} {} {} {} {}", zone.name, base::to_string(route.prefix),
                                   static_cast<int>(route.origin), policy.names[route.next_hop],
                                   policy.names[route.source], route.line));
  return result;
}

TEST_F(Overrides, ARouteIsSetInItsZoneAlone) {
  const auto before = base();
  const auto after = with_overrides(
      *before, {{"onprem", prefix("1.0.0.0/8"), "none"}, {"onprem", prefix("3.0.0.0/8"), "gateway"}});
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ(decided(**after, "onprem", "1.2.3.4"), "None");
  EXPECT_EQ(decided(**after, "onprem", "3.2.3.4"), "gateway");
  EXPECT_EQ(decided(**after, "vnet", "1.2.3.4"), "gateway");
  EXPECT_EQ(decided(**after, "vnet", "3.2.3.4"), "no route");
  EXPECT_EQ(decided(*before, "onprem", "1.2.3.4"), "gateway") << "the old one is as it was";
  const auto winner = (*after)->zone("onprem")->table.lookup(base::parse_address("1.2.3.4").value());
  EXPECT_EQ((*after)->names[winner->source], override_source);
  EXPECT_EQ((*after)->zone("onprem")->table.covering(base::parse_address("1.2.3.4").value()).size(), 4U)
      << "the override, the two that it replaced, the half";
  EXPECT_EQ((*after)->overrides.size(), 2U);
}

TEST_F(Overrides, OtherZonesTablesAreShared) {
  const auto before = base();
  const auto after = with_overrides(*before, {{"onprem", prefix("1.0.0.0/8"), "none"}});
  ASSERT_TRUE(after) << after.error();
  EXPECT_TRUE((*after)->zone("vnet")->table.shares_with(before->zone("vnet")->table));
  EXPECT_FALSE((*after)->zone("onprem")->table.shares_with(before->zone("onprem")->table));
  const auto* changed = (*after)->zone("onprem")->table.changed_since(before->zone("onprem")->table);
  ASSERT_NE(changed, nullptr);
  EXPECT_EQ(*changed, std::vector{prefix("1.0.0.0/8")});
}

TEST_F(Overrides, ARouteThatCanNeverMatchIsRefused) {
  const auto before = base();
  const auto refused = with_overrides(*before, {{"onprem", prefix("127.1.0.0/16"), "gateway"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "127.1.0.0/16 can never match: what is for 127.0.0.0/8 is dropped");
  EXPECT_TRUE(with_overrides(*before, {{"onprem", prefix("127.1.0.0/16"), "None"}}));
  EXPECT_TRUE(with_overrides(*before, {{"onprem", prefix("126.0.0.0/7"), "gateway"}}));
}

TEST_F(Overrides, AnExceptionIsOneAtOnce) {
  const auto before = base();
  EXPECT_TRUE(before->exceptions.empty());
  const auto after = with_overrides(*before, {{"vnet", prefix("20.0.0.0/24"), "INTERNET"}});
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ((*after)->exceptions, (std::vector{prefix("20.0.0.0/24")}));
  const auto again = with_overrides(**after, {});
  ASSERT_TRUE(again) << again.error();
  EXPECT_TRUE((*again)->exceptions.empty());
}

TEST_F(Overrides, ADeletedRouteComesBack) {
  const auto before = base();
  const auto without = with_overrides(*before, {{"onprem", prefix("1.0.0.0/8"), std::nullopt}});
  ASSERT_TRUE(without) << without.error();
  EXPECT_EQ(decided(**without, "onprem", "1.2.3.4"), "firewall") << "by the half";
  EXPECT_EQ((*without)->zone("onprem")->withdrawn.size(), 2U);
  const auto again = with_overrides(**without, {{"onprem", prefix("2.0.0.0/8"), std::nullopt}});
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(decided(**again, "onprem", "1.2.3.4"), "gateway") << "the later of the two lines";
  EXPECT_EQ(decided(**again, "onprem", "2.2.3.4"), "firewall");
  const auto back = with_overrides(**again, {});
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(candidates(**back), candidates(*before));
}

TEST_F(Overrides, RefusesWhatCannotBe) {
  const auto policy = base();
  const auto refusal = [&](const Override& change) {
    const auto result = with_overrides(*policy, {change});
    return result ? std::string{"accepted"} : result.error();
  };
  EXPECT_EQ(refusal({"onprom", prefix("1.0.0.0/8"), "gateway"}), "there is no zone \"onprom\"");
  EXPECT_EQ(refusal({"onprem", prefix("1.0.0.0/8"), "gatway"}),
            "there is no next hop \"gatway\"; did you mean \"gateway\"?");
  EXPECT_EQ(refusal({"onprem", prefix("2.0.0.0/7"), "Internet"}).substr(0, 42),
            "2.0.0.0/7 is too much for an exception: ne");
  EXPECT_EQ(refusal({"onprem", prefix("9.0.0.0/8"), std::nullopt}),
            "there is no User route to 9.0.0.0/8 in zone onprem");
  EXPECT_EQ(refusal({"onprem", prefix("0.0.0.0/1"), std::nullopt}),
            "there is no User route to 0.0.0.0/1 in zone onprem")
      << "System routes are Azure's";
}

TEST_F(Overrides, StandInTheOrderOfTheirPlacesAndTheLastOfAPrefixCounts) {
  const auto after = with_overrides(*base(), {{"vnet", prefix("3.0.0.0/8"), "gateway"},
                                              {"onprem", prefix("3.0.0.0/8"), "firewall"},
                                              {"onprem", prefix("1.0.0.0/8"), std::nullopt},
                                              {"onprem", prefix("3.0.0.0/8"), "gateway"}});
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ((*after)->overrides, (std::vector<Override>{{"onprem", prefix("1.0.0.0/8"), std::nullopt},
                                                        {"onprem", prefix("3.0.0.0/8"), "gateway"},
                                                        {"vnet", prefix("3.0.0.0/8"), "gateway"}}));
}

// What both have is not touched: the table of a zone whose overrides stay is the same one.
TEST_F(Overrides, WhatBothHaveIsNotLookedAtAgain) {
  const auto first = with_overrides(*base(), {{"onprem", prefix("3.0.0.0/8"), "gateway"}}).value();
  const auto second = with_overrides(*first, {{"onprem", prefix("3.0.0.0/8"), "gateway"},
                                              {"vnet", prefix("4.0.0.0/8"), "gateway"}})
                          .value();
  EXPECT_TRUE(second->zone("onprem")->table.shares_with(first->zone("onprem")->table));
}

// Whatever came before, a policy's tables are those that its files and its overrides alone make.
TEST_F(Overrides, HaveNoMemory) {
  std::mt19937 random{11};
  const auto one_of_few = [&] { return base::Prefix{static_cast<std::uint32_t>(random() % 8U) << 24, 8}; };
  std::string routes;
  for (int i = 0; i < 60; ++i)
    routes += fmt::format("{} {}\n", base::to_string(one_of_few()), random() % 2 == 0 ? "gateway" : "None");
  const auto start = base(routes);
  auto current = start;
  for (int round = 0; round < 200; ++round) {
    std::vector<Override> overrides;
    for (auto i = random() % 5U; i != 0; --i) {
      const auto where = one_of_few();
      const auto* zone = random() % 2 == 0 ? "onprem" : "vnet";
      if (std::ranges::any_of(overrides,
                              [&](const Override& o) { return o.zone == zone && o.prefix == where; }))
        continue;
      overrides.push_back(
          {zone, where, random() % 3 == 0 ? std::nullopt : std::optional<std::string>{"firewall"}});
    }
    const auto fresh = with_overrides(*start, overrides);
    const auto next = with_overrides(*current, overrides);
    ASSERT_EQ(fresh.has_value(), next.has_value());
    if (!next)
      continue;
    ASSERT_EQ(candidates(**next), candidates(**fresh));
    for (const auto& change : overrides) {
      const auto address = base::address_to_string(change.prefix.address + 1);
      const auto expected = change.next_hop           ? "firewall"
                            : change.zone == "onprem" ? "firewall"  // by the half
                                                      : "no route";
      EXPECT_EQ(decided(**next, change.zone, address), expected);
    }
    current = *next;
  }
}

}  // namespace
}  // namespace sekisho::policy
