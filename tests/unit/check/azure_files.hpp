// SPDX-License-Identifier: BSD-3-Clause
// Azure's files, as small as they can be.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace sekisho::test {

struct UdrRoute {
  std::string prefix;
  std::string type;
  std::string address{};
};

struct Udr {
  std::string name = "spoke-rt";
  bool propagation_off = false;
  std::vector<UdrRoute> routes;
};

// As `az network route-table show` prints it; the routes are named r0, r1 and so on.
inline auto udr(const Udr& table) -> std::string {
  std::string routes;
  for (std::size_t i = 0; i < table.routes.size(); ++i) {
    const auto& route = table.routes[i];
    routes +=
        fmt::format(R"({}{{"name": "r{}", "addressPrefix": "{}", "nextHopType": "{}"{}}})",
                    i == 0 ? "" : ", ", i, route.prefix, route.type,
                    route.address.empty() ? "" : fmt::format(R"(, "nextHopIpAddress": "{}")", route.address));
  }
  return fmt::format(R"({{"name": "{}", "disableBgpRoutePropagation": {}, "routes": [{}]}})", table.name,
                     table.propagation_off, routes);
}

inline constexpr std::string_view service_tags = R"({"changeNumber": 1, "cloud": "Public", "values": [
{"name": "AzureCloud", "id": "AzureCloud", "properties": {"changeNumber": 1, "region": "", "regionId": 0,
 "platform": "Azure", "systemService": "", "addressPrefixes": ["20.0.0.0/16", "40.0.0.0/16"], "networkFeatures": ["API", "NSG"]}},
{"name": "AzureMonitor", "id": "AzureMonitor", "properties": {"changeNumber": 1, "region": "", "regionId": 0,
 "platform": "Azure", "systemService": "AzureMonitor", "addressPrefixes": ["20.1.0.0/24"], "networkFeatures": ["API", "UDR"]}},
{"name": "Six", "id": "Six", "properties": {"changeNumber": 1, "region": "", "regionId": 0,
 "platform": "Azure", "systemService": "Six", "addressPrefixes": ["2001:db8::/32"], "networkFeatures": ["API", "UDR"]}}]})";

// A service tag file with AzureMonitor.Region0, AzureMonitor.Region1 and so on.
inline auto monitor_regions(unsigned count) -> std::string {
  std::string values;
  for (unsigned i = 0; i < count; ++i)
    values += fmt::format(
        R"({}{{"name": "AzureMonitor.Region{}", "id": "", "properties": {{"changeNumber": 1, "region": "region{}", "regionId": {},
        "platform": "Azure", "systemService": "AzureMonitor", "addressPrefixes": ["20.1.{}.0/24"], "networkFeatures": ["UDR"]}}}})",
        i == 0 ? "" : ", ", i, i, i, i);
  return fmt::format(R"({{"changeNumber": 1, "cloud": "Public", "values": [{}]}})", values);
}

}  // namespace sekisho::test
