// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/config/config.hpp"

namespace sekisho::check {
namespace {

constexpr std::uint64_t unicast = std::uint64_t{223} << 24;  // 1.0.0.0 to 223.255.255.255
constexpr std::uint64_t most_excepted = unicast / 16;

auto excepted_addresses(const policy::Policy& policy) -> std::uint64_t {
  std::uint64_t sum = 0;
  for (const auto prefix : policy.exceptions)
    sum += std::uint64_t{prefix.last()} - prefix.address + 1;
  return sum;
}

bool leaves(const Table& table, const route::Route& route) {
  return table.holder == Table::Holder::zone && next_hop_of(table, route) == policy::leave;
}

bool is_of_azure_cloud(const route::Route& route) {
  return route.origin == route::Origin::user_cloud_tag ||
         route.origin == route::Origin::user_regional_cloud_tag;
}

auto find_bypass(const Facts& facts) -> Offences {
  Offences result;
  if (const auto sum = excepted_addresses(*facts.policy); sum > most_excepted)
    result.push_back(
        {place(facts, 0), fmt::format("exceptions with next hop Internet cover {:.0f} % of all unicast "
                                      "addresses",
                                      100.0 * static_cast<double>(sum) / static_cast<double>(unicast))});
  for (const auto& table : facts.tables)
    for (const auto& route : table.routes->winners())
      if (leaves(table, route) && is_of_azure_cloud(route)) {
        result.push_back(
            {place(facts, table, route), fmt::format("{} sends AzureCloud past the firewall, {} first",
                                                     table.name, base::to_string(route.prefix))});
        break;
      }
  return result;
}

auto find_internet_without_exit(const Facts& facts) -> Offences {
  if (facts.refusal && facts.refusal->reason.find(config::no_exit) != std::string::npos)
    return {{place(*facts.refusal), facts.refusal->reason}};
  return {};
}

}  // namespace

const Rule bypass{"bypass", Severity::warning,
                  "Next hop Internet takes traffic past the firewall, dead or alive: exceptions are for a "
                  "few services. AzureCloud is every "
                  "address in Azure that a customer can rent, an attacker with them.",
                  "Except the services that need it, by their own tags or addresses.", find_bypass};

const Rule internet_without_exit{"internet-without-exit", Severity::error,
                                 "Foreign private sources are not translated by Azure's fabric: what leaves "
                                 "past the firewall is masqueraded by the "
                                 "appliance's kernel, on a port that has to be named.",
                                 "Write exit = { port = \"...\" } in [internet].",
                                 find_internet_without_exit};

}  // namespace sekisho::check
