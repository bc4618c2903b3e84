// SPDX-License-Identifier: BSD-3-Clause
// Differences between states: the dataplane's own code makes of them what it makes of a full transaction.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <ranges>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/sync/route_difference.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane/writer/transaction.hpp"
#include "tests/unit/sync/world.hpp"

namespace sekisho::sync {
namespace {

using namespace world;
using testing::IsEmpty;

// What the dataplane makes of transactions: its own checks, and what they say is afterwards.
class Dataplane : public writer::RunningRoutes {
 public:
  std::optional<std::string_view> find(const std::string& zone, base::Prefix prefix) const override {
    const auto table = tables.find(zone);
    if (table == tables.end()) {
      return std::nullopt;
    }
    const auto route = table->second.find({prefix.address, prefix.length});
    return route == table->second.end() ? std::nullopt : std::optional<std::string_view>(route->second);
  }
  std::size_t count(const std::string& zone, const std::string& next_hop) const override {
    const auto leads = [&](const auto& route) { return route.second == next_hop; };
    return static_cast<std::size_t>(std::ranges::count_if(tables.at(zone), leads));
  }

  // The refusal, or nothing.
  std::string commit(bool is_full, const std::vector<ipc::Change>& changes) {
    writer::Transaction transaction(is_full, configuration);
    for (const auto& change : changes) {
      if (const auto done = transaction.add(change); !done) {
        return done.error();
      }
    }
    auto target = std::move(transaction).finish(*this);
    if (!target) {
      return target.error();
    }
    std::map<std::string, Table> next;
    for (const auto& [zone, spec] : target->configuration.zones) {
      const auto changed = target->tables.find(zone);
      if (changed == target->tables.end() || !changed->second.replace) {
        next[zone] = tables[zone];
      }
      for (const auto& route :
           changed == target->tables.end() ? std::vector<writer::NamedRoute>{} : changed->second.routes) {
        const std::pair key{route.prefix.address, unsigned{route.prefix.length}};
        if (route.next_hop == writer::withdraw) {
          next[zone].erase(key);
        } else {
          next[zone][key] = target->next_hop_names[value_of(route.next_hop)];
        }
      }
    }
    configuration = std::move(target->configuration);
    tables = std::move(next);
    return {};
  }

  bool operator==(const Dataplane& other) const {
    const auto& a = configuration;
    const auto& b = other.configuration;
    return a.ports == b.ports && a.adjacencies == b.adjacencies && a.next_hops == b.next_hops &&
           a.zones == b.zones && a.exit == b.exit && tables == other.tables;
  }

  writer::Configuration configuration;
  std::map<std::string, Table> tables;
};

Dataplane dataplane_with(const policy::Policy& policy, const View& view) {
  Dataplane dataplane;
  EXPECT_EQ(dataplane.commit(true, full(policy, view)), "");
  return dataplane;
}

// Small worlds in which the same few names and prefixes come up again and again, so that two of them differ and agree in
// every way.
class RandomWorld {
 public:
  explicit RandomWorld(unsigned seed) : random_(seed) {}

  std::pair<policy::Policy, View> next() {
    std::pair<policy::Policy, View> result;
    auto& [policy, view] = result;
    for (const auto* name : {"a", "b", "c"}) {
      if (name == std::string_view("a") || maybe()) {
        const auto device = std::string("af_xdp:") + (maybe() ? name : std::string(name) + "0");
        policy.config.ports.push_back({.name = name, .device = device});
        view.ports.push_back({name, maybe() ? "1" : "2", {address(), 0x0a0000ff}});
      }
    }
    for (const auto& port : view.ports) {
      view.unicast.push_back(port.local.front());
    }
    std::ranges::sort(view.unicast);
    const auto same = std::ranges::unique(view.unicast);
    view.unicast.erase(same.begin(), same.end());
    if (maybe()) {
      view.connected.push_back({{0x0a000000, 30}, any_port(policy)});
    }
    if (maybe()) {
      view.connected.push_back({{0x0a000080, 29}, any_port(policy)});
    }
    if (maybe()) {
      view.exit = reach::Exit{.port = any_port(policy), .ready = maybe()};
    }
    std::set<std::uint32_t> members;
    for (const auto* name : {"firewall", "gateway", "other"}) {
      if (name == std::string_view("firewall") || maybe()) {
        std::set<std::uint32_t> some{gateway(), gateway()};
        policy.config.next_hops.push_back({.name = name, .members = {some.begin(), some.end()}});
        members.insert(some.begin(), some.end());
      }
    }
    for (const auto member : members) {
      const bool known = maybe();
      view.members.push_back({maybe() ? any_port(policy) : "", member,
                              known ? std::optional(mac) : std::nullopt, known && maybe(), "why"});
    }
    for (const std::uint32_t host : {0x0a000001U, 0x0a000081U, 0x0a000083U}) {
      if (maybe() && reach::has_host(view.connected, host)) {
        add_host(view, host, any_port(policy));
      }
    }
    free_sources_ = {
        {0xac100000, 16}, {0xac110000, 16}, {0xac120000, 16}, {0xc0000200, 24}, {0xc6336400, 24}};
    for (const auto* name : {"onprem", "vnet", "late"}) {
      if (maybe()) {
        policy.zones.push_back(zone_named(name, policy, view));
      }
    }
    return result;
  }

