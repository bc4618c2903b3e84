// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "common/base/special_address.hpp"
#include "control/route/martians.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::route {
namespace {

using base::Prefix;

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
  explicit Model(std::vector<Route> routes) : routes_(std::move(routes)) {
    std::vector<Prefix> shadows;
    for (const auto& route : routes_) {
      if (route.origin == Origin::vnet && !is_overridden(route.prefix))
        shadows.push_back(route.prefix);
    }
    for (const auto& route : routes_) {
      const auto covers = [&](Prefix shadow) { return shadow.covers(route.prefix); };
      shadowed_.push_back(route.origin == Origin::bgp && std::ranges::any_of(shadows, covers));
    }
  }

  std::vector<Route> covering(std::uint32_t address) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      if (routes_[i].prefix.covers(address))
        found.push_back(i);
    }
    std::ranges::sort(
        found, [&](auto a, auto b) { return shadowed_[a] != shadowed_[b] ? shadowed_[b] : beats(a, b); });
    std::vector<Route> result;
    for (const auto i : found)
      result.push_back(routes_[i]);
    return result;
  }

  std::vector<Route> winners() const {
    std::map<Prefix, std::size_t> best;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      if (shadowed_[i])
        continue;
      const auto [entry, added] = best.try_emplace(routes_[i].prefix, i);
      if (!added && beats(i, entry->second))
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
  bool beats(std::size_t a, std::size_t b) const {
    if (routes_[a].prefix.length != routes_[b].prefix.length)
      return routes_[a].prefix.length > routes_[b].prefix.length;
    if (routes_[a].origin != routes_[b].origin)
      return routes_[a].origin > routes_[b].origin;
    return a > b;
  }
  bool is_overridden(Prefix vnet) const {
    return std::ranges::any_of(
        routes_, [&](const Route& other) { return other.prefix == vnet && is_user(other.origin); });
  }

  std::vector<Route> routes_;
  std::vector<bool> shadowed_;
};

