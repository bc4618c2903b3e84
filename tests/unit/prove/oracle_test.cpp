// SPDX-License-Identifier: BSD-3-Clause
// What is proved, against asking address by address: a table as the dataplane has it (fib::Fib), and sources as a person would
// look for them. Between two places where an answer can change, all addresses have the same one.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "common/base/special_address.hpp"
#include "control/prove/prove.hpp"
#include "dataplane/fib/fib.hpp"

namespace sekisho::prove {
namespace {

using base::Prefix;
using route::Origin;

constexpr std::uint64_t every_address = std::uint64_t{1} << 32;
const std::array<std::string, 4> next_hops{"firewall", "gateway", "None", "Internet"};
const std::string connected{config::connected};

class Case {
 public:
  explicit Case(unsigned seed) : random_(seed) {
    make_zones();
    make_kernel();
    for (unsigned left = 1 + draw(3); left != 0; --left)
      make_assertion();
    make_fibs();
    find_edges();
  }

  void expect_proofs() {
    const Prover prover{policy_, kernel_};
    ASSERT_EQ(prover.size(), policy_.config.assertions.size() + built_in_zones());
    for (std::size_t i = 0; i < prover.size(); ++i)
      expect(i, prover.prove(i));
  }

 private:
  unsigned draw(unsigned below) { return static_cast<unsigned>(random_()) % below; }

  // Mostly near each other, so that they nest.
  Prefix prefix() {
    Prefix result{0, static_cast<std::uint8_t>(draw(3) == 0 ? draw(33) : 20 + draw(13))};
    constexpr std::uint32_t near = 0x2d00'f000;
    result.address =
        (result.length < 20 ? static_cast<std::uint32_t>(random_()) : near + draw(1U << 13)) & result.mask();
    return result;
  }
  std::vector<Prefix> prefixes(unsigned most) {
    std::vector<Prefix> result(draw(most + 1));
    std::ranges::generate(result, [this] { return prefix(); });
    return result;
  }

  void make_zones() {
    const auto zones = 1 + draw(3);
    policy_.config.internet.emplace().via = "firewall";
    policy_.config.internet->asserted = draw(4) != 0;
    std::set<Prefix> sources;
    (void)policy_.names.intern(policy::override_source);
    for (unsigned i = 0; i < zones; ++i) {
      auto& zone = policy_.zones.emplace_back();
      zone.name = std::string(1, static_cast<char>('a' + i));
      for (const auto source : prefixes(6))
        if (sources.insert(source).second)
          zone.sources.push_back(source);
      auto& written = policy_.config.zones.emplace_back();
      written.name = zone.name;
      written.sources = zone.sources;
      written.internet = draw(2) == 0;
      written.line = 100 + i;
      for (unsigned left = draw(25); left != 0; --left)
        add_route(zone);
      zone.table.finish();
    }
  }
  void add_route(policy::ZonePolicy& zone) {
    constexpr std::array origins{Origin::system_none, Origin::system, Origin::bgp,
                                 Origin::vnet,        Origin::user,   Origin::user_tag};
    using Type = route::NextHopType;
    constexpr std::array types{Type::named, Type::virtual_appliance, Type::virtual_network_gateway,
                               Type::internet};
    const auto source = policy_.names.intern(draw(3) == 0 ? policy::override_source : "zone.a.routes");
    zone.table.add({.prefix = prefix(),
                    .origin = origins[draw(origins.size())],
                    .type = types[draw(types.size())],
                    .next_hop = policy_.names.intern(next_hops[draw(next_hops.size())]),
                    .source = source,
                    .line = 7});
  }

  void make_kernel() {
    if (draw(2) == 0)
      return;
    std::map<Prefix, KernelRoute> own;
    for (unsigned left = draw(3); left != 0; --left) {
      const Prefix address{prefix().address, 32};
      own[address] = {address, KernelRoute::Kind::own, "own address"};
    }
    for (std::size_t zone = 0; zone < policy_.zones.size(); ++zone) {
      auto routes = own;
      for (unsigned left = draw(4); left != 0; --left) {
        const auto subnet = prefix();
        routes.try_emplace(
            subnet,
            KernelRoute{subnet, draw(3) == 0 ? KernelRoute::Kind::dropped : KernelRoute::Kind::connected,
                        "subnet"});
      }
      auto& list = kernel_.routes.emplace_back();
      for (const auto& [subnet, route] : routes)
        list.push_back(route);
    }
    kernel_.subnets = prefixes(2);
    kernel_.nobodys = prefixes(3);
  }

