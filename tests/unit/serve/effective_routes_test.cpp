// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/serve/effective_routes.hpp"
#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::serve {
namespace {

TEST(EffectiveRoutes, SayInAzuresWordsWhatIsInForceAndWhatIsNot) {
  FakeBackend backend;
  const auto routes =
      result_of(backend, {{"command", "effective-routes"}, {"zone", "onprem"}, {"winners", true}});
  EXPECT_EQ(routes.size(), backend.policy_->zone("onprem")->table.candidates().size());
  const auto of = [&](std::string_view prefix) {
    std::vector<Json> result;
    std::ranges::copy_if(routes, std::back_inserter(result),
                         [&](const Json& route) { return route["addressPrefix"] == Json::array({prefix}); });
    return result;
  };
  const auto half = of("0.0.0.0/1");
  ASSERT_EQ(half.size(), 1U);
  EXPECT_EQ(half[0], Json::parse(R"({"addressPrefix": ["0.0.0.0/1"], "destinationServiceTags": [],
      "disableBgpRoutePropagation": false, "hasBgpOverride": false, "name": null,
      "nextHopIpAddress": ["10.0.2.10", "10.0.2.11"], "nextHopType": "VirtualApplianceEcmp", "source": "Default",
      "state": "Active", "tagMap": {}, "overriddenBy": null})"));
  EXPECT_EQ(of("9.0.0.0/8")[0]["nextHopType"], "Internet");
  const auto private_space = of("10.0.0.0/8");
  ASSERT_EQ(private_space.size(), 2U);
  EXPECT_EQ(private_space[0]["nextHopType"], "VirtualAppliance");
  EXPECT_EQ(private_space[0]["nextHopIpAddress"], Json::array({"10.0.1.20"}));
  EXPECT_EQ(private_space[1]["nextHopType"], "None");
  EXPECT_EQ(private_space[1]["state"], "Invalid");
  EXPECT_EQ(private_space[1]["overriddenBy"],
            Json::parse(R"({"addressPrefix": ["10.0.0.0/8"], "nextHopIpAddress": ["10.0.1.20"],
                            "nextHopType": "VirtualAppliance", "source": "User"})"));
  const auto plain = result_of(backend, {{"command", "effective-routes"}, {"zone", "onprem"}});
  EXPECT_FALSE(plain[0].contains("overriddenBy"));
}

TEST(EffectiveRoutes, PagesHoldEveryRouteOnce) {
  constexpr auto many = 2 * EffectivePages::page_size;
  FakeBackend backend{many};
  std::set<std::string> seen;
  for (const auto& route : result_of(backend, {{"command", "effective-routes"}, {"zone", "internet"}})) {
    EXPECT_TRUE(seen.insert(route["addressPrefix"][0].get<std::string>()).second);
  }
  EXPECT_EQ(seen.size(), many + 1 + 2);  // the way back, and the platform's two addresses
}

TEST(EffectiveRoutes, RefuseWhatIsNoZone) {
  FakeBackend backend;
  EXPECT_EQ(error_of(backend, {{"command", "effective-routes"}, {"zone", "dmz"}}),
            "there is no zone \"dmz\"");
  EXPECT_EQ(error_of(backend, {{"command", "effective-routes"}}), "there is no zone \"\"");
  EXPECT_EQ(error_of(backend, {{"command", "effective-routes"}, {"zone", 1}}), "\"zone\" must be a string");
  EXPECT_EQ(error_of(backend, {{"command", "effective-routes"}, {"winners", 1}}),
            "\"winners\" must be true or false");
}

// A gateway's route has a row for each address, as Azure prints it; one that a user wrote has one row for all.
TEST(EffectiveRoutes, OfBgpHaveARowANextHop) {
  auto table = std::make_shared<route::RouteTable>();
  table->add({{0, 1}, route::Origin::bgp, route::NextHopType::virtual_network_gateway});
  table->add({{0, 0}, route::Origin::user, route::NextHopType::virtual_appliance_ecmp});
  table->finish();
  const std::vector<std::uint32_t> addresses{address("10.1.0.6"), address("10.1.0.7")};
  EffectivePages pages{table,
                       [&](const route::Route& route) -> AzureWords {
                         return {.type = route.type, .addresses = addresses, .name = "r1"};
                       },
                       {.takes_bgp = false}};
  const auto page = pages.next();
  EXPECT_FALSE(pages.more());
  ASSERT_EQ(page.size(), 3U);
  EXPECT_EQ(page[0]["nextHopIpAddress"].size(), 2U);
  EXPECT_EQ(page[0]["name"], "r1");
  EXPECT_EQ(page[0]["disableBgpRoutePropagation"], true);
  EXPECT_EQ(page[1]["nextHopIpAddress"], Json::array({"10.1.0.6"}));
  EXPECT_EQ(page[2]["nextHopIpAddress"], Json::array({"10.1.0.7"}));
  EXPECT_EQ(page[2]["source"], "VirtualNetworkGateway");
}

// A name comes from a file: quotes, control bytes and what is no UTF-8 must not break the document.
TEST(EffectiveRoutes, MayHaveAnyName) {
  for (const auto& [name, expected] :
       {std::pair{"\"a\\\n", "\"a\\\n"}, {"\xff", "\xef\xbf\xbd"}, {"é", "é"}}) {
    auto table = std::make_shared<route::RouteTable>();
    table->add({{0, 0}, route::Origin::user, route::NextHopType::none});
    table->finish();
    EffectivePages pages{table, [&](const route::Route&) -> AzureWords { return {.name = name}; }, {}};
    EXPECT_EQ(pages.next()[0]["name"], expected);
  }
}

}  // namespace
}  // namespace sekisho::serve