  // The same policy, a few prefixes of some zones have other routes, or none.
  policy::Policy with_other_routes(policy::Policy policy) {
    std::vector<std::string> next_hops{"None"};
    std::ranges::transform(policy.config.next_hops, std::back_inserter(next_hops), &config::NextHop::name);
    for (auto& zone : policy.zones) {
      std::map<base::Prefix, std::vector<route::Route>> others;
      for (unsigned i = below(6); i != 0; --i) {
        const auto route = random_route(policy, next_hops);
        auto& group = others[route.prefix];
        if (maybe()) {
          group.push_back(route);
        }
      }
      zone.table = zone.table.with(others);
    }
    return policy;
  }

 private:
  unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }
  bool maybe() { return below(2) == 0; }
  std::uint32_t address() { return 0x0a000000 + below(4); }
  std::uint32_t gateway() { return 0x0a000080 + below(4); }
  std::string any_port(const policy::Policy& policy) {
    return policy.config.ports[below(static_cast<unsigned>(policy.config.ports.size()))].name;
  }

  static void add_host(View& view, std::uint32_t address, const std::string& port) {
    view.hosts.push_back({reach::host_name(address), port, address});
    const auto known = std::ranges::find(view.members, address, &reach::Member::address);
    const reach::Member member{port, address, mac, true, "why"};
    if (known == view.members.end()) {
      view.members.push_back(member);
    } else {
      *known = member;
    }
  }

  // What one zone has in a world may be another's in the next.
  std::vector<base::Prefix> take_sources() {
    std::vector<base::Prefix> result;
    for (unsigned i = below(3); i != 0 && !free_sources_.empty(); --i) {
      const auto taken = free_sources_.begin() + below(static_cast<unsigned>(free_sources_.size()));
      result.push_back(*taken);
      free_sources_.erase(taken);
    }
    return result;
  }

  policy::ZonePolicy zone_named(const std::string& name, policy::Policy& policy, const View& view) {
    policy::ZonePolicy zone{
        .name = name, .ports = {any_port(policy)}, .sources = take_sources(), .connected = maybe()};
    std::vector<std::string> next_hops{"None"};
    if (view.exit) {
      next_hops.emplace_back("Internet");
    }
    for (const auto& next_hop : policy.config.next_hops) {
      next_hops.push_back(next_hop.name);
    }
    for (unsigned i = below(40); i != 0; --i) {
      zone.table.add(random_route(policy, next_hops));
    }
    zone.table.finish();
    return zone;
  }

  route::Route random_route(policy::Policy& policy, const std::vector<std::string>& next_hops) {
    base::Prefix prefix{address(), static_cast<std::uint8_t>(26 + below(7))};
    prefix.address &= prefix.mask();
    const auto& next_hop = next_hops[below(static_cast<unsigned>(next_hops.size()))];
    return {.prefix = prefix,
            .origin = maybe() ? route::Origin::user : route::Origin::system,
            .next_hop = policy.names.intern(next_hop)};
  }

  std::mt19937 random_;
  std::vector<base::Prefix> free_sources_;  // of the world that is made
};

// None of the routes that it names is as before.
void expect_only_differences(const Dataplane& before, const std::vector<ipc::Change>& changes) {
  for (const auto& [zone, table] : tables(changes)) {
    for (const auto& [prefix, next_hop] : table) {
      const auto length = static_cast<std::uint8_t>(prefix.second);
      EXPECT_NE(before.find(zone, {prefix.first, length}), std::optional<std::string_view>(next_hop));
    }
  }
}

TEST(Between, MakesOfAnyStateWhatTheFullTransactionWould) {
  unsigned changed = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    RandomWorld world(seed);
    const auto [before, before_view] = world.next();
    const auto [after, after_view] = world.next();
    auto dataplane = dataplane_with(before, before_view);
    const auto changes = between(before, before_view, after, after_view);
    expect_only_differences(dataplane, changes);
    ASSERT_EQ(dataplane.commit(false, changes), "") << "seed " << seed;
    ASSERT_TRUE(dataplane == dataplane_with(after, after_view)) << "seed " << seed;
    changed += changes.empty() ? 0 : 1;
    const auto same = before;
    ASSERT_THAT(between(before, before_view, same, before_view), IsEmpty()) << "seed " << seed;
  }
  EXPECT_GT(changed, 1900u);
}

