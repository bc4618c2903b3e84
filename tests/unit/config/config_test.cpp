// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.hpp"
#include "tests/unit/config/edited.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::config {
namespace {

TEST(Config, ReadsEveryKey) {
  const auto config = read(fixture);
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->file, fixture);

  ASSERT_EQ(config->ports.size(), 2U);
  const auto& lan = config->ports[0];
  EXPECT_EQ(lan.name, "lan");
  EXPECT_EQ(lan.device, "af_xdp:lan0");
  EXPECT_EQ(lan.netdev(), "lan0");
  EXPECT_EQ(lan.mtu, 0);
  EXPECT_EQ(lan.line, 1U);
  const auto& wire = config->ports[1];
  EXPECT_EQ(wire.name, "wire");
  EXPECT_EQ(wire.device, "net_null0,no-rx=1");
  EXPECT_EQ(wire.netdev(), std::nullopt);
  EXPECT_EQ(wire.addresses, (std::vector<InterfaceAddress>{{ip(10, 0, 2, 4), 24}}));
  ASSERT_EQ(wire.neighbours.size(), 1U);
  EXPECT_EQ(wire.neighbours[0].address, ip(10, 0, 2, 10));
  EXPECT_EQ(wire.neighbours[0].mac, (std::array<std::uint8_t, 6>{2, 0, 0, 0, 0, 1}));
  EXPECT_EQ(wire.mtu, 1500);
  EXPECT_EQ(wire.line, 3U);

  ASSERT_EQ(config->next_hops.size(), 2U);
  EXPECT_EQ(config->next_hops[0].name, "firewall");
  EXPECT_EQ(config->next_hops[0].members, (std::vector<std::uint32_t>{ip(10, 0, 2, 10), ip(10, 0, 2, 11)}));
  EXPECT_EQ(config->next_hops[0].line, 8U);
  EXPECT_EQ(config->next_hops[1].name, "gateway");

  ASSERT_TRUE(config->internet);
  EXPECT_EQ(config->internet->via, "firewall");
  EXPECT_EQ(config->internet->install, Install::halves);
  EXPECT_EQ(config->internet->line, 12U);

  ASSERT_TRUE(config->metrics);
  EXPECT_EQ(config->metrics->address, ip(127, 0, 0, 1));
  EXPECT_EQ(config->metrics->port, 9273);
  EXPECT_EQ(config->metrics->line, 30U);

  ASSERT_EQ(config->assertions.size(), 2U);
  const auto& first = config->assertions[0];
  EXPECT_EQ(first.name, "by the firewall");
  EXPECT_EQ(first.zone, "onprem");
  EXPECT_EQ(first.via, (std::vector<std::string>{"firewall", "None"}));
  ASSERT_EQ(first.to.size(), 2U);
  EXPECT_EQ(first.to[0].kind, Destination::Kind::internet);
  EXPECT_EQ(first.to[1].prefix, (base::Prefix{ip(203, 0, 113, 0), 24}));
  ASSERT_EQ(first.except.size(), 1U);
  EXPECT_EQ(first.except[0].kind, Destination::Kind::preset);
  EXPECT_EQ(first.line, 31U);
  const auto& second = config->assertions[1];
  EXPECT_EQ(second.zone, "");
  EXPECT_EQ(second.from, (base::Prefix{ip(172, 16, 0, 0), 16}));
  EXPECT_TRUE(second.except.empty());
  EXPECT_TRUE(config->internet->asserted);

  ASSERT_EQ(config->zones.size(), 2U);
  const auto& back = config->zones[0];
  EXPECT_EQ(back.name, "back");
  EXPECT_EQ(back.ports, (std::vector<std::string>{"wire", "lan"}));
  EXPECT_EQ(back.sources, (std::vector<base::Prefix>{{0, 0}, {ip(198, 18, 0, 0), 15}}));
  EXPECT_FALSE(back.internet);
  EXPECT_EQ(back.line, 25U);
  const auto& onprem = config->zones[1];
  EXPECT_EQ(onprem.name, "onprem");
  EXPECT_TRUE(onprem.internet);
  ASSERT_EQ(onprem.routes.size(), 4U);
  EXPECT_EQ(onprem.routes[0].kind, RouteSpec::Kind::prefix);
  EXPECT_EQ(onprem.routes[0].prefix, (base::Prefix{ip(10, 0, 0, 0), 16}));
  EXPECT_EQ(onprem.routes[0].next_hop, "gateway");
  EXPECT_EQ(onprem.routes[0].line, 20U);
  EXPECT_EQ(onprem.routes[1].kind, RouteSpec::Kind::file);
  EXPECT_EQ(onprem.routes[1].file, fixture.parent_path() / "overrides.txt");
  EXPECT_EQ(onprem.routes[1].next_hop, "");
  EXPECT_EQ(onprem.routes[2].file, fixture.parent_path() / "more.txt");
  EXPECT_EQ(onprem.routes[2].next_hop, "None") << "as Azure writes it";
  EXPECT_EQ(onprem.routes[2].line, 22U);
  EXPECT_EQ(onprem.routes[3].kind, RouteSpec::Kind::preset);
  EXPECT_EQ(onprem.routes[3].preset, "kms");
  EXPECT_EQ(onprem.routes[3].cloud, "public");
  EXPECT_EQ(onprem.routes[3].next_hop, "gateway");
}

