// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/kms.hpp"

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
  for (const auto host : policy::kms_addresses(cloud))
    if (const auto route = exception_for(table, host))
      result.push_back(*route);
  return result;
}

// Those of the cloud's addresses that go elsewhere than this exception. A service tag may cover some without a host route.
auto left_out(const Table& table, std::string_view cloud, const route::Route& exception)
    -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto host : policy::kms_addresses(cloud)) {
    const auto route = table.routes->lookup(host.address);
    if (!route || route->next_hop != exception.next_hop)
      result.push_back(base::address_to_string(host.address));
  }
  return result;
}

auto find_kms_incomplete(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables) {
    for (const auto cloud : policy::kms_clouds) {
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
    for (const auto cloud : policy::kms_clouds) {
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

}  // namespace

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
