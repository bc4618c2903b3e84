#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "control/route/route_table.hpp"

namespace sekisho::route {
namespace {

using fib::Prefix;

auto identity(const Route& route) {
  return std::tuple{route.prefix.address, route.prefix.length, route.origin,
                    route.next_hop,       route.source,        route.line};
}

auto identities(const std::vector<Route>& routes) {
  std::vector<decltype(identity(Route{}))> result;
  std::ranges::transform(routes, std::back_inserter(result), identity);
  return result;
}

// Selection in the words of its definition: no sorting, no search.
class Model {
 public:
  explicit Model(std::vector<Route> routes) : routes_(std::move(routes)) {}

  static bool beats(const Route& a, std::size_t added_a, const Route& b, std::size_t added_b) {
    if (a.prefix.length != b.prefix.length)
      return a.prefix.length > b.prefix.length;
    if (a.origin != b.origin)
      return a.origin > b.origin;
    return added_a > added_b;
  }

  std::vector<Route> covering(std::uint32_t address) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      if (routes_[i].prefix.covers(address))
        found.push_back(i);
    }
    std::ranges::sort(found, [&](auto a, auto b) { return beats(routes_[a], a, routes_[b], b); });
    std::vector<Route> result;
    for (const auto i : found)
      result.push_back(routes_[i]);
    return result;
  }

  std::vector<Route> winners() const {
    std::map<Prefix, std::size_t> best;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      const auto [entry, added] = best.try_emplace(routes_[i].prefix, i);
      if (!added && beats(routes_[i], i, routes_[entry->second], entry->second))
        entry->second = i;
    }
    std::vector<Route> result;
    for (const auto& [prefix, i] : best)
      result.push_back(routes_[i]);
    return result;
  }

  std::size_t duplicates() const {
    std::map<std::pair<Prefix, Origin>, std::size_t> seen;
    std::size_t result = 0;
    for (const auto& route : routes_)
      result += seen[{route.prefix, route.origin}]++ != 0;
    return result;
  }

 private:
  std::vector<Route> routes_;
};

// Prefixes from a narrow space, so that they cover and repeat each other.
std::vector<Route> random_routes(std::mt19937& random, std::size_t count) {
  std::vector<Route> routes;
  for (unsigned i = 0; i < count; ++i) {
    Prefix prefix{0, static_cast<std::uint8_t>(random() % 33)};
    prefix.address =
        static_cast<std::uint32_t>((random() & 0x80000007U) | (random() & 0x00070000U)) & prefix.mask();
    constexpr std::array origins{Origin::system, Origin::bgp, Origin::user};
    routes.push_back({prefix, origins[random() % origins.size()], NextHopType::named,
                      static_cast<NameId>(random() % 5), static_cast<NameId>(random() % 3), i});
  }
  return routes;
}

bool by_prefix(const Route& a, const Route& b) {
  return a.prefix < b.prefix;
}

TEST(RouteTable, AgreesWithTheDefinitionOnRandomTables) {
  std::mt19937 random{2};
  for (int round = 0; round < 300; ++round) {
    auto routes = random_routes(random, random() % 200);
    if (round % 2 == 0) {  // as tables mostly come: some sorted lists, one behind the other
      const auto cut = routes.begin() + static_cast<std::ptrdiff_t>(random() % (routes.size() + 1));
      std::stable_sort(routes.begin(), cut, by_prefix);
      std::stable_sort(cut, routes.end(), by_prefix);
    }
    RouteTable table;
    for (const auto& route : routes)
      table.add(route);
    table.finish();
    const Model model{routes};
    ASSERT_EQ(table.candidates().size(), routes.size());
    ASSERT_EQ(identities(table.winners()), identities(model.winners()));
    ASSERT_EQ(table.duplicates(), model.duplicates());
    for (int i = 0; i < 50; ++i) {
      const auto address = static_cast<std::uint32_t>((random() & 0x80000007U) | (random() & 0x00070000U));
      const auto covering = model.covering(address);
      ASSERT_EQ(identities(table.covering(address)), identities(covering));
      const auto found = table.lookup(address);
      ASSERT_EQ(found.has_value(), !covering.empty());
      if (found) {
        ASSERT_EQ(identity(*found), identity(covering.front()));
      }
    }
  }
}

