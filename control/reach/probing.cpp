// SPDX-License-Identifier: BSD-3-Clause
#include "control/reach/probing.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "control/reach/liveness.hpp"

namespace sekisho::reach {
namespace {

constexpr std::uint32_t probe_priority = 8300;

struct Way {
  netlink::Rule rule;
  netlink::Route route;
};

// Nothing: the kernel has no link towards it that is up.
auto way_of(const Member& member, const config::Config& config, const netlink::Mirror& mirror)
    -> std::optional<Way> {
  const auto port = std::ranges::find(config.ports, member.port, &config::Port::name);
  const auto* link = port == config.ports.end() ? nullptr : mirror.link_of(*port);
  if (link == nullptr || !link->enabled) {
    return std::nullopt;
  }
  const auto mark = mark_of(member.address);
  return Way{.rule = {.priority = probe_priority, .iif = {}, .table = mark, .mark = mark},
             .route = {mark, {}, member.address, link->index}};
}

}  // namespace

auto probe_stack(const config::Config& config, const netlink::Mirror& mirror) -> netlink::Wanted {
  netlink::Wanted wanted;
  for (const auto& next_hop : config.next_hops) {
    if (!next_hop.probe) {
      continue;
    }
    for (const auto address : next_hop.members) {
      if (auto way = way_of(member(address, config, mirror), config, mirror)) {
        wanted.rules.insert(std::move(way->rule));
        wanted.routes.insert(way->route);
      }
    }
  }
  return wanted;
}

auto probing(const std::vector<Member>& members, const config::Config& config, const netlink::Mirror& mirror)
    -> Probing {
  Probing result;
  for (const auto& member : members) {
    const auto* probe = member.alive ? probe_of(member.address, config) : nullptr;
    const auto way = probe == nullptr ? std::nullopt : way_of(member, config, mirror);
    if (!way) {
      continue;
    }
    if (mirror.rules.contains(way->rule) && mirror.routes.contains(way->route)) {
      result.orders.push_back({member.address, way->route.link, *probe});
      continue;
    }
    for (const auto& text : {netlink::text_of(way->rule), netlink::text_of(way->route, mirror)}) {
      if (const auto refused = mirror.refused.find(text); refused != mirror.refused.end()) {
        result.refused.push_back({member.address, "the kernel refuses " + text + ": " + refused->second});
      }
    }
  }
  return result;
}

}  // namespace sekisho::reach