// Prefixes from a narrow space, so that they cover and repeat each other.
std::vector<Route> random_routes(std::mt19937& random, std::size_t count) {
  std::vector<Route> routes;
  for (unsigned i = 0; i < count; ++i) {
    Prefix prefix{0, static_cast<std::uint8_t>(random() % 33)};
    prefix.address =
        static_cast<std::uint32_t>((random() & 0x80000007U) | (random() & 0x00070000U)) & prefix.mask();
    // Mostly those that shadow and are shadowed: each of the rest is one more that covers them up.
    constexpr std::array origins{Origin::bgp,
                                 Origin::bgp,
                                 Origin::bgp,
                                 Origin::vnet,
                                 Origin::system,
                                 Origin::user_cloud_tag,
                                 Origin::user_regional_cloud_tag,
                                 Origin::user_tag,
                                 Origin::user_regional_tag,
                                 Origin::user};
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
    std::vector<Route> active;
    std::ranges::copy(table.active(), std::back_inserter(active));
    ASSERT_EQ(identities(active), identities(model.winners()));
    ASSERT_EQ(table.duplicates(), model.duplicates());
    for (int i = 0; i < 20; ++i) {
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

// Of prefixes that are not among these.
auto winners_elsewhere(const RouteTable& table, const std::vector<Prefix>& prefixes) {
  auto winners = table.winners();
  std::erase_if(winners,
                [&](const Route& route) { return std::ranges::binary_search(prefixes, route.prefix); });
  return identities(winners);
}

// What covers up, or uncovers, a route that shadows others is among what is exchanged.
TEST(RouteTable, WithOtherRoutesItIsAsIfItWereBuiltOfThem) {
  std::mt19937 random{3};
  int known = 0;
  for (int round = 0; round < 300; ++round) {
    const auto routes = random_routes(random, 1 + random() % 200);
    std::map<Prefix, std::vector<Route>> others;
    for (auto& route : random_routes(random, random() % 10))
      others[route.prefix].push_back(route);
    for (auto i = random() % 10; i != 0; --i)
      others.try_emplace(routes[random() % routes.size()].prefix);
    RouteTable table;
    std::vector<Route> expected;
    for (const auto& route : routes) {
      table.add(route);
      if (!others.contains(route.prefix))
        expected.push_back(route);
    }
    table.finish();
    for (const auto& [prefix, group] : others)
      expected.insert(expected.end(), group.begin(), group.end());
    RouteTable built;
    for (const auto& route : expected)
      built.add(route);
    built.finish();
    const auto before = identities(table.candidates());
    const auto changed = table.with(others);
    ASSERT_EQ(identities(changed.candidates()), identities(built.candidates()));
    ASSERT_EQ(identities(changed.winners()), identities(built.winners()));
    ASSERT_EQ(changed.duplicates(), built.duplicates());
    ASSERT_EQ(identities(table.candidates()), before);
    if (const auto* prefixes = changed.changed_since(table)) {
      ++known;
      ASSERT_EQ(winners_elsewhere(changed, *prefixes), winners_elsewhere(table, *prefixes));
    }
  }
  EXPECT_GT(known, 50);
  EXPECT_LT(known, 250) << "a route that shadows others was among them";
}

TEST(RouteTable, KnowsWhereItDiffersFromTheOneThatItIsMadeOf) {
  const Prefix changed_prefix{20U << 24, 8};
  RouteTable table;
  table.add({{}, Origin::system, NextHopType::internet});
  table.add({{10U << 24, 8}, Origin::system_none, NextHopType::none});
  table.finish();
  auto other = table.with({{changed_prefix, {{changed_prefix, Origin::user}}}});
  ASSERT_NE(other.changed_since(table), nullptr);
  EXPECT_EQ(*other.changed_since(table), std::vector{changed_prefix});
  EXPECT_EQ(table.changed_since(other), nullptr) << "that is not asked";
  EXPECT_EQ(other.with({}).changed_since(table), nullptr) << "of one between them";
  other.add({{30U << 24, 8}, Origin::user});
  EXPECT_EQ(other.changed_since(table), nullptr) << "it got more";
  // A default to an appliance takes away the None routes, and they come back when it goes.
  const auto with_default = table.with({{Prefix{}, {{Prefix{}, Origin::user}}}});
  EXPECT_EQ(with_default.winners().size(), 1U);
  EXPECT_EQ(with_default.changed_since(table), nullptr);
  const auto without = with_default.with({{Prefix{}, {}}});
  EXPECT_EQ(without.winners().size(), 1U);
  EXPECT_EQ(without.changed_since(with_default), nullptr);
}

TEST(RouteTable, KnowsNothingOfOneThatIsNotAnyMoreWhatItWasMadeOf) {
  const Prefix prefix{20U << 24, 8};
  RouteTable table;
  table.finish();
  const auto other = table.with({{prefix, {{prefix, Origin::user}}}});
  table.add({{30U << 24, 8}, Origin::user});
  table.finish();
  EXPECT_EQ(other.changed_since(table), nullptr);
  const auto taken = std::move(table);
  EXPECT_EQ(taken.changed_since(table), nullptr) << "which has nothing any more";
  // One that is gone, and others that may stand where it stood.
  std::optional<RouteTable> gone{std::in_place};
  gone->finish();
  const auto orphan = gone->with({{prefix, {{prefix, Origin::user}}}});
  gone.reset();
  std::vector<RouteTable> many(1000);
  for (const auto& each : many)
    EXPECT_EQ(orphan.changed_since(each), nullptr);
}

TEST(RouteTable, CopiesShareTheirRoutesUntilOneOfThemGetsMore) {
  RouteTable table;
  table.add({{0x0a000000, 8}});
  auto copy = table;
  EXPECT_TRUE(copy.shares_with(table));
  copy.add({{0x0b000000, 8}});
  EXPECT_FALSE(copy.shares_with(table));
  EXPECT_EQ(table.candidates().size(), 1U);
  EXPECT_EQ(copy.candidates().size(), 2U);
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

constexpr Prefix vnet{10U << 24, 16};
constexpr Prefix inside{10U << 24 | 1U << 8, 24};
constexpr std::uint32_t host_inside = inside.address + 4;

// "System routes for traffic related to virtual network, virtual network peerings, or virtual network service endpoints are
// preferred routes. They are preferred, even if BGP routes are more specific."
TEST(RouteTable, ARouteOfTheVnetShadowsWhatBgpSaysInside) {
  RouteTable table;
  table.add({inside, Origin::bgp});
  table.add({vnet, Origin::vnet});
  table.add({vnet, Origin::bgp});
  table.add({{10U << 24, 8}, Origin::bgp});
  table.finish();
  EXPECT_EQ(table.lookup(host_inside)->origin, Origin::vnet);
  const auto covering = table.covering(host_inside);
  ASSERT_EQ(covering.size(), 4U);
  EXPECT_EQ(covering[0].origin, Origin::vnet);
  EXPECT_EQ(covering[1].prefix.length, 8) << "it covers the VNet and lost by its length alone";
  EXPECT_EQ(table.shadow(covering[1]), nullptr);
  EXPECT_EQ(covering[2].prefix, inside);
  EXPECT_EQ(covering[3].prefix, vnet);
  for (const auto i : {2U, 3U}) {
    ASSERT_NE(table.shadow(covering[i]), nullptr);
    EXPECT_EQ(table.shadow(covering[i])->origin, Origin::vnet);
  }
  EXPECT_EQ(table.winners().size(), 2U);
}

TEST(RouteTable, AnOverriddenRouteOfTheVnetShadowsNothing) {
  RouteTable table;
  table.add({inside, Origin::bgp});
  table.add({vnet, Origin::vnet});
  table.add({vnet, Origin::user});
  table.finish();
  EXPECT_EQ(table.lookup(host_inside)->origin, Origin::bgp);
  EXPECT_EQ(table.lookup(vnet.address)->origin, Origin::user);
}

TEST(RouteTable, AUserRouteIsNeverShadowed) {
  RouteTable table;
  table.add({inside, Origin::user_cloud_tag});
  table.add({inside, Origin::bgp});
  table.add({vnet, Origin::vnet});
  table.finish();
  EXPECT_EQ(table.lookup(host_inside)->origin, Origin::user_cloud_tag);
}

TEST(RouteTable, ASystemRouteComesIntoForceWhereBgpsIsShadowed) {
  RouteTable table;
  table.add({inside, Origin::system});
  table.add({inside, Origin::bgp});
  table.add({vnet, Origin::vnet});
  table.finish();
  EXPECT_EQ(table.lookup(host_inside)->origin, Origin::system);
  EXPECT_EQ(table.candidates().back().origin, Origin::bgp) << "winner first";
}

// Azure has None routes for private space only while the winning default leads to the Internet or to None.
TEST(RouteTable, ADefaultToAnApplianceTakesAwayTheSystemsNone) {
  constexpr base::Prefix all{0, 0};
  struct Case {
    const char* what;
    std::vector<Route> defaults;
    bool stays;
  };
  const std::vector<Case> cases{
      {"no default", {}, true},
      {"Azure's own", {{all, Origin::system, NextHopType::internet}}, true},
      {"a user's to the Internet", {{all, Origin::user, NextHopType::internet}}, true},
      {"a user's to None", {{all, Origin::user, NextHopType::none}}, true},
      {"a user's to an appliance", {{all, Origin::user, NextHopType::virtual_appliance}}, false},
      {"a user's to a name", {{all, Origin::user, NextHopType::named}}, false},
      {"learned", {{all, Origin::bgp, NextHopType::virtual_network_gateway}}, false},
      {"learned, and a user's to the Internet wins",
       {{all, Origin::bgp, NextHopType::virtual_network_gateway}, {all, Origin::user, NextHopType::internet}},
       true},
      {"the halves alone", {{{0, 1}, Origin::user}, {{1U << 31, 1}, Origin::user}}, true},
  };
  for (const auto& test : cases) {
    RouteTable table;
    table.add({vnet, Origin::system_none, NextHopType::none});
    for (const auto& route : test.defaults) {
      table.add(route);
    }
    table.finish();
    const auto found = table.lookup(host_inside);
    EXPECT_EQ(found && found->origin == Origin::system_none, test.stays) << test.what;
    EXPECT_EQ(table.covering(host_inside).front().origin == Origin::system_none, test.stays) << test.what;
    // And as well where the default is put in later, and taken out again.
    RouteTable bare;
    bare.add({vnet, Origin::system_none, NextHopType::none});
    bare.finish();
    std::map<base::Prefix, std::vector<Route>> others;
    for (const auto& route : test.defaults) {
      others[route.prefix].push_back(route);
    }
    const auto later = bare.with(others);
    const auto then = later.lookup(host_inside);
    EXPECT_EQ(then && then->origin == Origin::system_none, test.stays) << test.what;
    for (auto& [prefix, routes] : others) {
      routes.clear();
    }
    EXPECT_EQ(later.with(others).lookup(host_inside)->origin, Origin::system_none) << test.what;
  }
}

TEST(RouteTable, OfNestedVnetsTheOneInForceShadows) {
  RouteTable table;
  table.add({{10U << 24, 8}, Origin::vnet});
  table.add({{10U << 24, 12}, Origin::vnet});
  table.add({{10U << 24, 12}, Origin::user});
  table.add({inside, Origin::bgp});
  table.add({{11U << 24, 8}, Origin::bgp});
  table.finish();
  EXPECT_EQ(table.lookup(host_inside)->origin, Origin::user) << "the /12; the /8 is in force and shadows";
  EXPECT_EQ(table.lookup(11U << 24)->origin, Origin::bgp) << "behind the shadow";
  const auto* shadow = table.shadow({inside, Origin::bgp});
  ASSERT_NE(shadow, nullptr);
  EXPECT_EQ(shadow->prefix.length, 8);
}

// "explicit UDR > regional tag > top-level tag > AzureCloud.region > AzureCloud"
TEST(RouteTable, AmongUserRoutesTheCloserTagWins) {
  std::vector<Origin> origins{Origin::user,
                              Origin::user_regional_tag,
                              Origin::user_tag,
                              Origin::user_regional_cloud_tag,
                              Origin::user_cloud_tag,
                              Origin::vnet,
                              Origin::bgp,
                              Origin::system};
  RouteTable table;
  for (auto i = origins.rbegin(); i != origins.rend(); ++i)
    table.add({vnet, *i});
  table.finish();
  std::vector<Origin> found;
  for (const auto& route : table.candidates())
    found.push_back(route.origin);
  EXPECT_EQ(found, origins);
  EXPECT_EQ(table.duplicates(), 0U);
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

// Against what the dataplane asks of each packet.
TEST(Martians, AreThePrefixesOfWhichNoAddressIsForwardedTo) {
  constexpr std::uint32_t somebody = 0x0101'0101;
  const auto is_dropped = [](std::uint32_t address) {
    return base::check_addresses(somebody, address) != base::AddressFault::none;
  };
  for (unsigned length = 0; length <= 16; ++length) {
    for (std::uint64_t number = 0; number < std::uint64_t{1} << length; ++number) {
      const auto address = static_cast<std::uint32_t>(number << (32 - length));
      const Prefix prefix{length == 0 ? 0 : address, static_cast<std::uint8_t>(length)};
      const auto last = prefix.address | (length == 0 ? ~0U : ~0U >> length);
      // The blocks begin and end at /16s: in between there is nothing else.
      bool is_martian = is_dropped(prefix.address) && is_dropped(last);
      for (std::uint64_t inside = prefix.address; is_martian && inside <= last; inside += 1U << 16)
        is_martian = is_dropped(static_cast<std::uint32_t>(inside));
      const auto block = martian_block(prefix);
      ASSERT_EQ(block.has_value(), is_martian) << to_string(prefix);
      ASSERT_TRUE(!block || block->covers(prefix)) << to_string(prefix);
    }
  }
}

TEST(Origin, IsWrittenAsAzureWritesIt) {
  EXPECT_EQ(to_string(Origin::system), "System");
  EXPECT_EQ(to_string(Origin::bgp), "BGP");
  EXPECT_EQ(to_string(Origin::vnet), "System");
  EXPECT_EQ(to_string(Origin::user_cloud_tag), "User");
  EXPECT_EQ(to_string(Origin::user), "User");
}

}  // namespace
}  // namespace sekisho::route
