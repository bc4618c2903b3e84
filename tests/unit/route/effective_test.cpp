// SPDX-License-Identifier: BSD-3-Clause
#include "control/route/effective.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <random>
#include <vector>

#include "common/base/prefix.hpp"

namespace sekisho::route {
namespace {

using base::Prefix;

constexpr Prefix of_all{0, 0};
constexpr Prefix of_the_vnet{10U << 24, 16};
constexpr Prefix of_bgp{10U << 24 | 1U << 8, 24};

RouteTable table_of(const std::vector<Route>& routes) {
  RouteTable table;
  for (const auto& route : routes)
    table.add(route);
  table.finish();
  return table;
}

struct Seen {
  Route route;
  State state;
  std::optional<Route> winner;
};

std::vector<Seen> effective(const RouteTable& table) {
  std::vector<Seen> result;
  for_each_effective(table, [&](const EffectiveRoute& each) {
    result.push_back({each.route, each.state, each.winner ? std::optional{*each.winner} : std::nullopt});
  });
  return result;
}

TEST(Effective, AnEmptyTableHasNone) {
  EXPECT_TRUE(effective(table_of({})).empty());
}

TEST(Effective, AnOverriddenRouteIsInvalidAndNamesTheWinner) {
  const auto routes = effective(
      table_of({{of_all, Origin::system, NextHopType::internet}, {of_all, Origin::user, NextHopType::none}}));
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes[0].route.origin, Origin::user);
  EXPECT_EQ(routes[0].state, State::active);
  EXPECT_FALSE(routes[0].winner);
  EXPECT_EQ(routes[1].state, State::invalid);
  ASSERT_TRUE(routes[1].winner);
  EXPECT_EQ(routes[1].winner->type, NextHopType::none);
}

TEST(Effective, TheDefaultStaysActiveBesideTheHalves) {
  const auto routes =
      effective(table_of({{of_all, Origin::system}, {{0, 1}, Origin::bgp}, {{1U << 31, 1}, Origin::bgp}}));
  for (const auto& each : routes)
    EXPECT_EQ(each.state, State::active) << base::to_string(each.route.prefix);
}

TEST(Effective, AShadowedRouteNamesTheVnets) {
  const auto routes = effective(table_of({{of_the_vnet, Origin::vnet}, {of_bgp, Origin::bgp}}));
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes[0].state, State::active);
  EXPECT_EQ(routes[1].state, State::invalid);
  ASSERT_TRUE(routes[1].winner);
  EXPECT_EQ(routes[1].winner->prefix, of_the_vnet);
}

TEST(Effective, AShadowedRouteNamesAUserRouteOfItsOwnPrefixButNoSystemRoute) {
  for (const auto origin : {Origin::user, Origin::system}) {
    const auto routes =
        effective(table_of({{of_the_vnet, Origin::vnet}, {of_bgp, Origin::bgp}, {of_bgp, origin}}));
    ASSERT_EQ(routes.size(), 3U);
    EXPECT_EQ(routes[1].route.origin, origin);
    EXPECT_EQ(routes[1].state, State::active);
    EXPECT_EQ(routes[2].state, State::invalid);
    ASSERT_TRUE(routes[2].winner);
    EXPECT_EQ(routes[2].winner->prefix, origin == Origin::user ? of_bgp : of_the_vnet);
  }
}

TEST(Effective, MayBeInterrupted) {
  const auto table =
      table_of({{of_the_vnet, Origin::vnet}, {of_the_vnet, Origin::bgp}, {of_the_vnet, Origin::user}});
  EffectiveRoutes walk{table};
  std::vector<State> states;
  while (!walk.done()) {
    auto one = EffectiveRoutes{walk};  // from where the other stands
    states.push_back(one.next().state);
    walk = one;
  }
  EXPECT_EQ(states, (std::vector{State::active, State::invalid, State::invalid}));
}

// Whatever the table: what is active is what wins, and what is not names something active that is preferred.
TEST(Effective, AgreesWithTheTableOnRandomTables) {
  std::mt19937 random{3};
  constexpr std::array origins{Origin::bgp, Origin::bgp, Origin::vnet, Origin::system, Origin::user};
  for (int round = 0; round < 200; ++round) {
    RouteTable table;
    const auto count = static_cast<unsigned>(random() % 60);
    for (unsigned i = 0; i < count; ++i) {
      Prefix prefix{0, static_cast<std::uint8_t>(random() % 33)};
      prefix.address = static_cast<std::uint32_t>(random() & 0x80030003U) & prefix.mask();
      table.add({prefix, origins[random() % origins.size()], NextHopType::named, i});
    }
    table.finish();
    const auto routes = effective(table);
    ASSERT_EQ(routes.size(), table.candidates().size());
    std::vector<NameId> active;
    for (const auto& each : routes) {
      ASSERT_EQ(each.state == State::invalid, each.winner.has_value());
      if (!each.winner) {
        active.push_back(each.route.next_hop);
        continue;
      }
      const auto& winner = *each.winner;
      ASSERT_TRUE(winner.prefix.covers(each.route.prefix));
      ASSERT_GE(winner.origin, each.route.origin);
      ASSERT_TRUE(winner.prefix == each.route.prefix ||
                  (winner.origin == Origin::vnet && each.route.origin == Origin::bgp));
      ASSERT_EQ(std::ranges::count(table.winners(), winner.next_hop, &Route::next_hop), 1);
    }
    std::vector<NameId> winners;
    for (const auto& route : table.winners())
      winners.push_back(route.next_hop);
    ASSERT_EQ(active, winners);
  }
}

}  // namespace
}  // namespace sekisho::route
