// SPDX-License-Identifier: BSD-3-Clause
// One file of each format that others write, with the routes that are right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "control/formats/format.hpp"
#include "control/formats/reader.hpp"
#include "tests/unit/formats/told.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

auto fixture_file(std::string_view name) -> std::filesystem::path {
  return std::filesystem::path{SEKISHO_FIXTURES} / name;
}

auto lines_of(const RouteFile& file, const std::vector<FileRoute>& routes) -> Lines {
  Lines result;
  for (const auto& route : routes)
    result.push_back(line_of(file, route));
  return result;
}

auto reasons_of(const RouteFile& file) -> Lines {
  Lines result;
  for (const auto& finding : file.findings)
    result.push_back(finding.where.to_string().substr(file.file.string().size()));
  return result;
}

struct Case {
  std::string file;
  std::string table;
  Format format;
  Lines routes;
  Lines invalid;
  std::size_t ipv6 = 0;
};

const Lines kernel_routes{
    "System 0.0.0.0/0 10.0.2.1",      "System 10.0.2.0/24 VnetLocal",           "User 192.0.2.0/24 None",
    "User 198.51.100.7/32 10.0.2.10", "BGP 203.0.113.0/24 10.0.2.10,10.0.2.20", "User 172.31.0.0/16 wg0"};
const Lines kernel_invalid{"User 0.0.0.0/0 10.0.2.2", "User 10.77.0.0/16 None"};

const std::vector<Case> cases{
    {"routers/ip-route.txt", "", Format::ip_route, kernel_routes, kernel_invalid},
    {"routers/ip-route.json", "", Format::ip_route_json, kernel_routes, kernel_invalid},
    {"routers/frr.json",
     "",
     Format::frr,
     {"BGP 0.0.0.0/0 10.0.2.10,10.0.2.20", "System 10.0.2.0/24 VnetLocal", "User 192.0.2.0/24 None",
      "BGP 203.0.113.0/24 10.0.2.10"},
     {"User 0.0.0.0/0 10.0.2.1"}},
    {"routers/bird.txt",
     "",
     Format::bird,
     {"BGP 0.0.0.0/0 10.0.2.10", "System 10.0.2.0/24 VnetLocal", "User 192.0.2.0/24 None",
      "User 198.51.100.7/32 10.0.2.10", "BGP 203.0.113.0/24 10.0.2.10,10.0.2.20", "User 172.31.0.0/16 wg0"},
     {"User 0.0.0.0/0 10.0.2.1"},
     1},
    {"routers/bird1.txt",
     "",
     Format::bird,
     {"BGP 0.0.0.0/0 10.0.2.10", "System 10.0.2.0/24 VnetLocal", "User 203.0.113.0/24 10.0.2.10,10.0.2.20"},
     {"User 0.0.0.0/0 10.0.2.1"}},
    {"routers/router.conf",
     "default",
     Format::router_config,
     {"User 203.0.113.0/24 10.0.2.10,10.0.2.20", "User 192.0.2.0/24 None", "User 198.51.100.7/32 10.0.2.10",
      "User 172.31.0.0/16 wg0"},
     {"User 203.0.113.0/24 10.0.2.30"},
     1},
    {"routers/router.conf", "red", Format::router_config, {"User 0.0.0.0/0 10.9.0.1"}, {}},
    {"routers/router.conf", "vrf blue", Format::router_config, {"User 10.20.0.0/16 10.9.0.2"}, {}},
    {"clouds/aws.json",
     "spoke",
     Format::aws,
     {"System 10.0.0.0/16 VnetLocal", "User 0.0.0.0/0 eni-0a", "BGP 172.16.0.0/12 vgw-0a",
      "User 192.0.2.0/24 nat-0a", "User 198.51.100.0/24 None"},
     {},
     1},
    {"clouds/aws.json", "rtb-0b", Format::aws, {"User 0.0.0.0/0 Internet"}, {}},
    {"clouds/gcloud.json",
     "hub",
     Format::gcloud,
     {"User default-route 0.0.0.0/0 10.0.2.10", "System subnet 10.0.0.0/16 VnetLocal",
      "BGP vpn 172.16.0.0/12 t"},
     {"User internet 0.0.0.0/0 Internet"}},
    {"terraform/state.tfstate",
     "",
     Format::terraform,
     {"User all 0.0.0.0/0 10.0.2.10", "User act 20.118.99.224/32 Internet"},
     {}},
    {"terraform/show.json", "rt-branch", Format::terraform, {"User all 0.0.0.0/0 10.0.2.10"}, {}},
    {"terraform/plan.json", "", Format::terraform, {"User all 0.0.0.0/0 10.0.2.10"}, {}},
    {"terraform/separate.json", "rt-a", Format::terraform, {"User all 0.0.0.0/0 10.0.2.10"}, {}},
    {"effective/columns.txt",
     "",
     Format::effective_table,
     {"System 10.1.0.0/16 VnetLocal", "BGP 0.0.0.0/1 VirtualNetworkGateway 10.1.0.6 10.1.0.7",
      "User 0.0.0.0/0 10.0.2.10"},
     {"System 192.0.2.0/24 Internet"}},
    {"effective/portal.csv",
     "",
     Format::effective_csv,
     {"System 10.1.0.0/16 VnetLocal", "BGP 172.20.0.0/16 VirtualNetworkGateway 10.0.9.4",
      "User all 0.0.0.0/0 10.0.2.10", "System 198.51.100.0/24 VirtualNetworkServiceEndpoint",
      "System 203.0.113.0/24 VirtualNetworkServiceEndpoint"},
     {}},
    {"effective/flat.json", "", Format::effective_routes, {"User all 0.0.0.0/0 10.0.2.10"}, {}},
    {"azure/routes-columns.txt",
     "",
     Format::route_table_text,
     {"User all 0.0.0.0/0 10.0.2.10", "User nowhere 192.0.2.0/24 None"},
     {}},
    {"azure/with-comments.json", "", Format::route_table, {"User all 0.0.0.0/0 10.0.2.10"}, {}},
    {"azure/two-tables.json",
     "RT-LAB",
     Format::route_table,
     {"User all 0.0.0.0/0 Internet", "User x 10.50.0.0/16 None"},
     {}},
    {"gateways/learned.json",
     "",
     Format::learned_routes,
     {"BGP 10.9.0.0/16 VirtualNetworkGateway", "BGP 172.20.0.0/16 172.20.255.1,172.20.255.2"},
     {}},
    {"gateways/route-server.json", "", Format::learned_routes, {"BGP 0.0.0.0/1 10.0.3.4"}, {}},
    {"gateways/circuit.json", "", Format::learned_routes, {"BGP 172.20.0.0/16 10.17.17.141"}, {}},
    {"gateways/hub-effective.json", "", Format::hub_routes, {"BGP 10.40.0.0/16 hub2"}, {}, 1},
    {"gateways/hub-classic.json",
     "",
     Format::hub_routes,
     {"User 10.0.0.0/8 10.0.2.20", "User 192.168.0.0/16 10.0.2.20"},
     {}},
    {"gateways/rules.json",
     "",
     Format::routing_rules,
     {"User all 0.0.0.0/0 10.0.2.20", "User none 192.0.2.0/24 None"},
     {}},
};

