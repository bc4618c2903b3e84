// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/learned.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "control/config/config.hpp"
#include "control/policy/system_routes.hpp"
#include "control/route/martians.hpp"

namespace sekisho::policy {
namespace {

using base::Prefix;
using route::LearnedRoute;
using route::LearnedWay;
using route::Origin;

constexpr std::uint8_t shortest = 8;      // no one was ever given more
constexpr std::size_t most_members = 64;  // of a next hop, as the dataplane has room for (decide/member.hpp)
constexpr std::size_t most_next_hops = 3000;  // of all (config/reader.cpp)
constexpr unsigned greatest_weight = 100;     // as configured ones have it

// What a source never is, though a prefix around it may be: somebody's subnet, and what is every host's own.
auto holes_of(const std::vector<LearnedPort>& ports) -> std::vector<Prefix> {
  std::vector<Prefix> result{host_addresses.begin(), host_addresses.end()};
  std::ranges::copy(route::martian_blocks(), std::back_inserter(result));
  for (const auto& port : ports)
    result.insert(result.end(), port.subnets.begin(), port.subnets.end());
  std::ranges::sort(result);
  result.erase(std::ranges::unique(result).begin(), result.end());
  return result;
}

// Whose sources the configuration says that addresses are. What is shorter than /8 stands for the Internet, and is not asked.
class ConfiguredSources {
 public:
  struct Source {
    Prefix prefix;
    std::size_t zone = 0;
  };

  explicit ConfiguredSources(const std::vector<config::Zone>& zones) {
    for (std::size_t zone = 0; zone < zones.size(); ++zone)
      for (const auto source : zones[zone].sources)
        if (source.length >= shortest) {
          zones_.try_emplace(source, zone);
          lengths_.insert(source.length);
        }
  }
  // The longest that covers the prefix.
  [[nodiscard]] auto around(Prefix prefix) const -> std::optional<Source> {
    for (const auto length : lengths_) {
      if (length > prefix.length)
        continue;
      Prefix wider{prefix.address, length};
      wider.address &= wider.mask();
      if (const auto found = zones_.find(wider); found != zones_.end())
        return Source{wider, found->second};
    }
    return std::nullopt;
  }

 private:
  std::map<Prefix, std::size_t> zones_;
  std::set<std::uint8_t, std::greater<>> lengths_;
};

// The prefix without the holes that are within it: as few prefixes as there are.
void subtract(Prefix prefix, const std::vector<Prefix>& holes, std::vector<Prefix>& result) {
  const auto inside = [&](Prefix hole) { return prefix.covers(hole); };
  if (std::ranges::any_of(holes, [&](Prefix hole) { return hole.covers(prefix); }))
    return;
  if (std::ranges::none_of(holes, inside)) {
    result.push_back(prefix);
    return;
  }
  const auto length = static_cast<std::uint8_t>(prefix.length + 1);
  subtract({prefix.address, length}, holes, result);
  subtract({prefix.address | std::uint32_t{1} << (32U - length), length}, holes, result);
}

// As the dataplane takes names: 31 letters, digits and - at most. Of several members the first stands there, and a number by which
// others that begin with it differ (FNV-1a).
auto name_of(const std::vector<std::uint32_t>& members) -> std::string {
  auto name = std::string{config::learned_next_hop} + base::address_to_string(members.front());
  std::ranges::replace(name, '.', '-');
  if (members.size() == 1)
    return name;
  std::uint32_t number = 2166136261U;
  for (const auto member : members)
    for (unsigned shift = 0; shift < 32; shift += 8)
      number = (number ^ (member >> shift & 0xffU)) * 16777619U;
  return fmt::format("{}-{:08x}", name, number);
}

class Merging {
 public:
  Merging(const std::shared_ptr<const Policy>& plain, const std::shared_ptr<const route::Learned>& learned,
          const std::vector<LearnedPort>& ports)
      : learned_(*learned), policy_(std::make_shared<Policy>(*plain)), taken_(std::make_shared<Taken>()) {
    taken_->plain = plain;
    taken_->learned = learned;
    taken_->ports = ports;
  }

  auto merge() && -> std::shared_ptr<const Policy> {
    judge();
    for (const auto& way : learned_.ways)
      taken_->ways.push_back(ports_of(way));
    find_next_hops();
    for (std::size_t zone = 0; zone < policy_->zones.size(); ++zone) {
      auto& wanted = policy_->config.zones[zone];
      if (wanted.learned_routes)
        add_routes(policy_->zones[zone], wanted);
    }
    add_sources();
    count();
    std::ranges::sort(policy_->config.next_hops, {}, &config::NextHop::name);
    policy_->taken = taken_;
    return policy_;
  }

