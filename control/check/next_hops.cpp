// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <set>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/check/way.hpp"

namespace sekisho::check {
namespace {

auto find_not_connected(const Facts& facts) -> Offences {
  Offences result;
  if (!all_addresses_known(facts))
    return result;
  for (const auto& next_hop : facts.policy->config.next_hops)
    for (const auto member : next_hop.members)
      if (!port_towards(facts, member))
        result.push_back(
            {place(facts, next_hop.line), fmt::format("member {} of next hop {} is in no port's subnet",
                                                      base::address_to_string(member), next_hop.name)});
  return result;
}

// What is equal to equal weights, or weighs against nobody.
auto find_idle_weights(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& next_hop : facts.policy->config.next_hops) {
    std::set<unsigned> weights;
    for (const auto member : next_hop.members)
      if (const auto weight = next_hop.weight_of(member); weight != 0)
        weights.insert(weight);
    if (weights.size() == 1 && *weights.begin() != 1)
      result.push_back({place(facts, next_hop.line),
                        fmt::format("all members of next hop {} that take flows have weight {}",
                                    next_hop.name, *weights.begin())});
  }
  return result;
}

// A configuration that names its ports' addresses is refused with it; of an AF_XDP port the kernel tells them.
auto find_own_member(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& next_hop : facts.policy->config.next_hops)
    for (const auto member : next_hop.members)
      if (is_own(facts, member))
        result.push_back({place(facts, next_hop.line),
                          fmt::format("member {} of next hop {} is this appliance's own address",
                                      base::address_to_string(member), next_hop.name)});
  return result;
}

}  // namespace

const Rule member_is_own{
    "member-is-own", Severity::error,
    "What is sent to the appliance's own address never leaves it: no neighbour answers, and "
    "the member is down for good.",
    "Write the address of what is behind the port.", find_own_member};

const Rule weight_without_effect{
    "weight-without-effect", Severity::note,
    "A weight is a member's share against the other members'. Where all have the "
    "same one, or there is only one, it says nothing.",
    "Leave the weights out, or give the members different ones.", find_idle_weights};

const Rule next_hop_not_connected{"next-hop-not-connected", Severity::error,
                                  "A next hop is a neighbour: the appliance resolves its address on the port "
                                  "whose subnet holds it, and one that is in none "
                                  "never comes up.",
                                  "Write an address of a port's subnet (in Azure its router, the first host "
                                  "address, will do: the fabric routes by "
                                  "destination), or correct the port's address.",
                                  find_not_connected};

}  // namespace sekisho::check