TEST(Config, ReadsTheShippedExample) {
  const auto config = read(std::filesystem::path{SEKISHO_EXAMPLES} / "halves.toml");
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->zones.size(), 3U);
}

TEST(Config, ARouteFileIsRelativeToTheConfiguration) {
  const auto parsed = [](std::string_view file) {
    const auto config =
        parse(std::string{"port.a.device = \"net_null0\"\n[zone.z]\nport = [\"a\"]\nsources = "
                          "[\"10.0.0.0/8\"]\nroutes = [\""} +
                  std::string{file} + "\"]\n",
              "/etc/sekisho/sekisho.toml");
    EXPECT_TRUE(config) << config.error().to_string();
    return config ? config->zones.at(0).routes.at(0).file.string() : "";
  };
  EXPECT_EQ(parsed("routes.txt"), "/etc/sekisho/routes.txt");
  EXPECT_EQ(parsed("../x/routes.txt"), "/etc/x/routes.txt");
  EXPECT_EQ(parsed("/srv/routes.txt"), "/srv/routes.txt");
}

TEST_F(EditedConfig, Syntax) {
  expect({
      {"mtu = 1500", "mtu = ", "7: "},
      {"[port.wire]", "[port.lan]", "3: "},
      {"mtu = 1500", "mtu = 1500\nmtu = 1500", "8: "},
      {"\"af_xdp:lan0\"", "\"af_xdp:lan0", "2: "},
      {"\"af_xdp:lan0\"", "\"af_xdp:\xff\"", "2: "},
  });
}

TEST_F(EditedConfig, KeysAndTypes) {
  expect({
      {"[internet]", "[internt]",
       "12: \"internt\" is not a key of the configuration; did you mean \"internet\"?"},
      {"mtu = 1500", "mut = 1500", "7: \"mut\" is not a key of [port.wire]; did you mean \"mtu\"?"},
      {"mtu = 1500", "colour = 1500", "7: \"colour\" is not a key of [port.wire]"},
      {"device = \"net", "DEVICE = \"net",
       "4: \"DEVICE\" is not a key of [port.wire]; did you mean \"device\"?"},
      {"[zone.back]", "[[bgp]]", "25: \"bgp\" must be a table, [bgp]"},
      {"internet = true", "internet = \"true\"",
       "18: \"internet\" in [zone.onprem] must be true or false, not a string"},
      {"mtu = 1500", "mtu = 1500.0",
       "7: \"mtu\" in [port.wire] must be an integer, not a floating-point number"},
      {"[\"lan\"]", "\"lan\"", "16: \"port\" in [zone.onprem] must be an array of strings, not a string"},
      {"[\"172.16.0.0/12\"]", "[\n\"172.16.0.0/12\",\n12]",
       "19: \"sources\" in [zone.onprem] must be an array of strings only, not an integer"},
      {"\"af_xdp:lan0\"", "1", "2: \"device\" in [port.lan] must be a string, not an integer"},
      {"  \"overrides.txt\",", "1, ",
       "21: \"routes\" in [zone.onprem] must be an array of tables and file names only"},
      {"next_hop = \"gateway\" },\n  \"over", "nexthop = \"gateway\" },\n  \"over",
       "20: \"nexthop\" is not a key of an entry of \"routes\"; did you mean \"next_hop\"?"},
      {", mac =", ", lladdr =", "6: \"lladdr\" is not a key of a neighbour"},
      {"[port.lan]\ndevice = \"af_xdp:lan0\"", "port.lan = 3", "1: \"lan\" must be a table, [port.lan]"},
      {"[internet]\nvia = \"firewall\"\ninstall = \"halves\"", "[[internet]]",
       "12: \"internet\" must be a table, [internet]"},
      {"[zone.back]", "[zone.back]\n\"a\\nb\" = 1", "26: \"a?b\" is not a key of [zone.back]"},
      // The first in the file is the one that is told, whatever is looked at first.
      {"install = \"halves\"", "install = 1\n[zone.a]\nx = 1", "14: \"install\""},
  });
}

