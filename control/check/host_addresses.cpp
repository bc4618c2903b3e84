// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/system_routes.hpp"

#include <fmt/format.h>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"

namespace sekisho::check {
namespace {

// In a zone the route that wins is what packets meet. Azure's own subnets reach these addresses whatever a default or a network
// says ("it is not subject to user defined routes"): there only a route for the very address shows a mistake.
auto captor(const Table& table, base::Prefix host) -> std::optional<route::Route> {
  const auto route =
      table.holder == Table::Holder::zone ? table.routes->lookup(host.address) : exact(table, host);
  return route && next_hop_of(table, *route) != policy::none ? route : std::nullopt;
}

auto find_captured(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables)
    for (const auto host : policy::host_addresses)
      if (const auto route = captor(table, host))
        result.push_back({place(facts, table, *route),
                          fmt::format("{} sends {} to {}", table.name, base::address_to_string(host.address),
                                      next_hop_of(table, *route))});
  return result;
}

}  // namespace

const Rule host_address_captured{"host-address-captured", Severity::error,
                                 "168.63.129.16 (load balancer probes, DHCP, DNS) and 169.254.169.254 "
                                 "(metadata) are always the Azure host's and must be "
                                 "answered on the NIC that they came in on; sent elsewhere, probes fail and "
                                 "the load balancer takes the appliance out.",
                                 "Remove the route.", find_captured};

}  // namespace sekisho::check