TEST(RouteTable, UserBeatsBgpBeatsSystemInWhateverOrderTheyCame) {
  const Prefix prefix{10U << 24, 8};
  std::vector<Origin> origins{Origin::system, Origin::bgp, Origin::user};
  do {
    RouteTable table;
    for (const auto origin : origins)
      table.add({prefix, origin});
    table.finish();
    const auto covering = table.covering(prefix.address + 1);
    ASSERT_EQ(covering.size(), 3U);
    EXPECT_EQ(covering[0].origin, Origin::user);
    EXPECT_EQ(covering[1].origin, Origin::bgp);
    EXPECT_EQ(covering[2].origin, Origin::system);
    EXPECT_EQ(table.duplicates(), 0U);
  } while (std::ranges::next_permutation(origins).found);
}

TEST(RouteTable, ALongerPrefixOfTheSystemBeatsAShorterOfTheUser) {
  RouteTable table;
  table.add({{10U << 24, 8}, Origin::user, NextHopType::named, 1});
  table.add({{10U << 24, 16}, Origin::system, NextHopType::named, 2});
  table.finish();
  EXPECT_EQ(table.lookup(10U << 24 | 5)->next_hop, 2U);
  EXPECT_EQ(table.lookup(10U << 24 | 1U << 16)->next_hop, 1U);
}

TEST(RouteTable, TheLastOfTheSamePrefixAndOriginWins) {
  RouteTable table;
  for (unsigned i = 0; i < 3; ++i)
    table.add({{10U << 24, 8}, Origin::user, NextHopType::named, i, 0, i});
  table.finish();
  EXPECT_EQ(table.lookup(10U << 24)->next_hop, 2U);
  EXPECT_EQ(table.duplicates(), 2U);
  ASSERT_EQ(table.winners().size(), 1U);
}

TEST(RouteTable, MergesSortedListsThatRepeatEachOther) {
  constexpr unsigned count = 1000;
  RouteTable table;
  for (unsigned list = 0; list < 3; ++list) {
    for (unsigned i = 0; i < count; ++i)
      table.add({{i << 8, 24}, list == 1 ? Origin::user : Origin::system, NextHopType::named, list, 0, i});
  }
  table.finish();
  EXPECT_EQ(table.duplicates(), count);
  const auto& routes = table.candidates();
  ASSERT_EQ(routes.size(), 3 * count);
  for (unsigned i = 0; i < count; ++i) {
    ASSERT_EQ(routes[3 * i].line, i);
    ASSERT_EQ(routes[3 * i].next_hop, 1U);
    ASSERT_EQ(routes[3 * i + 1].next_hop, 2U) << "the last of the System routes";
    ASSERT_EQ(routes[3 * i + 2].next_hop, 0U);
  }
}

TEST(RouteTable, HalvesCoverEverythingAndAnEmptyTableNothing) {
  RouteTable empty;
  empty.finish();
  EXPECT_FALSE(empty.lookup(0));
  EXPECT_TRUE(empty.covering(0xffffffff).empty());
  EXPECT_TRUE(empty.winners().empty());

  RouteTable halves;
  halves.add({{1U << 31, 1}, Origin::system, NextHopType::named, 1});
  halves.add({{0, 1}, Origin::system, NextHopType::named, 0});
  halves.finish();
  EXPECT_EQ(halves.lookup(0)->next_hop, 0U);
  EXPECT_EQ(halves.lookup(0x7fffffff)->next_hop, 0U);
  EXPECT_EQ(halves.lookup(0x80000000)->next_hop, 1U);
  EXPECT_EQ(halves.lookup(0xffffffff)->next_hop, 1U);
}

TEST(Names, AreKeptOnce) {
  Names names;
  const auto a = names.intern("firewall");
  const auto b = names.intern("None");
  EXPECT_NE(a, b);
  EXPECT_EQ(names.intern("firewall"), a);
  EXPECT_EQ(names[a], "firewall");
  EXPECT_EQ(names[b], "None");
  EXPECT_EQ(names.size(), 2U);
}

TEST(Origin, IsWrittenAsAzureWritesIt) {
  EXPECT_EQ(to_string(Origin::system), "System");
  EXPECT_EQ(to_string(Origin::bgp), "BGP");
  EXPECT_EQ(to_string(Origin::user), "User");
}

}  // namespace
}  // namespace sekisho::route