  policy::Destinations destinations(unsigned most) {
    return {.internet = draw(4) == 0, .prefixes = prefixes(most)};
  }
  void make_assertion() {
    auto& written = policy_.config.assertions.emplace_back();
    if (draw(2) == 0)
      written.zone = policy_.zones[draw(static_cast<unsigned>(policy_.zones.size()))].name;
    else
      written.from = prefix();
    for (const auto& name : next_hops)
      if (draw(2) == 0)
        written.via.push_back(name);
    if (written.via.empty() || draw(3) == 0)
      written.via.push_back(connected);
    policy_.assertions.push_back({destinations(4), destinations(2)});
  }

  // Kernel's routes take the place of the table's.
  void make_fibs() {
    for (std::size_t zone = 0; zone < policy_.zones.size(); ++zone) {
      auto& fib = fibs_.emplace_back(fib::Fib::create(qsbr_).value());
      std::map<Prefix, fib::Value> all;
      const auto& candidates = policy_.zones[zone].table.candidates();
      for (const auto& route : policy_.zones[zone].table.winners()) {
        const auto found = std::ranges::find(candidates, route.prefix, &route::Route::prefix);
        all[route.prefix] = value_of({&*found, nullptr});
      }
      if (zone < kernel_.routes.size())
        for (const auto& route : kernel_.routes[zone])
          all[route.prefix] = value_of({nullptr, &route});
      std::vector<fib::Route> routes;
      for (const auto& [prefix, value] : all)
        routes.push_back({prefix, value});
      ASSERT_TRUE(fib->apply(routes));
    }
  }
  struct Meaning {
    const route::Route* route = nullptr;
    const KernelRoute* kernel = nullptr;
  };
  fib::Value value_of(Meaning meaning) {
    meanings_.push_back(meaning);
    return static_cast<fib::Value>(meanings_.size());
  }

  void find_edges() {
    const auto add = [this](Prefix prefix) {
      edges_.insert(prefix.address);
      edges_.insert(std::uint64_t{prefix.last()} + 1);
    };
    edges_.insert({0, every_address});
    for (const auto& zone : policy_.zones) {
      std::ranges::for_each(zone.sources, add);
      for (const auto& route : zone.table.candidates())
        add(route.prefix);
    }
    for (const auto& routes : kernel_.routes)
      for (const auto& route : routes)
        add(route.prefix);
    std::ranges::for_each(kernel_.subnets, add);
    std::ranges::for_each(kernel_.nobodys, add);
    for (const auto& assertion : policy_.assertions) {
      std::ranges::for_each(assertion.to.prefixes, add);
      std::ranges::for_each(assertion.except.prefixes, add);
    }
    for (const auto& assertion : policy_.config.assertions)
      add(assertion.from);
    for (const auto* text : {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                             "172.16.0.0/12", "192.168.0.0/16", "168.63.129.16/32", "224.0.0.0/3"})
      add(base::parse_prefix(text).value());
  }

  static bool covers(const std::vector<Prefix>& prefixes, std::uint32_t address) {
    return std::ranges::any_of(prefixes, [&](Prefix prefix) { return prefix.covers(address); });
  }
  bool is_internet(std::uint32_t address) const {
    const auto is_in = [&](const char* text) { return base::parse_prefix(text).value().covers(address); };
    if (base::special(address) || is_in("10.0.0.0/8") || is_in("172.16.0.0/12") || is_in("192.168.0.0/16") ||
        is_in("100.64.0.0/10") || is_in("168.63.129.16/32") || covers(kernel_.subnets, address))
      return false;
    return std::ranges::none_of(policy_.zones, [&](const policy::ZonePolicy& zone) {
      return std::ranges::any_of(zone.sources,
                                 [&](Prefix source) { return source.length >= 8 && source.covers(address); });
    });
  }
  bool is_own(std::uint32_t address) const {
    return std::ranges::any_of(kernel_.routes, [&](const auto& routes) {
      return std::ranges::any_of(routes, [&](const KernelRoute& route) {
        return route.kind == KernelRoute::Kind::own && route.prefix.covers(address);
      });
    });
  }
  bool is_nobodys(std::uint32_t source) const {
    return base::special(source) || covers(kernel_.nobodys, source);
  }
  bool is_among(const policy::Destinations& destinations, std::uint32_t address) const {
    return (destinations.internet && is_internet(address)) || covers(destinations.prefixes, address);
  }
  std::optional<std::size_t> zone_of(std::uint32_t source) const {
    std::optional<std::size_t> result;
    int longest = -1;
    for (std::size_t zone = 0; zone < policy_.zones.size(); ++zone)
      for (const auto prefix : policy_.zones[zone].sources)
        if (prefix.covers(source) && prefix.length > longest) {
          result = zone;
          longest = prefix.length;
        }
    return result;
  }

