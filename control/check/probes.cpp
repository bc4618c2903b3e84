// SPDX-License-Identifier: BSD-3-Clause
// Whether a dead firewall would be noticed, and whether what is asked says that it forwards.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/base/duration.hpp"
#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/check/way.hpp"
#include "control/config/addresses.hpp"

namespace sekisho::check {
namespace {

bool is_on_azure(const Facts& facts) {
  const auto& azure = facts.policy->config.azure;
  return azure.line != 0 || azure.gateway != config::Gateway::unknown;
}

// A subnet's first host address is the fabric's own router: who names it leaves the choice to the fabric.
bool is_fabric(const Facts& facts, std::uint32_t member) {
  return std::ranges::any_of(facts.addresses, [&](const auto& addresses) {
    return addresses && std::ranges::any_of(*addresses, [&](const config::InterfaceAddress& own) {
             return config::subnet_of(own).address + 1 == member;
           });
  });
}

auto find_unprobed(const Facts& facts) -> Offences {
  Offences result;
  if (!is_on_azure(facts) || !all_addresses_known(facts))
    return result;
  for (const auto& next_hop : facts.policy->config.next_hops) {
    const bool is_probed = next_hop.probe || std::ranges::all_of(next_hop.members, [&](auto member) {
                             return is_fabric(facts, member);
                           });
    if (!is_probed)
      result.push_back(
          {place(facts, next_hop.line),
           fmt::format("next hop {} has no probe: a dead member is never noticed there", next_hop.name)});
  }
  return result;
}

auto find_one_path(const Facts& facts) -> Offences {
  Offences result;
  if (!is_on_azure(facts) || !all_addresses_known(facts))
    return result;
  for (const auto& next_hop : facts.policy->config.next_hops) {
    std::map<std::size_t, std::vector<std::uint32_t>> by_port;
    for (const auto member : next_hop.members)
      if (const auto port = port_towards(facts, member); port && !is_fabric(facts, member))
        by_port[*port].push_back(member);
    for (const auto& [port, members] : by_port)
      if (members.size() > 1)
        result.push_back(
            {place(facts, next_hop.line),
             fmt::format("members {} and {} of next hop {} are both behind port {}",
                         base::address_to_string(members[0]), base::address_to_string(members[1]),
                         next_hop.name, facts.policy->config.ports[port].name)});
  }
  return result;
}

// What a probe asks beyond its members; a name that nobody has resolved has no address.
template <typename Visit>
void for_each_target(const Facts& facts, Visit visit) {
  for (const auto& next_hop : facts.policy->config.next_hops)
    if (next_hop.probe)
      for (const auto& target : next_hop.probe->through)
        for (const auto address : target.addresses)
          visit(next_hop, address);
}

// Zones' sources that are networks of somebody's, and the ports' subnets.
auto network_around(const Facts& facts, std::uint32_t address) -> std::optional<std::string> {
  for (const auto& zone : facts.policy->zones)
    for (const auto source : zone.sources)
      if (source.length >= shortest_network && source.covers(address))
        return fmt::format("{}, a source of zone {}", base::to_string(source), zone.name);
  for (std::size_t port = 0; port < facts.addresses.size(); ++port)
    for (const auto& own : facts.addresses[port].value_or(std::vector<config::InterfaceAddress>{}))
      if (config::subnet_of(own).covers(address))
        return fmt::format("{}, the subnet of port {}", base::to_string(config::subnet_of(own)),
                           facts.policy->config.ports[port].name);
  return std::nullopt;
}

auto find_inside(const Facts& facts) -> Offences {
  Offences result;
  for_each_target(facts, [&](const config::NextHop& next_hop, std::uint32_t address) {
    if (const auto network = network_around(facts, address))
      result.push_back({place(facts, next_hop.probe_line),
                        fmt::format("probe target {} of next hop {} is in {}",
                                    base::address_to_string(address), next_hop.name, *network)});
  });
  return result;
}

bool leads_to(const Table& table, std::string_view next_hop) {
  return std::ranges::any_of(table.routes->winners(), [&](const route::Route& route) {
    return next_hop_of(table, route) == next_hop;
  });
}

auto find_elsewhere(const Facts& facts) -> Offences {
  Offences result;
  for_each_target(facts, [&](const config::NextHop& next_hop, std::uint32_t address) {
    for (const auto& table : facts.tables) {
      if (table.holder != Table::Holder::zone || !leads_to(table, next_hop.name))
        continue;
      const auto route = table.routes->lookup(address);
      if (!route || next_hop_of(table, *route) != next_hop.name)
        result.push_back({place(facts, next_hop.probe_line),
                          fmt::format("{} sends probe target {} {}, not to {}", table.name,
                                      base::address_to_string(address),
                                      route ? "to " + next_hop_of(table, *route) : std::string{"nowhere"},
                                      next_hop.name)});
    }
  });
  return result;
}

// What a load balancer of Azure's takes at most to notice a dead machine.
constexpr std::chrono::milliseconds slow{15'000};

auto find_times(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& next_hop : facts.policy->config.next_hops) {
    if (!next_hop.probe)
      continue;
    const auto& probe = *next_hop.probe;
    const auto to_come_up = (probe.up_after - 1) * probe.interval;
    if (probe.hold.count() != 0 && probe.hold < to_come_up)
      result.push_back(
          {place(facts, next_hop.probe_line),
           fmt::format(
               "\"hold\" {} of next hop {} is over before \"up_after\" {} answers have come, which takes {}",
               base::to_string(probe.hold), next_hop.name, probe.up_after, base::to_string(to_come_up))});
    if (const auto longest = longest_to_move(probe); longest > slow)
      result.push_back({place(facts, next_hop.probe_line),
                        fmt::format("flows stay on a dead member of next hop {} for up to {}", next_hop.name,
                                    base::to_string(longest))});
  }
  return result;
}

}  // namespace

const Rule unprobed{
    "arp-only", Severity::warning,
    "Azure's fabric answers every ARP request, whether or not there is anybody: without a probe "
    "a member is alive for as long as its port's link is up.",
    "Give the next hop a probe, best one through the member: probe = { type = \"tcp\", through = "
    "\"ADDRESS:PORT\" }.",
    find_unprobed};

const Rule one_path{
    "one-path", Severity::warning,
    "Azure's fabric routes what the appliance sends by the route table of the sending NIC's "
    "subnet; which member of that subnet the appliance chose does not matter, so that all go one "
    "way and a probe of one is answered by another.",
    "Give each firewall a NIC, a subnet and a route table of its own: a next hop's members may be "
    "behind several ports.",
    find_one_path};

const Rule probe_inside{"probe-inside", Severity::warning,
                        "A target in a network of the appliance's own side says nothing of the way to the "
                        "Internet: a firewall whose far side is dead still reaches it.",
                        "Name something beyond the firewall that is always there, better two.", find_inside};

const Rule probe_elsewhere{"probe-elsewhere", Severity::warning,
                           "Traffic to the probe's target takes another way than the probe: an answer says "
                           "nothing of what the next hop forwards.",
                           "Name a target whose route has this next hop.", find_elsewhere};

const Rule probe_times{
    "probe-times", Severity::warning,
    "A member that stops answering keeps its flows for down_after x interval + timeout; one that "
    "comes back waits for up_after answers and for the hold, whichever takes longer.",
    "Shorten the interval, or lengthen the hold.", find_times};

}  // namespace sekisho::check