TEST_F(EditedConfig, Names) {
  expect({
      {"[port.lan]", "[port.LAN]", "1: \"LAN\" cannot be a name: 1 to 31 of the characters a-z, 0-9 and -"},
      {"[port.lan]", "[port.\"\"]", "1: \"\" cannot be a name"},
      {"[port.lan]", "[port.a_b]", "1: \"a_b\" cannot be a name"},
      {"[zone.back]", "[zone." + std::string(31, 'a') + "]", ""},
      {"[zone.back]", "[zone." + std::string(32, 'a') + "]", "25: "},
      {"[zone.back]", "[zone.internet]", ""},
      {"[zone.back]", "[zone.sources]",
       "25: \"sources\" is the table that finds the zones and cannot name one"},
      {"[next_hop.gateway]", "[next_hop.none]",
       "10: \"none\" has a meaning of its own and cannot name a next hop"},
      {"[next_hop.gateway]", "[next_hop.internet]", "10: \"internet\" has a meaning"},
      {"[next_hop.gateway]", "[next_hop.host]", "10: \"host\" has a meaning"},
      {"[next_hop.gateway]", "[next_hop.connected]", "10: \"connected\" has a meaning"},
      {"[next_hop.gateway]", "[next_hop.host-10-0-1-7]", "10: \"host-10-0-1-7\" has a meaning"},
      {"[next_hop.gateway]", "[next_hop.host-a]\nmembers = [\"10.0.2.77\"]\n[next_hop.gateway]", ""},
      {"[next_hop.gateway]", "[next_hop.vnetlocal]",
       "10: \"vnetlocal\" has a meaning of its own and cannot name a next hop"},
      {"[next_hop.gateway]", "[next_hop.virtualappliance]", "10: \"virtualappliance\" has a meaning"},
      {"[next_hop.gateway]", "[next_hop.natgateway]", "10: \"natgateway\" has a meaning"},
  });
}

TEST_F(EditedConfig, Guard) {
  const auto guard = [](const std::string& keys) { return "[guard]\n" + keys + "\n[metrics]"; };
  expect({
      {"[metrics]", guard("scope = \"host\""), ""},
      {"[metrics]", guard("scope = \"ports\"\nallow = [\"docker0\", \"eth0\"]"), ""},
      {"[metrics]", guard("scope = \"port\""), "30: "},
      {"[metrics]", guard("scope = \"ports\""), "29: [guard] needs \"allow\""},
      {"[metrics]", guard("allow = [\"docker0\"]"),
       "30: \"allow\" needs scope = \"ports\": with scope = \"host\" the kernel forwards for nobody"},
      {"[metrics]", guard("scope = \"ports\"\nallow = [\"eth*\"]"), "31: \"eth*\" is not an interface name"},
      {"[metrics]", guard("scope = \"ports\"\nallow = [\"sekisho0\"]"),
       "31: \"sekisho0\" is the interface of next hop"},
  });
}

TEST_F(EditedConfig, Assertions) {
  expect({
      {"via = \"firewall\"\n", "via = \"firewall\"\nassert = false\n", ""},
      {"via = \"firewall\"\n", "via = \"firewall\"\nassert = \"no\"\n",
       "14: \"assert\" in [internet] must be true or"},
      {"\"zone:onprem\"", "\"zone:onpremises\"", "33: there is no zone \"onpremises\""},
      {"\"zone:onprem\"", "\"onprem\"", "33: \"from\" is \"zone:NAME\" or a prefix: "},
      {"from = \"zone:onprem\"\n", "", "31: [[assert]] needs \"from\""},
      {"\"internet\", \"203", "\"Internet\", \"203", "34: a destination is \"internet\", a prefix, "},
      {"\"internet\", \"203", "\"tag:Storage\", \"203", "34: what \"tag:Storage\" means, a file tells"},
      {"[\"firewall\", \"dropped\"]", "[\"firewall\", \"Internet\"]",
       "35: next hop \"Internet\" needs to know"},
      {"[\"firewall\", \"dropped\"]", "\"connected\"", ""},
      {"[\"firewall\", \"dropped\"]", "[\"firewall\", 3]",
       "35: \"via\" in [[assert]] must be an array of strings only"},
      {"\"preset:kms\"", "\"preset:all\"", "36: there is no preset \"all\""},
      {"\"preset:kms\"", "[]", "36: \"except\" in [[assert]] is empty"},
      {"[[assert]]\nname", "[[assert]]\nwhy = 1\nname", "32: \"why\" is not a key of [[assert]]"},
      {"[next_hop.gateway]", "[next_hop.dropped]", "10: \"dropped\" has a meaning of its own"},
  });
}

// As Windows PowerShell's ">" leaves it.
TEST(Config, IsReadFromUtf16) {
  const test::TemporaryFolder folder;
  std::string bytes = "\xff\xfe";
  for (const char c : std::string_view{"[port.lan]\r\ndevice = \"af_xdp:lan0\"\r\n"}) {
    bytes += {c, '\0'};
  }
  const auto config = read(folder.write("sekisho.toml", bytes));
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->ports.front().name, "lan");
}

TEST(Config, AMissingFileSaysSo) {
  const test::TemporaryFolder folder;
  const auto missing = read(folder.path() / "sekisho.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().reason, "cannot be opened: No such file or directory");
  const auto directory = read(folder.path());
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().reason, "is a directory");
}

}  // namespace
}  // namespace sekisho::config
