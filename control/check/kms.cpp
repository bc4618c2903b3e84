// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/presets.hpp"

#include <fmt/format.h>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"

namespace sekisho::check {
namespace {

// A host route that somebody wrote, and that goes somewhere.
auto exception_for(const Table& table, base::Prefix host) -> std::optional<route::Route> {
  const auto route = exact(table, host);
  return route && route::is_user(route->origin) && next_hop_of(table, *route) != policy::none ? route
                                                                                              : std::nullopt;
}

auto exceptions_of(const Table& table, std::string_view cloud) -> std::vector<route::Route> {
  std::vector<route::Route> result;
  for (const auto host : config::kms_addresses(cloud))
    if (const auto route = exception_for(table, host))
      result.push_back(*route);
  return result;
}

// Those of the cloud's addresses that go elsewhere than this exception. A service tag may cover some without a host route.
auto left_out(const Table& table, std::string_view cloud, const route::Route& exception)
    -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto host : config::kms_addresses(cloud)) {
    const auto route = table.routes->lookup(host.address);
    if (!route || route->next_hop != exception.next_hop)
      result.push_back(base::address_to_string(host.address));
  }
  return result;
}

auto find_kms_incomplete(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables) {
    for (const auto cloud : config::preset_clouds) {
      const auto exceptions = exceptions_of(table, cloud);
      if (exceptions.empty())
        continue;
      if (const auto missing = left_out(table, cloud, exceptions[0]); !missing.empty())
        result.push_back({place(facts, table, exceptions[0]),
                          fmt::format("{} sends {} to {}, but not {}", table.name,
                                      base::address_to_string(exceptions[0].prefix.address),
                                      next_hop_of(table, exceptions[0]), fmt::join(missing, ", "))});
    }
  }
  return result;
}

auto find_kms_of_another_cloud(const Facts& facts) -> Offences {
  Offences result;
  if (!facts.cloud)
    return result;
  for (const auto& table : facts.tables) {
    for (const auto cloud : config::preset_clouds) {
      const auto exceptions = exceptions_of(table, cloud);
      if (cloud != *facts.cloud && !exceptions.empty())
        result.push_back(
            {place(facts, table, exceptions[0]),
             fmt::format("{} has exceptions for the key management servers of cloud {}, and this is {}",
                         table.name, cloud, *facts.cloud)});
    }
  }
  return result;
}

// Everything that no longer route names; nullopt: nothing that a user or BGP says.
auto default_of(const Table& table) -> std::optional<route::Route> {
  if (has_both_halves(table))
    return exact(table, halves[0]);
  return exact(table, default_route);
}

auto find_kms_tunnelled(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables) {
    const auto route = table.holder == Table::Holder::file ? default_of(table) : std::nullopt;
    if (!route || route->type != route::NextHopType::virtual_network_gateway)
      continue;
    const auto is_excepted = [&](std::string_view cloud) {
      return (!facts.cloud || cloud == *facts.cloud) &&
             std::ranges::any_of(config::kms_addresses(cloud), [&](base::Prefix host) {
               const auto way = table.routes->lookup(host.address);
               return way && way->prefix.length >= shortest_network;
             });
    };
    if (std::ranges::none_of(config::preset_clouds, is_excepted))
      result.push_back({place(facts, table, *route),
                        fmt::format("{} sends {} to VirtualNetworkGateway, key management servers with it",
                                    table.name, base::to_string(route->prefix))});
  }
  return result;
}

// An address that differs in one of its four numbers.
auto near_miss_of(base::Prefix host) -> std::optional<std::uint32_t> {
  std::optional<std::uint32_t> result;
  for (const auto cloud : config::preset_clouds)
    for (const auto known : config::kms_addresses(cloud)) {
      const auto difference = known.address ^ host.address;
      if (difference == 0)
        return std::nullopt;
      for (const unsigned shift : {0U, 8U, 16U, 24U})
        if ((difference & ~(0xffU << shift)) == 0)
          result = known.address;
    }
  return result;
}

auto find_kms_near_miss(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables)
    for (const auto& route : table.routes->winners()) {
      if (route.prefix.length != 32 || route.origin != route::Origin::user ||
          (route.type != route::NextHopType::internet && next_hop_of(table, route) != policy::leave))
        continue;
      if (const auto meant = near_miss_of(route.prefix))
        result.push_back(
            {place(facts, table, route),
             fmt::format("{} sends {} to the Internet; the key management server is {}", table.name,
                         base::address_to_string(route.prefix.address), base::address_to_string(*meant))});
    }
  return result;
}

}  // namespace

const Rule kms_tunnelled{
    "kms-tunnelled", Severity::warning,
    "Windows activates at key management servers that answer only what comes from a public address of "
    "Azure's: what goes to them by a gateway and on-premises is not answered, and after 180 days Windows "
    "is no longer activated.",
    "Except the cloud's key management servers, each /32 to the Internet (`sekisho presets` lists them); the "
    "subnet needs outbound of its own for it, a NAT gateway say.",
    find_kms_tunnelled};

const Rule kms_near_miss{
    "kms-near-miss", Severity::warning,
    "An exception whose address is a key management server's but for one number takes nobody's traffic, or "
    "somebody else's.",
    "Correct the address: `sekisho presets` lists them.", find_kms_near_miss};

const Rule kms_incomplete{"kms-incomplete", Severity::warning,
                          "Windows activates with any of its cloud's key management servers; a request for "
                          "one that has no exception may leave "
                          "from an address outside Azure, and is refused.",
                          "Write { preset = \"kms\", cloud = \"...\", next_hop = \"...\" }, or in Azure a "
                          "/32 for each of the cloud's addresses.",
                          find_kms_incomplete};

const Rule kms_of_another_cloud{"kms-of-another-cloud", Severity::warning,
                                "Each of Azure's clouds has key management servers of its own.",
                                "Use the preset of this cloud, or correct \"cloud\" in [azure] (--cloud).",
                                find_kms_of_another_cloud};

}  // namespace sekisho::check