  struct Statement {
    std::string zone;
    Prefix from;
    std::vector<std::string> via;
    const policy::Assertion* unfolded = nullptr;  // null: built in
  };
  std::size_t built_in_zones() const {
    return !policy_.config.internet->asserted ? 0
                                              : static_cast<std::size_t>(std::ranges::count_if(
                                                    policy_.config.zones, &config::Zone::internet));
  }
  Statement statement(std::size_t index) const {
    const auto& written = policy_.config.assertions;
    if (index < written.size())
      return {written[index].zone, written[index].from, written[index].via, &policy_.assertions[index]};
    index -= written.size();
    for (const auto& zone : policy_.config.zones)
      if (zone.internet && index-- == 0)
        return {zone.name, {}, {"firewall", "None"}, nullptr};
    return {};
  }
  bool speaks_of(const Statement& statement, std::uint32_t destination) const {
    if (base::special(destination) || is_own(destination))
      return false;
    return statement.unfolded == nullptr ? is_internet(destination)
                                         : is_among(statement.unfolded->to, destination) &&
                                               !is_among(statement.unfolded->except, destination);
  }
  bool allows(const Statement& statement, std::size_t zone, std::uint32_t destination) const {
    const auto has = [&](const std::string& name) {
      return std::ranges::find(statement.via, name) != statement.via.end();
    };
    const auto value = fibs_[zone]->lookup(destination);
    if (value == fib::no_route)
      return has("None");
    const auto& [route, kernel] = meanings_[value - 1];
    if (kernel != nullptr)
      return has(kernel->kind == KernelRoute::Kind::connected ? connected : "None");
    if (has(policy_.names[route->next_hop]))
      return true;
    const auto& source = policy_.names[route->source];
    return statement.unfolded == nullptr && route::is_user(route->origin) && source != "sekisho route" &&
           route->type != route::NextHopType::virtual_network_gateway;
  }

  void expect(std::size_t index, const Proof& proof) {
    const auto said = statement(index);
    std::vector<std::uint64_t> wrong(policy_.zones.size());  // destinations
    std::uint64_t spoken = 0;
    std::vector<std::pair<std::uint64_t, std::vector<bool>>> ranges;  // size, and of which zones wrong
    for (auto edge = edges_.begin(); std::next(edge) != edges_.end(); ++edge) {
      const auto first = static_cast<std::uint32_t>(*edge);
      const auto size = *std::next(edge) - *edge;
      const auto last = static_cast<std::uint32_t>(*std::next(edge) - 1);
      const bool is_spoken = speaks_of(said, first);
      ASSERT_EQ(is_spoken, speaks_of(said, last));
      spoken += is_spoken ? size : 0;
      auto& range = ranges.emplace_back(is_spoken ? size : 0, std::vector<bool>(policy_.zones.size()));
      for (std::size_t zone = 0; zone < policy_.zones.size(); ++zone) {
        const bool is_wrong = is_spoken && !allows(said, zone, first);
        ASSERT_EQ(is_wrong, is_spoken && !allows(said, zone, last));
        range.second[zone] = is_wrong;
        wrong[zone] += is_wrong ? size : 0;
      }
    }
    EXPECT_EQ(proof.spoken, spoken);
    if (spoken == 0) {
      EXPECT_FALSE(proof.empty.empty());
      EXPECT_FALSE(proof.holds);
      return;
    }
    if (!said.zone.empty()) {
      const auto zone = static_cast<std::size_t>(said.zone[0] - 'a');
      EXPECT_EQ(proof.destinations, wrong[zone]);
      EXPECT_EQ(proof.holds, wrong[zone] == 0);
      EXPECT_FALSE(proof.pairs);
    } else {
      expect_from_prefix(said, proof, wrong, ranges, spoken);
    }
    expect_counterexample(said, proof);
  }

