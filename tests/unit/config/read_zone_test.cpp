// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "tests/unit/config/edited.hpp"

namespace sekisho::config {
namespace {

TEST_F(EditedConfig, Zones) {
  const std::string kms = "{ preset = \"kms\", cloud = \"public\", next_hop = \"gateway\" }";
  const std::string prefix = "{ prefix = \"10.0.0.0/16\", next_hop = \"gateway\" }";
  const std::string file = "{ file = \"more.txt\", next_hop = \"NONE\" }";
  expect({
      {"port = [\"lan\"]\n", "", "15: [zone.onprem] needs \"port\""},
      {"port = [\"lan\"]", "port = []", "16: \"port\" in [zone.onprem] is empty"},
      {"port = [\"lan\"]", "port = [\"lam\"]", "16: there is no port \"lam\"; did you mean \"lan\"?"},
      {"port = [\"lan\"]", "port = [\"lan\", \"lan\"]", "16: duplicate port \"lan\""},
      {"sources = [\"172.16.0.0/12\"]\n", "", "15: [zone.onprem] needs \"sources\""},
      {"[\"172.16.0.0/12\"]", "[]", "17: \"sources\" in [zone.onprem] is empty"},
      {"[\"172.16.0.0/12\"]", "[\"172.16.0.1/12\"]",
       "17: host bits are set (172.16.0.1/12; did you mean 172.16.0.0/12?)"},
      {"[\"172.16.0.0/12\"]", "[\"172.16.0.0/12\", \"bgp\"]",
       "17: \"bgp\" as a source requires [bgp], which is missing"},
      {"[\"172.16.0.0/12\"]", "[\"bgp\", \"bgp\"]", "17: duplicate source \"bgp\""},
      {"internet = true", "internet = true\nvia = \"internet\"",
       "19: [zone.onprem] via \"Internet\" would take everything past the firewall"},
      {"internet = true", "internet = true\nvia = \"none\"",
       "19: [zone.onprem] via \"None\" would drop everything"},
      {"internet = true", "internet = true\nvia = \"gatewy\"",
       "19: there is no next hop \"gatewy\"; did you mean"},
      {"internet = true", "via = \"gateway\"",
       "18: \"via\" in [zone.onprem] says where its default or halves go"},
      {"internet = true", "internet = true\nfollow_default = true",
       "19: follow_default in [zone.onprem] follows what is learned: write \"bgp\" in \"routes\""},
      {"[\"172.16.0.0/12\"]", "[\"172.16.0.0/12\", \"172.16.0.0/12\"]",
       "17: 172.16.0.0/12 is a source of zone onprem already (line 17)"},
      {"\"0.0.0.0/0\"", "\"0.0.0.0/0\", \"172.16.0.0/12\"",
       "27: 172.16.0.0/12 is a source of zone onprem already (line 17)"},
      {"\"0.0.0.0/0\"", "\"127.0.0.0/16\"",
       "27: 127.0.0.0/16 is in 127.0.0.0/8 (loopback) and cannot be a source"},
      {"\"0.0.0.0/0\"", "\"240.0.0.0/4\"", "27: 240.0.0.0/4 is in"},
      {"\"0.0.0.0/0\"", "\"0.0.0.0/1\", \"128.0.0.0/1\"", ""},
      {prefix, "{ prefix = \"10.0.0.0/16\" }", "20: an entry of \"routes\" needs \"next_hop\""},
      {prefix, "{ prefix = \"10.0.0.1/16\", next_hop = \"gateway\" }", "20: host bits are set"},
      {prefix, "{ prefix = \"10.0.0.0/16\", next_hop = \"vnet\" }", "20: there is no next hop \"vnet\""},
      {prefix, "{ prefix = \"10.0.0.0/16\", next_hop = \"none\" }", ""},
      {prefix, "{ prefix = \"10.0.0.0/16\", next_hop = \"internet\" }",
       "20: next hop \"Internet\" needs to know where to leave: write exit = { port = \"...\" } in "
       "[internet]"},
      {prefix, "{ next_hop = \"gateway\" }", "20: an entry of \"routes\" has exactly one of"},
      {prefix, "{ prefix = \"10.0.0.0/16\", file = \"x\", next_hop = \"gateway\" }",
       "20: an entry of \"routes\" has exactly"},
      {prefix, "{ prefix = \"10.0.0.0/16\", cloud = \"public\", next_hop = \"gateway\" }",
       "20: \"cloud\" belongs to a"},
      {prefix, "{ prefix = 10, next_hop = \"gateway\" }",
       "20: \"prefix\" in an entry of \"routes\" must be a string"},
      {kms, "{ preset = \"dns\", cloud = \"public\", next_hop = \"gateway\" }",
       "23: there is no preset \"dns\""},
      {kms, "{ preset = \"kms\", next_hop = \"gateway\" }", "23: an entry of \"routes\" needs \"cloud\""},
      {kms, "{ preset = \"kms\", cloud = \"moon\", next_hop = \"gateway\" }",
       "23: \"cloud\" in an entry of \"routes\" is \"public\", \"usgov\" or \"china\", not \"moon\""},
      {kms, "{ preset = \"kms\", cloud = \"public\" }", "23: an entry of \"routes\" needs \"next_hop\""},
      {kms, "{ preset = \"kms\", cloud = \"public\", next_hop = \"Internet\" }",
       "23: next hop \"Internet\" needs to know where to leave"},
      {kms, "{ preset = \"kms\", cloud = \"china\", next_hop = \"gateway\" }", ""},
      {file, "{ file = \"more.txt\" }", ""},
      {file, "{ file = \"\" }", "22: \"file\" names no file"},
      {"\"overrides.txt\"", "\"a\\u0000b\"", "21: \"file\" names no file"},
      {"\"overrides.txt\"", "\"spoke-udr.json\"", ""},
      {"\"overrides.txt\"", "{ file = \"learned.mrt\", peer = \"10.0.0.1\" }", ""},
      {"\"overrides.txt\"", "{ file = \"learned.mrt\", peer = \"10.0.0\" }", "21: "},
      {prefix, "{ prefix = \"10.0.0.0/16\", peer = \"10.0.0.1\", next_hop = \"gateway\" }",
       "20: \"peer\" belongs to a \"file\" only"},
      {"\"overrides.txt\"", "{ file = \"learned.txt\", allow_empty = true }", ""},
      {"\"overrides.txt\"", "{ file = \"learned.txt\", allow_empty = \"yes\" }",
       "21: \"allow_empty\" in an entry of \"routes\" must be true or false"},
      {prefix, "{ prefix = \"10.0.0.0/16\", allow_empty = true, next_hop = \"gateway\" }",
       "20: \"allow_empty\" belongs to a \"file\" only"},
      {prefix, "{ tag = \"AzureMonitor\", next_hop = \"gateway\" }",
       "20: what \"AzureMonitor\" means, a file tells: write service_tags = \"FILE\" in [azure]"},
      {prefix, "{ prefix = \"10.0.0.0/16\", tag = \"AzureMonitor\", next_hop = \"gateway\" }",
       "20: an entry of \"routes\" has exactly one of \"prefix\", \"file\", \"preset\" and \"tag\""},
  });
}

TEST_F(EditedConfig, Connected) {
  expect({{"[zone.back]", "[zone.back]\nconnected = true", ""},
          {"[zone.back]", "[zone.back]\nconnected = \"lan\"", "26: \"connected\""}});
}

TEST_F(EditedConfig, SystemRoutes) {
  const std::string on = "system_routes = true";
  const std::string vnet = "vnet = [\"10.0.0.0/16\", \"10.1.0.0/16\"]";
  const std::string peerings = "peerings = [\"10.2.0.0/16\"]";
  expect(
      {
          {on, "", "29: \"vnet\" in [zone.vnet] requires system_routes = true"},
          {on + "\n" + vnet, "", "29: \"peerings\" in [zone.vnet] requires system_routes = true"},
          {on, "system_routes = false", "29: \"vnet\" in [zone.vnet] requires"},
          {vnet, "", "25: [zone.vnet] needs \"vnet\""},
          {vnet, "vnet = []", "29: \"vnet\" in [zone.vnet] is empty"},
          {peerings, "", ""},
          {peerings, "peerings = [\"10.1.2.0/24\"]", "30: 10.1.2.0/24 overlaps with 10.1.0.0/16 in \"vnet\""},
          {peerings, "peerings = [\"10.0.0.0/8\"]", "30: 10.0.0.0/8 overlaps with 10.0.0.0/16 in \"vnet\""},
          {peerings, "peerings = [\"0.0.0.0/0\"]", "30: 0.0.0.0/0 cannot be a VNet's: /2 to /29"},
          {peerings, "peerings = [\"128.0.0.0/1\"]", "30: 128.0.0.0/1 cannot be a VNet's: /2 to /29"},
          {peerings, "peerings = [\"192.168.0.0/30\"]", "30: 192.168.0.0/30 cannot be a VNet's"},
          {peerings, "peerings = [\"192.168.0.0/29\"]", ""},
          {peerings, "peerings = [\"127.0.0.0/24\"]", "30: 127.0.0.0/24 is in 127.0.0.0/8 (loopback)"},
          {peerings, "peerings = [\"10.2.0.1/16\"]", "30: host bits are set"},
      },
      azure_fixture);
}

}  // namespace
}  // namespace sekisho::config