TEST(Incremental, FollowsTheKernelAsAFullTransactionWould) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    RandomWorld world(seed);
    const auto [policy, before] = world.next();
    const auto other = world.next().second;
    auto after = before;
    for (auto& member : after.members) {
      member.mac.reset();
      member.alive = false;
    }
    after.unicast = {0x0a000001};
    after.connected = other.connected;
    after.hosts.clear();
    auto dataplane = dataplane_with(policy, before);
    ASSERT_EQ(dataplane.commit(false, incremental(policy, before, after)), "") << "seed " << seed;
    ASSERT_TRUE(dataplane == dataplane_with(policy, after)) << "seed " << seed;
  }
}

// The same routes in tables that know nothing of others.
policy::Policy rebuilt(policy::Policy policy) {
  for (auto& zone : policy.zones) {
    route::RouteTable table;
    for (const auto& route : zone.table.candidates() | std::views::reverse) {
      table.add(route);
    }
    table.finish();
    zone.table = table;
  }
  return policy;
}

using Step = std::tuple<std::string, base::Prefix, std::string, std::string>;

std::vector<Step> steps(RouteDifference difference) {
  std::vector<Step> result;
  while (const auto change = difference.next()) {
    result.emplace_back(change->zone, change->prefix, change->before, change->after);
  }
  return result;
}

// With another view of the kernel, too, or with the same.
TEST(Between, FollowsATableThatWasMadeOfTheOther) {
  unsigned changed = 0;
  unsigned known = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    RandomWorld world(seed);
    const auto [before, before_view] = world.next();
    const auto after = world.with_other_routes(before);
    for (std::size_t i = 0; i < after.zones.size(); ++i) {
      known += after.zones[i].table.changed_since(before.zones[i].table) != nullptr ? 1 : 0;
    }
    auto after_view = before_view;
    if (seed % 2 == 0) {
      after_view.connected = {{{0x0a000000, 29}, before.config.ports.front().name}};
      after_view.hosts.clear();
    }
    auto dataplane = dataplane_with(before, before_view);
    const auto changes = between(before, before_view, after, after_view);
    expect_only_differences(dataplane, changes);
    ASSERT_EQ(dataplane.commit(false, changes), "") << "seed " << seed;
    ASSERT_TRUE(dataplane == dataplane_with(after, after_view)) << "seed " << seed;
    ASSERT_EQ(steps({{before, before_view}, {after, after_view}}),
              steps({{before, before_view}, {rebuilt(after), after_view}}))
        << "seed " << seed << ": the same, and in the same order";
    changed += changes.empty() ? 0 : 1;
  }
  EXPECT_GT(changed, 1000u);
  EXPECT_GT(known, 1000u);
}

TEST(Between, OneRouteOfManyIsOneRoute) {
  policy::Policy before = example();
  std::vector<std::pair<base::Prefix, std::string>> routes;
  for (std::uint32_t i = 0; i < 250'000; ++i) {
    routes.push_back({{0x14000000 + (i << 4), 28}, "firewall"});
  }
  before.zones[1] = zone(before, "vnet", routes);
  policy::Policy after = example();
  routes[1000].second = "None";
  after.zones[1] = zone(after, "vnet", routes);
  const auto changes = between(before, example_view(), after, example_view());
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(tables(changes).at("vnet"), (Table{{{0x14000000 + (1000 << 4), 28}, "none"}}));
  EXPECT_LT(changes[0].ByteSizeLong(), 64u);
}

TEST(Between, FillsChangesWithAtMost100000RoutesAndWithdrawals) {
  policy::Policy before = example();
  policy::Policy after = example();
  std::vector<std::pair<base::Prefix, std::string>> old;
  std::vector<std::pair<base::Prefix, std::string>> young;
  for (std::uint32_t i = 0; i < 150'000; ++i) {
    old.push_back({{0x14000000 + (i << 4), 28}, "firewall"});
    young.push_back({{0x14000008 + (i << 4), 29}, "firewall"});
  }
  before.zones[1] = zone(before, "vnet", old);
  after.zones[1] = zone(after, "vnet", young);
  before.zones[1].sources = after.zones[1].sources = {{0x0a010000, 16}};
  const auto changes = between(before, example_view(), after, example_view());
  EXPECT_EQ(changes.size(), 3u);
  for (const auto& change : changes) {
    int here = 0;
    for (const auto& part : change.routes()) {
      here += part.address_size();
    }
    for (const auto& part : change.withdraw()) {
      here += part.address_size();
    }
    EXPECT_LE(here, 100'000);
  }
  auto dataplane = dataplane_with(before, example_view());
  ASSERT_EQ(dataplane.commit(false, changes), "");
  EXPECT_TRUE(dataplane == dataplane_with(after, example_view()));
}

}  // namespace
}  // namespace sekisho::sync