TEST(Readers, EachReadsWhatIsRight) {
  for (const auto& test : cases) {
    const auto file = read_routes(fixture_file(test.file), {.table = test.table});
    ASSERT_TRUE(file) << file.error().to_string();
    EXPECT_EQ(row_of(file->format).name, row_of(test.format).name) << test.file;
    EXPECT_EQ(lines_of(*file, file->routes), test.routes) << test.file;
    EXPECT_EQ(lines_of(*file, file->invalid), test.invalid) << test.file;
    EXPECT_EQ(file->ipv6, test.ipv6) << test.file;
    // Whoever says the same with --format reads the same.
    const auto said = read_routes(fixture_file(test.file), {.format = test.format, .table = test.table});
    ASSERT_TRUE(said) << said.error().to_string();
    EXPECT_EQ(lines_of(*said, said->routes), test.routes) << test.file;
  }
}

TEST(Readers, TablesKeepWhatTheySayOfPropagation) {
  const auto takes_bgp = [](std::string_view file, std::string table) {
    const auto read = read_routes(fixture_file(file), {.table = std::move(table), .empty = Empty::allowed});
    EXPECT_TRUE(read) << read.error().to_string();
    return read && read->tables.at(0).takes_bgp;
  };
  EXPECT_FALSE(takes_bgp("terraform/state.tfstate", ""));
  EXPECT_TRUE(takes_bgp("terraform/plan.json", ""));
  EXPECT_TRUE(takes_bgp("terraform/separate.json", "rt-a"));
  EXPECT_FALSE(takes_bgp("terraform/separate.json", "module.spoke.azurerm_route_table.this[\"b\"]"));
  EXPECT_FALSE(takes_bgp("azure/two-tables.json", "rt-web"));
  EXPECT_TRUE(takes_bgp("azure/two-tables.json", "rt-lab"));
}

TEST(Readers, WhatAPlanDoesNotKnowIsLeftOutAndSaid) {
  const auto known = read_routes(fixture_file("terraform/separate.json"), {.table = "rt-a"});
  ASSERT_TRUE(known) << known.error().to_string();
  EXPECT_THAT(known->findings, IsEmpty());  // of another table
  const auto open = read_routes(fixture_file("terraform/separate.json"), {.table = "rt-b"});
  ASSERT_FALSE(open);
  EXPECT_THAT(
      open.error().to_string(),
      HasSubstr("$.planned_values.root_module.child_modules[0].resources[3].values: route \"later\" is left "
                "out: its next_hop_in_ip_address is known after the plan is applied only"));
}

