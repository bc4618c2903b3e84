// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/serve/routes.hpp"
#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::serve {
namespace {

std::vector<std::string> prefixes(const Json& routes) {
  std::vector<std::string> result;
  for (const auto& route : routes) {
    result.push_back(route["prefix"].get<std::string>());
  }
  return result;
}

TEST(Routes, WinnersOnlyInOrder) {
  FakeBackend backend;
  const auto routes = result_of(backend, {{"command", "show"}, {"what", "routes"}, {"zone", "onprem"}});
  EXPECT_THAT(prefixes(routes),
              testing::ElementsAre("0.0.0.0/1", "9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/16", "100.64.0.0/10",
                                   "128.0.0.0/1", "168.63.129.16/32", "169.254.169.254/32", "172.16.0.0/12",
                                   "192.168.0.0/16"));
  EXPECT_EQ(routes[2]["next_hop"], "vnet");      // User before System
  EXPECT_EQ(routes[3]["next_hop"], "firewall");  // the last of two
}

TEST(Routes, PrefixAndLonger) {
  FakeBackend backend;
  Json request{{"command", "show"}, {"what", "routes"}, {"zone", "onprem"}, {"prefix", "10.0.0.0/8"}};
  EXPECT_THAT(prefixes(result_of(backend, request)), testing::ElementsAre("10.0.0.0/8"));
  request["longer"] = true;
  EXPECT_THAT(prefixes(result_of(backend, request)), testing::ElementsAre("10.0.0.0/8", "10.0.0.0/16"));
  request["prefix"] = "0.0.0.0/0";
  EXPECT_EQ(result_of(backend, request).size(), 10U);
  request["prefix"] = "11.0.0.0/8";
  EXPECT_EQ(error_of(backend, request), "no route to 11.0.0.0/8");
  request.erase("zone");
  request["prefix"] = "172.16.0.0/12";  // in both zones
  EXPECT_EQ(result_of(backend, request).size(), 2U);
}

TEST(Routes, PagesHoldEveryRouteOnce) {
  constexpr std::size_t others = 3;  // of the zone: one that is written, Azure's host addresses
  for (const auto extra : {RoutePages::page_size - others - 1, RoutePages::page_size - others,
                           RoutePages::page_size - others + 1, 3 * RoutePages::page_size}) {
    FakeBackend backend{extra};
    auto pages = RoutePages::open(backend.policy(), backend.view(),
                                  {.zone = "internet", .prefix = {}, .longer = false})
                     .value();
    std::set<std::string> seen;
    std::size_t count = 0;
    do {
      const auto page = pages.next();
      EXPECT_LE(page.size(), RoutePages::page_size);
      EXPECT_FALSE(page.empty());
      count += page.size();
      for (auto& prefix : prefixes(page)) {
        seen.insert(std::move(prefix));
      }
    } while (pages.more());
    EXPECT_EQ(count, extra + others);
    EXPECT_EQ(seen.size(), extra + others);
  }
}

}  // namespace
}  // namespace sekisho::serve
