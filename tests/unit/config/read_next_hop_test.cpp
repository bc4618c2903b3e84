// SPDX-License-Identifier: BSD-3-Clause
// Next hops, and which of them leads to the Internet.
#include <gtest/gtest.h>

#include "tests/unit/config/edited.hpp"

namespace sekisho::config {
namespace {

TEST_F(EditedConfig, NextHopsAndInternet) {
  const std::string members = "members = [\"10.0.1.1\"]";
  expect({
      {members, "", "10: [next_hop.gateway] needs \"members\""},
      {members, "members = []", "11: \"members\" in [next_hop.gateway] is empty"},
      {members, "members = [\"10.0.1.1\", \"10.0.1.1\"]", "11: duplicate member 10.0.1.1"},
      {members, "members = [\"10.0.1.256\"]", "11: "},
      {members, "members = [\"10.0.1.1/32\"]", "11: "},
      {members, "members = [{ address = \"10.0.1.1\" }, { address = \"10.0.1.2\", weight = 100 }]", ""},
      {members, "members = [\"10.0.1.1\", { address = \"10.0.1.2\", weight = 0 }]\nhash = \"addresses\"", ""},
      {members, "members = [{ address = \"10.0.1.1\", weight = 101 }]",
       "11: \"weight\" is 0 to 100, not 101"},
      {members, "members = [{ address = \"10.0.1.1\", weight = -1 }]", "11: \"weight\" is 0 to 100, not -1"},
      {members, "members = [{ address = \"10.0.1.1\", weight = 0 }]",
       "10: next hop gateway has no member of a weight above 0"},
      {members, "members = [{ weight = 2 }]", "11: an entry of \"members\" needs \"address\""},
      {members, "members = [{ address = \"10.0.1.1\", wait = 2 }]", "11: "},
      {members, "members = [\"10.0.1.1\", { address = \"10.0.1.1\" }]", "11: duplicate member 10.0.1.1"},
      {members, "members = [7]",
       "11: \"members\" in [next_hop.gateway] must be an array of addresses and tables only"},
      {members, members + "\nhash = \"ports\"",
       "12: \"hash\" in [next_hop.gateway] is \"5-tuple\" or \"addresses\", not \"ports\""},
      {members, "members = [\"0.0.0.1\"]", "11: 0.0.0.1 is in 0.0.0.0/8 (\"this network\")"},
      {members, "members = [\"224.0.0.1\"]", "11: 224.0.0.1 is in 224.0.0.0/3 (multicast and reserved)"},
      {members, "members = [\"255.255.255.255\"]", "11: 255.255.255.255 is in"},
      {members, "members = [\"169.254.21.1\"]", ""},
      {members, "members = [\"10.0.2.4\"]",
       "11: member 10.0.2.4 is the appliance's own address on port wire"},
      {"via = \"firewall\"\n", "", "12: [internet] needs \"via\""},
      {"via = \"firewall\"", "via = \"firewal\"",
       "13: there is no next hop \"firewal\"; did you mean \"firewall\"?"},
      {"via = \"firewall\"", "via = \"None\"", "13: [internet] via \"None\" would drop everything"},
      {"via = \"firewall\"", "via = \"Internet\"",
       "13: [internet] via \"Internet\" would take everything past the firewall"},
      {"install = \"halves\"", "install = \"half\"",
       "14: \"install\" in [internet] is \"default\" or \"halves\", not \"half\""},
      {"install = \"halves\"", "install = \"default\"", ""},
      {"[internet]\nvia = \"firewall\"\ninstall = \"halves\"\n", "",
       "15: [zone.onprem] requires [internet], which is missing"},
  });
}

}  // namespace
}  // namespace sekisho::config