TEST(Readers, FindingsOfTextNameTheLine) {
  const auto file = read_routes(fixture_file("routers/ip-route.txt"));
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(reasons_of(*file),
              ElementsAre(":10: 10.77.0.0/16 is dead, and not followed",
                          ":2: 0.0.0.0/0 of metric 200 is not in force: another has a lower one",
                          ": 1 route of the host's own addresses is left out"));
}

struct Refused {
  std::string content;
  std::string reason;
};

TEST(Readers, RefuseWhatTheyDoNotKnowByItsPlace) {
  const test::TemporaryFolder folder;
  const std::vector<Refused> refused{
      {"default via 10.0.2.1 dev eth0\n10.0.0.0/8 via 10.0.2.1 colour blue\n",
       ":2: \"colour\" is no word that `ip route` prints"},
      {"default via 10.0.2.1 dev eth0\nbanana via 10.0.2.1\n",
       ":2: \"banana\" is neither a prefix nor \"default\""},
      {"throw 10.0.0.0/8\n", ":1: is a route of type \"throw\", which is not read"},
      {"10.0.0.0/8 via 10.0.2.300 dev eth0\n", ":1: "},
      {"10.0.0.0/8 dev eth0 metric many\n", ":1: \"many\" is not a number"},
      {"10.0.0.0/8 proto bgp metric 20\n\tnexthop weight 1\n", ":1: has neither a gateway nor an interface"},
      {R"([{"dst": "10.0.0.0/8", "gateway": 7}])", ": $[0].gateway: is a number where a string is expected"},
      {R"([{"dst": "10.0.0.0/8", "dev": "e"}, {"gateway": "10.0.0.1"}])",
       ": $[1]: is a route without a destination"},
      {R"({"10.0.0.0/8": [{"protocol": "bgp", "selected": true}]})",
       ": $['10.0.0.0/8'][0]: is not an array of at least one next hop"},
      {R"({"RouteTables": [{"RouteTableId": "a", "Routes": [{"DestinationCidrBlock": "10.0.0.0/8"}]}]})",
       ": $.RouteTables[0].Routes[0]: is a route without a target that is known here"},
      {R"({"RouteTables": [], "NextToken": "x"})", ": $.NextToken: the list goes on behind this token"},
      {R"({"RouteTables": [{"RouteTableId": "a", "Routes": [{"DestinationPrefixListId": "pl-0", "GatewayId": "vpce-0"}]}]})",
       ": $.RouteTables[0].Routes[0]: a route is left out: which prefixes \"pl-0\" has, this file does not "
       "tell"},
      {R"([{"destRange": "0.0.0.0/0", "name": "r", "nextHopIp": "10.0.0.1", "tags": ["a"]}])",
       ": $[0].tags: route \"r\" is left out: it is one of instances with certain tags only"},
      {R"({"version": 3, "terraform_version": "0.11.1", "modules": []})",
       ": $.version: only a Terraform state of version 4 is read"},
      {R"({"version": 4, "terraform_version": "1.9.5", "resources": []})",
       ": holds no route ($: there is no azurerm_route_table and no azurerm_route)"},
      {R"({"version": 4, "terraform_version": "1.9.5", "resources": [{"type": "aws_route", "name": "r", "instances": []}]})",
       ": holds no route ($.resources[0]: aws_route is not read"},
      {"Source,State,Next Hop Type\nDefault,Active\n", ":2: has 2 fields where the titles are 3"},
      {"Source   State   Address Prefix  Next Hop Type  Next Hop IP\n"
       "-------  ------  --------------  -------------  -----------\n"
       "Default  Active  10.0.0.0/8      VnetLocal\n"
       "Default  Maybe   10.0.0.0/8      VnetLocal\n",
       ":4: the state of an effective route is Active or Invalid"},
      {R"([{"network": "10.0.0.0/8", "nextHop": "10.0.0.300", "weight": 1}])", ": $[0].nextHop: "},
      {R"([{"destination": {"destinationAddress": "0.0.0.0/0"}, "nextHop": {"nextHopType": "Elsewhere"}}])",
       ": $[0].nextHop.nextHopType: \"Elsewhere\" is no next-hop type of a rule"},
      {R"({"routes": [{"addressPrefixes": ["10.0.0.0/8"]}]})",
       ": $.routes[0]: is a route without a next hop"},
  };
  for (const auto& [content, reason] : refused) {
    const auto path = folder.write("file", content);
    const auto file = read_routes(path);
    ASSERT_FALSE(file) << content;
    EXPECT_THAT(file.error().to_string().substr(path.string().size()), testing::StartsWith(reason))
        << content;
  }
}

}  // namespace
}  // namespace sekisho::formats