 private:
  // Once a route, whoever takes it.
  void judge() {
    refusals_.reserve(learned_.routes.size());
    for (const auto& route : learned_.routes)
      refusals_.push_back(refusal(route.prefix, taken_->ports));
  }

  [[nodiscard]] bool is_own(std::uint32_t address) const {
    return std::ranges::any_of(taken_->ports, [&](const LearnedPort& port) {
      return std::ranges::find(port.unicast, address) != port.unicast.end();
    });
  }

  // The port behind which it is; or why there is none.
  [[nodiscard]] auto port_of(const route::LearnedHop& hop) const -> tl::expected<std::string, std::string> {
    const auto port = std::ranges::find_if(
        taken_->ports, [&](const LearnedPort& each) { return each.link != 0 && each.link == hop.link; });
    if (port == taken_->ports.end())
      return tl::unexpected(hop.gateway == 0 ? std::string{"its interface is no port"}
                                             : fmt::format("gateway {} is on no port: its interface is none",
                                                           base::address_to_string(hop.gateway)));
    if (hop.gateway == 0)
      return tl::unexpected(fmt::format("it is on the link of port {}, without a gateway", port->name));
    const auto text = base::address_to_string(hop.gateway);
    if (is_own(hop.gateway))
      return tl::unexpected(fmt::format("gateway {} is this appliance itself", text));
    if (std::ranges::none_of(port->subnets, [&](Prefix subnet) { return subnet.covers(hop.gateway); }))
      return tl::unexpected(fmt::format("gateway {} is on no subnet of port {}", text, port->name));
    return port->name;
  }

  auto ports_of(const LearnedWay& way) -> Taken::Way {
    Taken::Way result;
    if (way.kind == LearnedWay::Kind::unusable)
      result.why = way.why;
    if (way.kind != LearnedWay::Kind::forward)
      return result;
    for (const auto& hop : way.hops) {
      if (auto port = port_of(hop))
        result.ports.insert(std::move(*port));
      else
        result.why += (result.why.empty() ? "" : "; ") + port.error();
    }
    return result;
  }

  // Only of ways that some route leads, in the order of the ways: what is there keeps its place.
  void find_next_hops() {
    std::vector<bool> is_used(learned_.ways.size());
    const bool any = std::ranges::any_of(policy_->config.zones, &config::Zone::learned_routes);
    for (std::size_t i = 0; any && i < learned_.routes.size(); ++i)
      if (refusals_[i] == Refusal::none)
        is_used[learned_.routes[i].way] = true;
    for (std::size_t i = 0; i < learned_.ways.size(); ++i) {
      const auto& way = learned_.ways[i];
      auto& taken = taken_->ways[i];
      if (way.kind == LearnedWay::Kind::drop)
        taken.next_hop = none;
      else if (is_used[i] && !taken.ports.empty())
        find_next_hop(way, taken);
    }
  }

  void find_next_hop(const LearnedWay& way, Taken::Way& taken) {
    std::map<std::uint32_t, unsigned> members;
    for (const auto& hop : way.hops)
      if (members.size() < most_members && port_of(hop))
        members.try_emplace(hop.gateway, hop.weight);
    std::vector<std::uint32_t> addresses;
    std::ranges::transform(members, std::back_inserter(addresses),
                           &std::pair<const std::uint32_t, unsigned>::first);
    auto& known = policy_->config.next_hops;
    const auto same = std::ranges::find(known, addresses, &config::NextHop::members);
    if (same != known.end()) {
      taken.next_hop = same->name;
      return;
    }
    if (made_ == most_learned_next_hops || known.size() >= most_next_hops) {
      taken.why = fmt::format("there are {} next hops already", made_ == most_learned_next_hops
                                                                    ? fmt::format("{} learned", made_)
                                                                    : std::to_string(known.size()));
      taken.ports.clear();
      return;
    }
    ++made_;
    config::NextHop made{.name = name_of(addresses), .members = addresses};
    unsigned greatest = 1;
    for (const auto& [address, weight] : members)
      greatest = std::max(greatest, weight);
    for (const auto& [address, weight] : members)
      if (greatest > 1)
        made.weights[address] = greatest <= greatest_weight
                                    ? std::max(weight, 1U)
                                    : std::max(weight * greatest_weight / greatest, 1U);
    taken.next_hop = made.name;
    known.push_back(std::move(made));
  }

