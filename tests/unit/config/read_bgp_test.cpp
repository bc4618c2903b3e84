// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/config/edited.hpp"

namespace sekisho::config {
namespace {

TEST_F(EditedConfig, Bgp) {
  const std::string asn = "asn = 65010\n";
  const std::string first = "{ address = \"10.0.3.4\", asn = 65515 }";
  const std::string advertise = "[\"198.51.100.0/24\", { file = \"announced.txt\" }]";
  expect(
      {
          {asn, "", "36: [bgp] needs \"asn\""},
          {asn, "asn = 0\n", "37: 0 is not an autonomous system number: 1 to 4294967294, not 65535"},
          {asn, "asn = 65535\n", "37: 65535 is not an autonomous system number"},
          {asn, "asn = 4294967295\n", "37: 4294967295 is not an autonomous system number"},
          {asn, "asn = -1\n", "37: -1 is no"},
          {asn, "asn = \"65010\"\n", "37: \"asn\" in [bgp] must be an integer, not a string"},
          {first, "{ address = \"10.0.3.5\", asn = 65515 }", "38: duplicate peer 10.0.3.5"},
          {first, "{ address = \"10.0.3.4\" }", "38: a peer needs \"asn\""},
          {first, "{ asn = 1 }", "38: a peer needs \"address\""},
          {first, "{ address = \"224.0.0.1\", asn = 1 }", "38: 224.0.0.1 is in 224.0.0.0/3"},
          {first, "{ address = \"10.0.3.4\", asn = 1, password = \"x\" }",
           "38: \"password\" is not a key of a peer"},
          {first,
           "{ address = \"10.0.3.4\", asn = 65515, preset = \"azure-vwan-hub\", prepend = 3, next_hop = "
           "\"10.0.1.9\" }",
           ""},
          {first, "{ address = \"10.0.3.4\", asn = 1, preset = \"azure\" }",
           "38: \"preset\" in a peer is \"generic\", \"azure-route-server\", \"azure-vwan-hub\", "
           "\"aws-route-server\" "
           "or \"gcp-cloud-router\", not \"azure\""},
          {first, "{ address = \"10.0.3.4\", asn = 1, prepend = 11 }", "38: \"prepend\" is 0 to 10, not 11"},
          {first, "{ address = \"10.0.3.4\", asn = 1, prepend = -1 }", "38: \"prepend\" is 0 to 10, not -1"},
          {first, "{ address = \"10.0.3.4\", asn = 1, next_hop = \"10.0.1.0/24\" }", "38: "},
          {asn,
           asn + "frr = \"edge_1\"\nrouter_id = \"10.0.1.4\"\nwithdraw_after = \"2s\"\ndead_after = \"1m\"\n",
           ""},
          {asn, asn + "frr = \"../x\"\n", "38: \"../x\" cannot name an instance of FRR"},
          {asn, asn + "frr = \"\"\n", "38: \"\" cannot name an instance of FRR"},
          {asn, asn + "router_id = \"0.0.0.0\"\n", "38: "},
          {asn, asn + "withdraw_after = \"2h\"\n", "38: \"withdraw_after\" is 0ms to 1h, not 2h"},
          {asn, asn + "advertise_after = 5\n", "38: \"advertise_after\" in [bgp] must be a string"},
          {asn, asn + "dead_after = \"0s\"\n", "38: \"dead_after\" is 1s to 1h, not 0s"},
          {asn, asn + "graceful_restart = \"90s\"\n", ""},
          {asn, asn + "graceful_restart = \"2h\"\n", "38: \"graceful_restart\" is 0ms to 1h, not 2h"},
          {asn, asn + "graceful_restart = true\n", "38: \"graceful_restart\" in [bgp] must be a string"},
          {first, "\"10.0.3.4\"", "38: \"peer\" in [bgp] must be an array of tables only, not a string"},
          {"peer = [{ address = \"10.0.3.4\", asn = 65515 }, { address = \"10.0.3.5\", asn = 4200000000 }]",
           "peer = []", "38: \"peer\" in [bgp] is empty"},
          {"peer = [", "peers = [", "38: \"peers\" is not a key of [bgp]; did you mean \"peer\"?"},
          {advertise, "[\"198.51.100.1/24\"]", "39: host bits are set"},
          {advertise, "[\"announced.txt\"]", "39: "},
          {advertise, "[{ file = \"announced.mrt\", peer = \"10.0.0.1\" }]", ""},
          {advertise, "[{ prefix = \"198.51.100.0/24\" }]",
           "39: \"prefix\" is not a key of an entry of \"advertise\""},
          {advertise, "[1]", "39: \"advertise\" in [bgp] must be an array of prefixes and tables"},
      },
      azure_fixture);
}

}  // namespace
}  // namespace sekisho::config
