// SPDX-License-Identifier: BSD-3-Clause
// What is found of a rule in a whole configuration: cases, by what their rules are about.
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config.hpp"
#include "tests/unit/check/azure_files.hpp"

namespace sekisho::check {

using Lines = std::vector<std::string>;
using Files = std::map<std::string, std::string>;

// No rule finds anything here. "@name" is a place for a case to put text into; each line counts.
inline constexpr std::string_view good_configuration = R"([port.lan]
device = "0000:00:04.0"
address = ["10.0.1.4/24"]
@lan
[port.egress]
device = "0000:00:05.0"
address = ["10.0.2.4/24"]
@egress
[next_hop]
firewall       = { members = ["10.0.2.10"], probe = { type = "tcp", port = 443 } }
onprem-gateway = { members = ["10.0.1.10"], probe = { type = "icmp" } }
@next_hop

vnet-gateway   = { members = ["10.0.1.20"], probe = { type = "icmp" } }
[internet]
via = "firewall"
exit = { port = "egress" }
@internet
[azure]
cloud = "public"
service_tags = "tags.json"
@azure
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = [
  { prefix = "10.0.0.0/16", next_hop = "vnet-gateway" },
@onprem
]
[zone.vnet]
port = ["lan"]
sources = ["10.0.0.0/16"]
internet = true
routes = [
  { prefix = "172.16.0.0/12", next_hop = "onprem-gateway" },
@vnet
]
[zone.internet]
port = ["egress"]
sources = ["0.0.0.0/0"]
routes = [
  { prefix = "172.16.0.0/12", next_hop = "onprem-gateway" },
  { prefix = "10.0.0.0/16", next_hop = "vnet-gateway" },
]
@end
)";

struct Edit {
  std::string old;  // stands in the configuration once
  std::string text;
};

struct Case {
  std::string why;
  std::string rule;
  std::vector<Edit> edits{};
  Lines expected;  // "where: what" of each finding
  Files files{};
  Lines interfaces{};  // of the machine, "NAME" or "NAME ADDRESS/LENGTH"; none: it is not asked
  Files nics{};        // of the machine in Azure
  Files alone{};       // are checked without the configuration
  config::Gateway gateway = config::Gateway::unknown;  // with them
};

// Each in a file of its name.
auto advertised_cases() -> std::vector<Case>;
auto table_cases() -> std::vector<Case>;
auto member_cases() -> std::vector<Case>;
auto way_cases() -> std::vector<Case>;
auto subnet_cases() -> std::vector<Case>;
auto port_cases() -> std::vector<Case>;
auto file_cases() -> std::vector<Case>;
auto azure_cases() -> std::vector<Case>;

using test::udr;

inline const Edit egress_udr{"@egress", "subnet_routes = \"udr.json\""};
inline const Edit lan_udr{"@lan", "subnet_routes = \"udr.json\""};

inline auto gateway(const std::string& what) -> Edit {
  return {"@azure", "gateway = \"" + what + "\""};
}

inline auto prefix_lines(unsigned count) -> std::string {
  std::string result;
  for (unsigned i = 0; i < count; ++i)
    result += fmt::format("20.{}.{}.0/24\n", i / 256, i % 256);
  return result;
}

inline auto host_lines(unsigned count) -> std::string {
  std::string result;
  for (unsigned i = 0; i < count; ++i)
    result += fmt::format("20.{}.{}.1/32\n", i / 256, i % 256);
  return result;
}

inline auto many_routes(unsigned count) -> std::string {
  std::vector<test::UdrRoute> routes;
  for (unsigned i = 0; i < count; ++i)
    routes.push_back({fmt::format("20.{}.{}.0/24", i / 256, i % 256), "None"});
  return udr({.routes = routes});
}

}  // namespace sekisho::check