  // Not into a blackhole.
  [[nodiscard]] static bool leads_on(const Taken::Way& way) {
    return !way.next_hop.empty() && way.next_hop != none;
  }

  // Whether the zone's own default gives way.
  [[nodiscard]] bool follows(const ZonePolicy& zone, const config::Zone& wanted) const {
    const auto& routes = learned_.routes;
    const bool is_learned =
        !routes.empty() && routes.front().prefix.length == 0 && leads_on(taken_->ways[routes.front().way]);
    const auto& own = zone.table.candidates();
    const bool is_written =
        !own.empty() && own.front().prefix.length == 0 && route::is_user(own.front().origin);
    return wanted.follow_default && is_learned && !is_written;
  }

  void add_routes(ZonePolicy& zone, config::Zone& wanted) {
    const bool follow = follows(zone, wanted);
    std::map<std::uint8_t, route::NameId> sources;  // by protocol
    std::vector<route::NameId> next_hops;
    for (const auto& way : taken_->ways)
      next_hops.push_back(way.next_hop.empty() ? 0 : policy_->names.intern(way.next_hop));
    std::vector<route::Route> routes;
    routes.reserve(learned_.routes.size());
    for (std::size_t i = 0; i < learned_.routes.size(); ++i) {
      const auto& route = learned_.routes[i];
      const auto& way = taken_->ways[route.way];
      if (refusals_[i] != Refusal::none || way.next_hop.empty() || (route.prefix.length == 0 && !follow))
        continue;
      auto source = sources.find(route.protocol);
      if (source == sources.end())
        source = sources.emplace(route.protocol, policy_->names.intern(source_name(route.protocol))).first;
      routes.push_back({route.prefix, Origin::bgp,
                        way.next_hop == none ? route::NextHopType::none : route::NextHopType::named,
                        next_hops[route.way], source->second, 0});
    }
    const auto internet = policy_->names.intern("[internet]");
    zone.table = zone.table.merged(routes, [&](const route::Route& own) {
      return follow && own.source == internet && own.origin == Origin::system;
    });
    taken_->routes = std::max(taken_->routes, routes.size());
    if (follow) {
      taken_->follows.insert(zone.name);
      wanted.via = taken_->ways[learned_.routes.front().way].next_hop;
    }
  }

  [[nodiscard]] auto source_name(std::uint8_t protocol) const -> std::string {
    return fmt::format("kernel table {}, protocol {}", policy_->config.bgp->learning.table,
                       config::route_protocol_name(protocol));
  }

  [[nodiscard]] static bool has_port(const config::Zone& zone, const std::set<std::string>& ports) {
    return std::ranges::any_of(zone.ports, [&](const std::string& port) { return ports.contains(port); });
  }

  // Whose sources a way's prefixes are: the index of a zone, or none, or more than one.
  [[nodiscard]] auto owner_of(const Taken::Way& way) const -> std::pair<std::optional<std::size_t>, bool> {
    std::optional<std::size_t> owner;
    for (std::size_t zone = 0; zone < policy_->config.zones.size(); ++zone) {
      const auto& each = policy_->config.zones[zone];
      if (!each.learned_sources || !has_port(each, way.ports))
        continue;
      if (owner)
        return {std::nullopt, true};
      owner = zone;
    }
    return {owner, false};
  }