  void expect_from_prefix(const Statement& said, const Proof& proof, const std::vector<std::uint64_t>& wrong,
                          const std::vector<std::pair<std::uint64_t, std::vector<bool>>>& ranges,
                          std::uint64_t spoken) {
    const bool drop = std::ranges::find(said.via, "None") != said.via.end();
    std::uint64_t pairs = 0;
    std::uint64_t sources = 0;
    std::set<std::size_t> zones;
    bool nobody = false;
    for (auto edge = edges_.begin(); std::next(edge) != edges_.end(); ++edge) {
      const auto first = static_cast<std::uint32_t>(*edge);
      if (!said.from.covers(first) || is_nobodys(first))
        continue;
      const auto size = *std::next(edge) - *edge;
      sources += size;
      const auto zone = zone_of(first);
      ASSERT_EQ(zone, zone_of(static_cast<std::uint32_t>(*std::next(edge) - 1)));
      if (zone)
        zones.insert(*zone);
      else
        nobody = true;
      pairs += size * (zone ? wrong[*zone] : drop ? 0 : spoken);
    }
    if (sources == 0) {
      EXPECT_FALSE(proof.empty.empty());
      return;
    }
    std::uint64_t destinations = 0;
    for (const auto& [size, of_zone] : ranges)
      if ((nobody && !drop) || std::ranges::any_of(zones, [&](std::size_t zone) { return of_zone[zone]; }))
        destinations += size;
    EXPECT_EQ(proof.pairs, pairs);
    EXPECT_EQ(proof.destinations, destinations);
    EXPECT_EQ(proof.holds, pairs == 0);
  }

  // It is one.
  void expect_counterexample(const Statement& said, const Proof& proof) {
    ASSERT_EQ(proof.counterexample.has_value(), proof.destinations != 0);
    if (!proof.counterexample)
      return;
    const auto& example = *proof.counterexample;
    EXPECT_TRUE(speaks_of(said, example.destination));
    if (!example.source) {
      EXPECT_EQ(example.zone, said.zone);
    } else {
      EXPECT_FALSE(is_nobodys(*example.source));
      EXPECT_TRUE(!said.zone.empty() || said.from.covers(*example.source));
      const auto zone = zone_of(*example.source);
      ASSERT_EQ(zone ? policy_.zones[*zone].name : "", example.zone);
    }
    if (example.zone.empty()) {
      EXPECT_TRUE(std::ranges::find(said.via, "None") == said.via.end());
      return;
    }
    const auto zone = static_cast<std::size_t>(example.zone[0] - 'a');
    EXPECT_FALSE(allows(said, zone, example.destination));
    const auto decides = fibs_[zone]->longest_match(example.destination);
    EXPECT_EQ(example.decider.prefix, decides ? std::optional{decides->prefix} : std::nullopt);
    ASSERT_FALSE(proof.offenders.empty());
    EXPECT_EQ(proof.offenders[0].decider, example.decider);
    if (proof.pairs || proof.offenders.size() == most_offenders)
      return;  // of several zones, or not all
    std::uint64_t sum = 0;
    for (const auto& offender : proof.offenders)
      sum += offender.destinations;
    EXPECT_EQ(sum, proof.destinations);
  }

  std::mt19937 random_;
  policy::Policy policy_;
  Kernel kernel_;
  fib::Qsbr qsbr_{1};
  std::vector<std::unique_ptr<fib::Fib>> fibs_;
  std::vector<Meaning> meanings_;  // by value, from 1
  std::set<std::uint64_t> edges_;
};

TEST(Prove, AgreesWithAskingTheTablesThatPacketsMeet) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    Case{seed}.expect_proofs();
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace sekisho::prove