  void add_sources() {
    const auto& zones = policy_->config.zones;
    if (std::ranges::none_of(zones, &config::Zone::learned_sources))
      return;
    const ConfiguredSources configured{zones};
    const auto holes = holes_of(taken_->ports);
    std::vector<std::pair<std::optional<std::size_t>, bool>> owners;
    std::ranges::transform(taken_->ways, std::back_inserter(owners),
                           [this](const auto& way) { return owner_of(way); });
    std::size_t disputed = 0;
    std::size_t in_excess = 0;
    std::size_t claimed = 0;
    std::string first_claimed;
    std::vector<Prefix> pieces;
    for (std::size_t i = 0; i < learned_.routes.size(); ++i) {
      const auto& route = learned_.routes[i];
      if (refusals_[i] != Refusal::none || route.prefix.length < shortest)
        continue;
      const auto& [owner, is_disputed] = owners[route.way];
      disputed += is_disputed ? 1 : 0;
      if (!owner)
        continue;
      pieces.clear();
      subtract(route.prefix, holes, pieces);
      bool is_claimed = false;
      for (const auto piece : pieces) {
        const auto known = configured.around(piece);
        if (known && known->zone != *owner) {
          is_claimed = true;
          if (first_claimed.empty())
            first_claimed = fmt::format("{} within {} of zone {}", base::to_string(piece),
                                        base::to_string(known->prefix), zones[known->zone].name);
          continue;
        }
        if (known && known->prefix == piece)
          continue;
        if (taken_->sources == most_learned_sources) {
          ++in_excess;
          continue;
        }
        ++taken_->sources;
        added_[*owner].push_back(piece);
      }
      claimed += is_claimed ? 1 : 0;
    }
    for (auto& [zone, more] : added_)
      merge_sources(policy_->zones[zone].sources, more);
    if (disputed != 0)
      taken_->notes.push_back(
          fmt::format("{} learned prefixes are no zone's sources: they are behind ports of more "
                      "than one zone with \"bgp\" among its sources",
                      disputed));
    if (claimed != 0)
      taken_->notes.push_back(fmt::format(
          "{} learned prefixes are no sources: they are within configured ones of other zones, such as {}",
          claimed, first_claimed));
    if (in_excess != 0)
      taken_->notes.push_back(fmt::format("{} learned prefixes are no sources: there are {} already",
                                          in_excess, most_learned_sources));
  }

  // A piece of one prefix may be another prefix.
  static void merge_sources(std::vector<Prefix>& sources, std::vector<Prefix>& more) {
    std::ranges::sort(more);
    more.erase(std::ranges::unique(more).begin(), more.end());
    sources.insert(sources.end(), more.begin(), more.end());
  }

  void count() {
    for (std::size_t i = 0; i < learned_.routes.size(); ++i) {
      const auto& way = taken_->ways[learned_.routes[i].way];
      const bool leads = !way.next_hop.empty() || !way.ports.empty();
      const bool is_ignored = learned_.routes[i].prefix.length == 0 && taken_->follows.empty();
      taken_->refused += refusals_[i] != Refusal::none || !leads || is_ignored ? 1 : 0;
    }
  }

  const route::Learned& learned_;
  std::shared_ptr<Policy> policy_;
  std::shared_ptr<Taken> taken_;
  std::vector<Refusal> refusals_;                     // by route
  std::size_t made_ = 0;                              // next hops
  std::map<std::size_t, std::vector<Prefix>> added_;  // sources, by zone
};

}  // namespace

std::string to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      break;
    case Refusal::martian:
      return "no packet can be for it";
    case Refusal::host_address:
      return "it is always the host's own";
    case Refusal::too_short:
      return "it is shorter than /8: a piece of the Internet, which only 0.0.0.0/0 stands for";
    case Refusal::connected:
      return "it is within a port's own subnet";
  }
  return {};
}

auto refusal(Prefix prefix, const std::vector<LearnedPort>& ports) -> Refusal {
  if (prefix.length == 0)
    return Refusal::none;
  if (route::martian_block(prefix))
    return Refusal::martian;
  if (prefix.length < shortest)
    return Refusal::too_short;
  if (std::ranges::find(host_addresses, prefix) != host_addresses.end())
    return Refusal::host_address;
  for (const auto& port : ports)
    for (const auto subnet : port.subnets)
      if (subnet.covers(prefix))
        return Refusal::connected;
  return Refusal::none;
}

std::string Taken::why_not(const LearnedRoute& route) const {
  if (const auto reason = refusal(route.prefix, ports); reason != Refusal::none)
    return to_string(reason);
  const auto& way = ways[route.way];
  if (way.next_hop.empty() && way.ports.empty())
    return way.why;
  if (route.prefix.length == 0 && way.next_hop == none)
    return "it leads to None: no zone follows a default that drops everything";
  if (route.prefix.length == 0 && follows.empty())
    return "no zone follows a learned default (follow_default)";
  return {};
}

auto with_learned(const std::shared_ptr<const Policy>& policy,
                  const std::shared_ptr<const route::Learned>& learned, const std::vector<LearnedPort>& ports)
    -> std::shared_ptr<const Policy> {
  const auto without = plain(policy);
  if (learned == nullptr || !without->config.learns())
    return without;
  return Merging{without, learned, ports}.merge();
}

auto plain(const std::shared_ptr<const Policy>& policy) -> std::shared_ptr<const Policy> {
  return policy->taken == nullptr ? policy : policy->taken->plain;
}

}  // namespace sekisho::policy
