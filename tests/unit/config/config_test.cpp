// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/prefix.hpp"
#include "control/config/config.hpp"
#include "control/config/resolve.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::config {
namespace {

const std::filesystem::path fixture = std::filesystem::path{SEKISHO_FIXTURES} / "config/whole.toml";
const std::filesystem::path azure_fixture = std::filesystem::path{SEKISHO_FIXTURES} / "config/azure.toml";

constexpr std::uint32_t ip(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}

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

struct Edit {
  std::string from;   // in the whole configuration
  std::string to;     // what stands there instead
  std::string error;  // "LINE: reason", the beginning of it; empty: accepted
};

class EditedConfig : public testing::Test {
 protected:
  void expect(const std::vector<Edit>& edits, const std::filesystem::path& file = fixture) {
    const auto whole = base::read_file(file);
    ASSERT_TRUE(whole);
    for (const auto& edit : edits) {
      auto text = *whole;
      const auto at = text.find(edit.from);
      ASSERT_NE(at, std::string::npos) << edit.from;
      text.replace(at, edit.from.size(), edit.to);
      const auto config = parse(text, "sekisho.toml");
      if (edit.error.empty()) {
        EXPECT_TRUE(config) << edit.to << ": " << config.error().to_string();
        continue;
      }
      ASSERT_FALSE(config) << edit.to;
      const auto expected = "sekisho.toml:" + edit.error;
      EXPECT_EQ(config.error().to_string().substr(0, expected.size()), expected)
          << config.error().to_string();
    }
  }
};

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

TEST_F(EditedConfig, Ports) {
  const std::string address = "address = [\"10.0.2.4/24\"]";
  expect({
      {"device = \"af_xdp:lan0\"", "", "1: [port.lan] needs \"device\""},
      {"af_xdp:lan0", "af_xdp:", "2: the name of an interface has 1 to 15 characters"},
      {"af_xdp:lan0", "af_xdp:a123456789012345", "2: the name of an interface has 1 to 15 characters"},
      {"af_xdp:lan0", "af_xdp:a12345678901234", ""},
      {"af_xdp:lan0", "af_xdp:a b", "2: \"a b\" cannot be the name of an interface"},
      {"af_xdp:lan0", "af_xdp:../lan0", "2: \"../lan0\" cannot be"},
      {"af_xdp:lan0", "af_xdp:..", "2: \"..\" cannot be"},
      {"af_xdp:lan0", "eth0", "2: \"eth0\" is not a device: \"af_xdp:NETDEV\", a PCI address"},
      {"af_xdp:lan0", "af_xdp:mac:00:0d:3a:aa:bb:cc", ""},
      {"af_xdp:lan0", "af_xdp:mac:00:0d:3a:aa:bb", "2: \"00:0d:3a:aa:bb\" is not a MAC address"},
      {"af_xdp:lan0", "af_xdp:mac:01:0d:3a:aa:bb:cc", "2: \"01:0d:3a:aa:bb:cc\" is a group address"},
      {"af_xdp:lan0", "af_xdp:bus:0000:00:05.0", ""},
      {"af_xdp:lan0", "af_xdp:bus:f8615163-0001-1000-2000-000d3aaabbcc", ""},
      {"af_xdp:lan0", "af_xdp:bus:virtio3", ""},
      {"af_xdp:lan0", "af_xdp:bus:00:05.0",
       "2: \"00:05.0\" is a PCI address without its domain; write \"af_xdp:bus:0000:00:05.0\""},
      {"af_xdp:lan0", "af_xdp:bus:vmbus:f8615163-0001-1000-2000-000d3aaabbcc",
       "2: the address of a VMBus device is its UUID alone"},
      {"af_xdp:lan0", "af_xdp:bus:", "2: \"\" is not a bus address"},
      {"af_xdp:lan0", "af_xdp:bus:a b", "2: \"a b\" is not a bus address"},
      {"af_xdp:lan0", "", "2: \"\" is not a device"},
      {"af_xdp:lan0", "0000:00:04.0", ""},
      {"af_xdp:lan0", "7870:00:00.0,mac=02:00:00:00:00:01", ""},
      {"af_xdp:lan0", "vmbus:00001111-2222-3333-4444-55556666777F", ""},
      {"af_xdp:lan0", "0000:00:04.0x", "2: \"0000:00:04.0x\" is not a device"},
      {"af_xdp:lan0", "vmbus:0000:00:04.0", "2: \"vmbus:0000:00:04.0\" is not a device"},
      {"af_xdp:lan0", "00:04.0,arg=1",
       "2: \"00:04.0\" is a PCI address without its domain; write \"0000:00:04.0\""},
      {"af_xdp:lan0", "00001111-2222-3333-4444-55556666777F",
       "2: \"00001111-2222-3333-4444-55556666777F\" is the address of a VMBus device; write \"vmbus:0000"},
      {"af_xdp:lan0", "sekisho0", "2: \"sekisho0\" is not a device"},
      {"af_xdp:lan0", "af_xdp:sekisho0", "1: \"sekisho0\" is the interface of next hop \"Internet\""},
      {"af_xdp:lan0", "net_af_xdp0,iface=lan0", "2: an AF_XDP port is written \"af_xdp:NETDEV\""},
      {"net_null0,no-rx=1", "net_pcap0,rx_pcap=/tmp/in file.pcap,infinite_rx=1", ""},
      {"net_null0,no-rx=1", "net_null0,no-rx=\\u0001", "4: \"net_null0,no-rx=?\" is not a device"},
      {"net_null0,no-rx=1", "net_NULL0", "4: \"net_NULL0\" is not a device"},
      {"af_xdp:lan0", "net_null0", "4: \"net_null0\" is the device of port lan already (line 2)"},
      {"[port.wire]", "[port.other]\ndevice = \"af_xdp:lan0\"\n[port.wire]",
       "4: \"af_xdp:lan0\" is the device of port lan already (line 2)"},
      {"\"af_xdp:lan0\"", "\"af_xdp:lan0\"\naddress = [\"10.0.1.4/24\"]",
       "3: the kernel's addresses of lan0 are used; remove \"address\""},
      {"\"af_xdp:lan0\"", "\"af_xdp:lan0\"\nneighbours = []", "3: the kernel's neighbours of lan0 are used"},
      {"mtu = 1500", "mtu = 575", "7: an MTU of 575 is not between 576 and 9000"},
      {"mtu = 1500", "mtu = 9001", "7: an MTU of 9001"},
      {"mtu = 1500", "mtu = -1", "7: an MTU of -1"},
      {"mtu = 1500", "mtu = 576", ""},
      {"mtu = 1500", "mtu = 9000", ""},
      {address, "address = [\"10.0.2.4\"]", "5: \"10.0.2.4\" has no length"},
      {address, "address = [\"10.0.2.4/33\"]", "5: \"33\" is not a subnet length"},
      {address, "address = [\"10.0.2.4/024\"]", "5: \"024\" is not a subnet length"},
      {address, "address = [\"10.0.2.4/\"]", "5: \"\" is not a subnet length"},
      {address, "address = [\"10.0.2.4/0\"]", "5: \"0\" is not a subnet length"},
      {address, "address = [\"10.0.2.0/24\"]", "5: 10.0.2.0/24 is the network address of its subnet"},
      {address, "address = [\"10.0.2.255/24\"]", "5: 10.0.2.255/24 is the broadcast address of its subnet"},
      {address, "address = [\"10.0.2.11/31\", \"10.0.2.4/24\"]",
       "9: member 10.0.2.11 is the appliance's own"},
      {address, "address = [\"127.0.0.2/8\"]",
       "5: 127.0.0.2 is in 127.0.0.0/8 (loopback) and cannot be a host's address"},
      {address, "address = [\"10.0.2.4/24\", \"10.0.2.4/16\"]",
       "5: 10.0.2.4 is an address of port wire already (line 5)"},
      {"mtu = 1500", "[port.third]\ndevice = \"net_null1\"\naddress = [\"10.0.2.4/24\"]",
       "9: 10.0.2.4 is an address of port wire already (line 5)"},
      {"mtu = 1500", "[port.third]\ndevice = \"net_null1\"\naddress = [\"10.0.3.4/16\"]",
       "9: the subnet of 10.0.3.4/16 overlaps with 10.0.2.4/24 of port wire (line 5)"},
      {"address = \"10.0.2.10\"", "address = \"10.0.3.10\"", "6: 10.0.3.10 is in no subnet of port wire"},
      {"address = \"10.0.2.10\"", "address = \"10.0.2.4\"", "6: 10.0.2.4 is port wire's own address"},
      {"address = \"10.0.2.10\", ", "", "6: a neighbour needs \"address\""},
      {"[{ address = \"10.0.2.10\"",
       "[{ address = \"10.0.2.10\", mac = \"02:00:00:00:00:02\" }, { address = \"10.0.2.10\"",
       "6: duplicate neighbour 10.0.2.10"},
      {"02:00:00:00:00:01", "02-00-00-00-00-01", "6: \"02-00-00-00-00-01\" is not a MAC address"},
      {"02:00:00:00:00:01", "02:00:00:00:00:0g", "6: \"02:00:00:00:00:0g\" is not a MAC address"},
      {"02:00:00:00:00:01", "02:00:00:00:00:1", "6: \"02:00:00:00:00:1\" is not a MAC address"},
      {"02:00:00:00:00:01", "01:00:5e:00:00:01", "6: \"01:00:5e:00:00:01\" is a group address"},
      {"02:00:00:00:00:01", "00:00:00:00:00:00", "6: \"00:00:00:00:00:00\" is not the address of a station"},
      {"02:00:00:00:00:01", "0A:bC:00:00:00:01", ""},
  });
}

TEST(Config, WhatDpdkOwnsHasACompanion) {
  const auto parsed = parse(R"([port.lan]
device = "0000:0A:04.0"
address = ["10.0.1.4/24"]
gateway = "10.0.1.1"
[port.vnet]
device = "vmbus:00001111-2222-3333-4444-55556666777F"
companion = "vnet0"
[port.quiet]
device = "net_null0"
companion = false
[port.kernels]
device = "af_xdp:eth2"
gateway = "10.0.3.1"
host_sources = ["192.168.0.0/16", "8.8.8.8/32"]
[next_hop.firewall]
members = ["10.0.2.10"]
[internet]
via = "firewall"
exit = { port = "kernels" }
)",
                            "sekisho.toml");
  ASSERT_TRUE(parsed) << parsed.error().to_string();
  const auto& ports = parsed->ports;
  EXPECT_EQ(ports[1].device, "0000:0a:04.0");  // as DPDK and another port would write it
  EXPECT_EQ(ports[1].netdev(), "sk-lan");
  EXPECT_EQ(ports[1].gateway, ip(10, 0, 1, 1));
  EXPECT_FALSE(ports[1].is_af_xdp());
  EXPECT_EQ(ports[3].device, "vmbus:00001111-2222-3333-4444-55556666777f");
  EXPECT_EQ(ports[3].companion, "vnet0");
  EXPECT_EQ(ports[2].netdev(), std::nullopt);
  EXPECT_EQ(ports[0].companion, "");
  EXPECT_EQ(ports[0].gateway, ip(10, 0, 3, 1));
  EXPECT_EQ(ports[0].host_sources,
            (std::vector<base::Prefix>{{ip(192, 168, 0, 0), 16}, {ip(8, 8, 8, 8), 32}}));
  EXPECT_EQ(parsed->internet->exit, "kernels");
  EXPECT_EQ(parsed->guarded_netdevs(), (std::vector<std::string>{"eth2", "sekisho0", "sk-lan", "vnet0"}));
}

TEST_F(EditedConfig, CompanionsGatewaysAndTheExit) {
  const std::string lan = "\"af_xdp:lan0\"";
  const std::string pci = "\"0000:00:04.0\"\n";
  const std::string install = "install = \"halves\"";
  expect({
      {lan, lan + "\ncompanion = \"tap0\"", "3: the kernel has this port as lan0; remove \"companion\""},
      {lan, pci + "companion = \"a123456789012345\"", "3: the name of an interface has 1 to 15 characters"},
      {lan, lan + "\nhost_sources = [\"10.0.0.1/8\"]",
       "3: host bits are set (10.0.0.1/8; did you mean 10.0.0.0/8?)"},
      {lan, lan + "\nhost_sources = [\"127.0.0.0/8\"]", "3: 127.0.0.0/8"},
      {lan, lan + "\nhost_sources = [\"8.8.8.0/24\", \"8.8.8.0/24\"]", "3: duplicate source 8.8.8.0/24"},
      {lan, pci + "companion = true",
       "3: \"companion\" in [port.lan] must be the name of an interface or false"},
      {lan, pci + "companion = \"sekisho0\"", "1: \"sekisho0\" is the interface of next hop \"Internet\""},
      {"[port.wire]", "[port.other]\ndevice = \"0000:00:04.0\"\ncompanion = \"lan0\"\n[port.wire]",
       "3: \"lan0\" is the kernel's interface of port lan already (line 1)"},
      {"[port.wire]", "[port.twelve-chars]\ndevice = \"0000:00:04.0\"\n[port.wire]", ""},
      {"[port.wire]", "[port.thirteen-char]\ndevice = \"0000:00:04.0\"\n[port.wire]",
       "3: the kernel takes no interface of the name \"sk-thirteen-char\": give port thirteen-char a"},
      {"mtu = 1500", "companion = \"wire0\"",
       "6: the kernel's neighbours of wire0 are used; remove \"neighbours\""},
      {"mtu = 1500", "gateway = \"10.0.2.1\"",
       "7: a gateway is the kernel's, and the kernel has no interface of"},
      {lan, lan + "\ngateway = \"10.0.1\"", "3: "},
      {lan, pci + "address = [\"10.0.1.4/24\"]\ngateway = \"10.0.1.4\"",
       "4: 10.0.1.4 is port lan's own address"},
      {lan, pci + "address = [\"10.0.1.4/24\"]\ngateway = \"10.0.9.1\"",
       "4: 10.0.9.1 is in no subnet of port lan"},
      {lan, pci + "address = [\"10.0.1.4/32\"]\ngateway = \"10.0.9.1\"", ""},
      {install, "exit = { port = \"lan\" }", ""},
      {install, "exit = \"lan\"",
       "14: \"exit\" in [internet] must be a table, { port = \"NAME\" }, not a string"},
      {install, "exit = {}", "14: \"exit\" needs \"port\""},
      {install, "exit = { port = \"lam\" }", "14: there is no port \"lam\"; did you mean \"lan\"?"},
      {install, "exit = { port = \"wire\" }",
       "14: port wire cannot be the exit: the kernel has no interface of it"},
      {install, "exit = { port = \"lan\", via = 1 }", "14: \"via\" is not a key of \"exit\""},
  });
}

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

TEST_F(EditedConfig, Probes) {
  const std::string members = "members = [\"10.0.1.1\"]";
  const auto with = [&](const std::string& probe) { return members + "\nprobe = { " + probe + " }"; };
  const std::string other = "\n[next_hop.same]\n" + members + "\nprobe = { type = \"icmp\" }";
  expect({
      {members, with("type = \"icmp\""), ""},
      {members, with("type = \"tcp\", port = 443, interval = \"200ms\", hold = \"0s\""), ""},
      {members, with("type = \"http\", port = 80, path = \"/ready?all=1\", status = 204"), ""},
      {members, with("type = \"tcp\", through = [\"198.51.100.80:443\", \"www.example.com:443\"]"), ""},
      {members, members + "\nprobe = \"icmp\"", "12: \"probe\" in [next_hop.gateway] must be a table, {"},
      {members, with("port = 443"), "12: \"probe\" needs \"type\""},
      {members, with("type = \"udp\""),
       "12: \"type\" in \"probe\" is \"icmp\", \"tcp\" or \"http\", not \"udp\""},
      {members, with("type = \"tcp\""), "12: \"probe\" needs \"port\", of the member itself, or \"through\""},
      {members, with("type = \"tcp\", port = 1, through = \"198.51.100.80:1\""),
       "12: \"port\" asks the member itself and \"through\" what is beyond it"},
      {members, with("type = \"icmp\", port = 1"), "12: \"port\" is for tcp and http"},
      {members, with("type = \"icmp\", through = \"198.51.100.80:1\""),
       "12: \"through\" is for tcp and http"},
      {members, with("type = \"tcp\", port = 1, path = \"/\""), "12: \"path\" is for type = \"http\""},
      {members, with("type = \"tcp\", port = 0"), "12: \"port\" is 1 to 65535, not 0"},
      {members, with("type = \"http\", port = 80, status = 600"), "12: \"status\" is 100 to 599, not 600"},
      {members, with("type = \"http\", port = 80, path = \"ready\""), "12: \"ready\" is not a path of HTTP"},
      {members, with("type = \"http\", port = 80, path = \"/a b\""), "12: \"/a b\" is not a path of HTTP"},
      {members, with("type = \"tcp\", through = \"198.51.100.80\""),
       "12: \"198.51.100.80\" is not ADDRESS:PORT or NAME:PORT"},
      {members, with("type = \"tcp\", through = \"198.51.100.80:0\""), "12: \"198.51.100.80:0\" is not"},
      {members, with("type = \"tcp\", through = \"224.0.0.1:80\""), "12: 224.0.0.1 is in"},
      {members, with("type = \"tcp\", through = [\"198.51.100.80:1\", \"198.51.100.80:1\"]"),
       "12: duplicate target 198.51.100.80:1"},
      {members, with("type = \"tcp\", through = []"), "12: \"through\" is empty"},
      {members, with("type = \"icmp\", interval = \"1s\", timeout = \"2s\""),
       "12: \"timeout\" 2s is longer than \"interval\" 1s: the next probe would go out before this one is "
       "lost"},
      {members, with("type = \"icmp\", timeout = \"501ms\""),
       "12: \"timeout\" 501ms is longer than \"interval\" 500ms"},
      {members, with("type = \"icmp\", interval = \"10ms\""), "12: \"interval\" is 50ms to 1h, not 10ms"},
      {members, with("type = \"icmp\", interval = \"soon\""), "12: \"soon\" is not a time: write \"500ms\""},
      {members, with("type = \"icmp\", interval = 500"),
       "12: \"interval\" in \"probe\" must be a string, not an integer"},
      {members, with("type = \"icmp\", down_after = 0"), "12: \"down_after\" is 1 to 100, not 0"},
      {members, with("type = \"icmp\", up_afer = 3"),
       "12: \"up_afer\" is not a key of \"probe\"; did you mean \"up_after\"?"},
      {members, with("type = \"icmp\"") + other, ""},
      {members, with("type = \"tcp\", port = 443") + other,
       "15: member 10.0.1.1 has another probe in [next_hop.gateway] (line 12)"},
      {members, "members = [\"10.0.2.77\"]\nprobe = { type = \"icmp\" }",
       "12: member 10.0.2.77 cannot be probed: the kernel has no interface of port wire"},
  });
}

TEST(Config, AProbeHasTimesThatGoTogether) {
  const auto read_probe = [](const std::string& probe) {
    const auto config = parse(
        "port.a.device = \"af_xdp:lan0\"\n[next_hop.n]\nmembers = [\"10.0.1.1\"]\n"
        "probe = { " +
            probe + " }\n",
        "sekisho.toml");
    EXPECT_TRUE(config) << config.error().to_string();
    return config->next_hops.at(0).probe.value();
  };
  const auto usual = read_probe("type = \"tcp\", port = 443");
  EXPECT_EQ(longest_to_move(usual), std::chrono::milliseconds{2050});
  EXPECT_EQ(to_string(usual), "tcp 443");
  EXPECT_EQ(usual.hold, std::chrono::seconds{30});
  const auto quick = read_probe(
      "type = \"http\", through = [\"198.51.100.80:80\", \"www.example.com:81\"], "
      "interval = \"100ms\", down_after = 2, hold = \"5m\"");
  EXPECT_EQ(quick.timeout, std::chrono::milliseconds{100});
  EXPECT_EQ(longest_to_move(quick), std::chrono::milliseconds{350});
  EXPECT_EQ(to_string(quick), "http 198.51.100.80:80, www.example.com:81 through it");
  EXPECT_EQ(quick.through[0].addresses.size(), 1U);
  EXPECT_TRUE(quick.through[1].addresses.empty()) << "names are resolved by who runs it";
  EXPECT_EQ(quick.hold, std::chrono::minutes{5});
}

TEST(Config, NamesOfProbesAreResolvedOrRefused) {
  const auto resolved = [](const std::string& target) -> tl::expected<Config, base::Error> {
    auto config = parse(
        "port.a.device = \"af_xdp:lan0\"\n[next_hop.n]\nmembers = [\"10.0.1.1\"]\n"
        "probe = { type = \"tcp\", through = \"" +
            target + "\" }\n",
        "sekisho.toml");
    EXPECT_TRUE(config) << config.error().to_string();
    if (auto refused = resolve_names(*config))
      return tl::unexpected(*refused);
    return config;
  };
  const auto local = resolved("localhost:80");
  ASSERT_TRUE(local) << local.error().to_string();
  EXPECT_EQ(local->next_hops[0].probe->through[0].addresses, std::vector<std::uint32_t>{ip(127, 0, 0, 1)});
  EXPECT_EQ(resolved("198.51.100.80:80")->next_hops[0].probe->through[0].addresses.size(), 1U);
  const auto unknown = resolved("no-such-host.invalid:80");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().line, 4U);
  EXPECT_TRUE(unknown.error().reason.starts_with("probe target \"no-such-host.invalid\" "));
}

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

TEST_F(EditedConfig, Metrics) {
  const std::string listen = "\"127.0.0.1:9273\"";
  expect({
      {listen, "\"0.0.0.0:80\"", ""},
      {"[metrics]\nlisten = " + listen, "", ""},
      {listen, "\"127.0.0.1\"",
       "30: \"127.0.0.1\" is not an IPv4 address and TCP port, such as 127.0.0.1:9273"},
      {listen, "\":9273\"", "30: \":9273\" is not an IPv4 address and TCP port"},
      {listen, "\"localhost:9273\"", "30: \"localhost:9273\" is not an IPv4 address and TCP port"},
      {listen, "\"127.0.0.1:0\"", "30: \"127.0.0.1:0\" is not an IPv4 address and TCP port"},
      {listen, "\"127.0.0.1:65536\"", "30: \"127.0.0.1:65536\" is not an IPv4 address and TCP port"},
      {listen, "\"127.0.0.1:9273 \"", "30: \"127.0.0.1:9273 \" is not an IPv4 address and TCP port"},
      {listen, "\"224.0.0.1:9273\"", "30: 224.0.0.1 is in 224.0.0.0/3 (multicast and reserved)"},
      {listen, "9273", "30: \"listen\" in [metrics] must be a string, not an integer"},
      {"listen =", "lisen =", "30: \"lisen\" is not a key of [metrics]; did you mean \"listen\"?"},
      {"\nlisten = " + listen, "", "29: [metrics] needs \"listen\""},
      {"[metrics]\nlisten = " + listen, "[[metrics]]", "29: \"metrics\" must be a table, [metrics]"},
  });
}

TEST_F(EditedConfig, Health) {
  const auto health = [](const std::string& keys) { return "[health]\n" + keys + "\n[metrics]"; };
  const std::string listen = "listen = [\"10.0.1.4:8080\", \"10.0.2.4:8080\"]\n";
  expect({
      {"[metrics]", health(listen), ""},
      {"[metrics]", health(listen + "require = []"), ""},
      {"[metrics]", health(listen + R"(require = ["internet", "next_hop:gateway", "zone:back"])"), ""},
      {"[metrics]", health(""), "29: [health] needs \"listen\""},
      {"[metrics]", health("listen = []"), "30: "},
      {"[metrics]", health("listen = \"10.0.1.4:8080\""), "30: "},
      {"[metrics]", health("listen = [\"10.0.1.4\"]"),
       "30: \"10.0.1.4\" is not an IPv4 address and TCP port"},
      {"[metrics]", health("listen = [\"10.0.1.4:80\", \"10.0.1.4:80\"]"),
       "30: 10.0.1.4:80 is taken by [health] (line 30)"},
      {"[metrics]", health("listen = [\"0.0.0.0:9273\"]"),
       "30: 0.0.0.0:9273 is taken by [metrics] (line 32)"},
      {"[metrics]", health(listen + "require = [\"exit\"]"),
       "31: \"exit\" is required, and there is no exit in [internet]"},
      {"[metrics]", health(listen + "require = [\"next_hop:gatway\"]"),
       "31: there is no next hop \"gatway\"; did you mean \"gateway\"?"},
      {"[metrics]", health(listen + "require = [\"zone:onprm\"]"),
       "31: there is no zone \"onprm\"; did you mean \"onprem\"?"},
      {"[metrics]", health(listen + "require = [\"firewall\"]"),
       "31: \"firewall\" is nothing that can be required"},
      {"[metrics]", health(listen + "port = 80"), "31: \"port\" is not a key of [health]"},
  });
}

TEST_F(EditedConfig, Hook) {
  const auto hook = [](const std::string& keys) { return "[hook]\n" + keys + "\n[metrics]"; };
  expect({
      {"[metrics]", hook("on_change = \"/usr/local/bin/tell\""), ""},
      {"[metrics]", hook(""), "29: [hook] needs \"on_change\""},
      {"[metrics]", hook("on_change = \"\""), "30: \"on_change\" names no file"},
      {"[metrics]", hook("on_change = [\"/bin/sh\"]"), "30: \"on_change\" in [hook] must be a string"},
      {"[metrics]", hook("onchange = \"/bin/sh\""), "30: \"onchange\" is not a key of [hook]"},
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

TEST(Config, ReadsEveryKeyOfAzure) {
  const auto config = read(azure_fixture);
  ASSERT_TRUE(config) << config.error().to_string();
  const auto folder = azure_fixture.parent_path();
  EXPECT_EQ(config->ports[0].subnet_routes, folder / "egress-udr.json");
  EXPECT_TRUE(config->ports[1].subnet_routes.empty());
  EXPECT_EQ(config->internet->advertise, Advertise::default_route);
  const auto& azure = config->azure;
  EXPECT_EQ(azure.service_tags, folder / "ServiceTags.json");
  EXPECT_EQ(azure.cloud, "china");
  EXPECT_EQ(azure.gateway, Gateway::expressroute);
  EXPECT_EQ(azure.own_addresses, (std::vector<std::uint32_t>{ip(10, 0, 1, 100), ip(10, 0, 2, 100)}));
  EXPECT_EQ(azure.next_hops, (std::map<route::NextHopType, std::string>{
                                 {route::NextHopType::virtual_network_gateway, "onprem-gateway"},
                                 {route::NextHopType::vnet_local, "vnet"},
                                 {route::NextHopType::vnet_peering, "vnet"},
                             }));
  EXPECT_EQ(azure.line, 16U);
  const auto& zone = config->zones.at(0);
  EXPECT_TRUE(zone.system_routes);
  EXPECT_EQ(zone.vnet, (std::vector<base::Prefix>{{ip(10, 0, 0, 0), 16}, {ip(10, 1, 0, 0), 16}}));
  EXPECT_EQ(zone.peerings, (std::vector<base::Prefix>{{ip(10, 2, 0, 0), 16}}));
  ASSERT_EQ(zone.routes.size(), 3U);
  EXPECT_EQ(zone.routes[0].file, folder / "spoke-udr.json");
  EXPECT_EQ(zone.routes[0].peer, std::nullopt);
  EXPECT_EQ(zone.routes[1].kind, RouteSpec::Kind::tag);
  EXPECT_EQ(zone.routes[1].tag, "AzureMonitor");
  EXPECT_EQ(zone.routes[1].next_hop, "Internet");
  EXPECT_EQ(zone.routes[1].line, 33U);
  EXPECT_EQ(zone.routes[2].peer, ip(10, 0, 0, 1));
  EXPECT_EQ(zone.routes[2].next_hop, "firewall");
  ASSERT_TRUE(config->bgp);
  EXPECT_EQ(config->bgp->asn, 65010U);
  EXPECT_EQ(config->bgp->line, 36U);
  ASSERT_EQ(config->bgp->peers.size(), 2U);
  EXPECT_EQ(config->bgp->peers[0].address, ip(10, 0, 3, 4));
  EXPECT_EQ(config->bgp->peers[0].asn, 65515U);
  EXPECT_EQ(config->bgp->peers[1].asn, 4200000000U);
  EXPECT_EQ(config->bgp->peers[1].line, 38U);
  EXPECT_EQ(config->bgp->peers[0].preset, PeerPreset::azure_route_server) << "AS 65515 is Azure's";
  EXPECT_EQ(config->bgp->peers[1].preset, PeerPreset::generic);
  EXPECT_EQ(config->bgp->advertising, Advertising{});
  ASSERT_EQ(config->bgp->advertise.size(), 2U);
  EXPECT_EQ(config->bgp->advertise[0].kind, RouteSpec::Kind::prefix);
  EXPECT_EQ(config->bgp->advertise[0].prefix, (base::Prefix{ip(198, 51, 100, 0), 24}));
  EXPECT_EQ(config->bgp->advertise[1].kind, RouteSpec::Kind::file);
  EXPECT_EQ(config->bgp->advertise[1].file, folder / "announced.txt");
}

TEST(Config, WithoutAzureNothingIsKnownOfIt) {
  const auto config = read(fixture);
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->azure.cloud, "public");
  EXPECT_EQ(config->azure.gateway, Gateway::unknown);
  EXPECT_TRUE(config->azure.service_tags.empty());
  EXPECT_TRUE(config->azure.next_hops.empty());
  EXPECT_EQ(config->internet->advertise, Advertise::none);
  EXPECT_FALSE(config->bgp);
}

TEST_F(EditedConfig, Azure) {
  const std::string own = "[\"10.0.2.100\", \"10.0.1.100\"]";
  const std::string bound = "VNetPeering = \"vnet\"";
  expect(
      {
          {"service_tags = ", "service_tag = ",
           "17: \"service_tag\" is not a key of [azure]; did you mean \"service_tags\"?"},
          {"\"ServiceTags.json\"", "\"\"", "17: \"service_tags\" names no file"},
          {"\"ServiceTags.json\"", "1", "17: \"service_tags\" in [azure] must be a string, not an integer"},
          {"service_tags = \"ServiceTags.json\"", "", "33: what \"AzureMonitor\" means, a file tells"},
          {"\"china\"", "\"China\"",
           "18: \"cloud\" in [azure] is \"public\", \"usgov\" or \"china\", not \"China\""},
          {"\"expressroute\"", "\"vwan\"",
           "19: \"gateway\" in [azure] is \"expressroute\", \"vpn\" or \"virtual-wan\", not \"vwan\""},
          {"\"expressroute\"", "\"vpn\"", ""},
          {"\"expressroute\"", "\"virtual-wan\"", ""},
          {own, "[\"10.0.2.100/32\"]", "20: "},
          {own, "[\"127.0.0.1\"]", "20: 127.0.0.1 is in 127.0.0.0/8 (loopback)"},
          {own, "[\"10.0.2.100\", \"10.0.2.100\"]", "20: duplicate own address 10.0.2.100"},
          {own, "[\"10.0.2.10\"]", "20: own address 10.0.2.10 is a member of next hop \"firewall\" (line 6)"},
          {own, "\"10.0.2.100\"", "20: \"own_addresses\" in [azure] must be an array of strings"},
          {bound, "VNetLocal = \"vnet\"", "23: duplicate VnetLocal"},
          {bound, "VNetPering = \"vnet\"",
           "23: \"VNetPering\" is not an Azure next-hop type; did you mean \"VNetPeering\"?"},
          {bound, "internet = \"vnet\"", "23: what Internet is here cannot be chosen"},
          {bound, "None = \"vnet\"", "23: what None is here cannot be chosen"},
          {bound, "VirtualAppliance = \"vnet\"", "23: what VirtualAppliance is here cannot be chosen"},
          {bound, "VirtualApplianceEcmp = \"vnet\"",
           "23: what VirtualApplianceEcmp is here cannot be chosen"},
          {bound, "VNetPeering = \"vnets\"", "23: there is no next hop \"vnets\"; did you mean \"vnet\"?"},
          {bound, "VNetPeering = \"None\"", "23: there is no next hop \"None\""},
          {bound, "VNetPeering = 1",
           "23: \"VNetPeering\" in [azure] must be the name of a next hop, not an integer"},
          {bound, "VNetGlobalPeering = \"vnet\"\nNatGateway = \"vnet\"\nConnectedGroup = \"vnet\"", ""},
          {"advertise = \"default\"", "advertise = \"both\"",
           "15: \"advertise\" in [internet] is \"none\", \"default\" or \"halves\", not \"both\""},
          {"advertise = \"default\"", "advertise = \"none\"", ""},
          {"subnet_routes = \"egress-udr.json\"", "subnet_routes = \"\"",
           "5: \"subnet_routes\" names no file"},
      },
      azure_fixture);
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

TEST_F(EditedConfig, Learning) {
  const auto with = [](const std::string& line) { return "asn = 65010\n" + line + "\n"; };
  const std::string asn = "asn = 65010\n";
  expect(
      {
          {asn, with("table = 0"), "38: \"table\" is a table of the kernel's for learned routes alone"},
          {asn, with("table = 254"), "38: \"table\" is a table"},
          {asn, with("table = 830000"), "38: \"table\" is a table"},
          {asn, with("table = 829999"), ""},
          {asn, with("protocols = [\"bgp\", 12]"), "38: "},
          {asn, with("protocols = [\"bgp\", \"12\", \"static\"]"), ""},
          {asn, with("protocols = []"), "38: \"protocols\" in [bgp] is empty"},
          {asn, with("protocols = [\"kernel\"]"), "38: \"kernel\" is no protocol of routes that are learned"},
          {asn, with("protocols = [\"83\"]"), "38: \"83\" is no protocol"},
          {asn, with("protocols = [\"256\"]"), "38: \"256\" is no protocol"},
          {asn, with("protocols = [\"bgp\", \"186\"]"), "38: duplicate protocol \"186\""},
          {asn, with("max_prefixes = 0"), "38: \"max_prefixes\" is 1 to 2000000, not 0"},
          {asn, with("max_prefixes = 2000001"), "38: \"max_prefixes\" is 1 to 2000000, not 2000001"},
          {asn, with("learned_hold = \"0s\""), ""},
          {asn, with("learned_hold = \"2h\""), "38: \"learned_hold\" is 0ms to 1h, not 2h"},
          {asn, with("learned_hold = 120"), "38: \"learned_hold\" in [bgp] must be a string"},
      },
      azure_fixture);
}

constexpr std::string_view two_zones = R"(
[port.lan]
device = "af_xdp:lan0"
[port.wan]
device = "af_xdp:wan0"
[next_hop.firewall]
members = ["10.0.2.10"]
[next_hop.other]
members = ["10.0.2.11"]
[internet]
via = "firewall"
[zone.a]
port = ["lan"]
sources = ["bgp"]
internet = true
via = "other"
follow_default = true
routes = ["bgp", "udr.txt"]
[zone.b]
port = ["wan"]
sources = ["0.0.0.0/0"]
internet = true
[bgp]
protocols = ["static", "bird", "bgp"]
table = 7
max_prefixes = 5
learned_hold = "1500ms"
)";

TEST(Config, WhoOnlyLearnsNeedsNeitherPeersNorANumber) {
  const auto config = parse(two_zones, "sekisho.toml");
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->bgp->asn, 0U);
  EXPECT_EQ(config->bgp->learning, (Learning{.table = 7,
                                             .protocols = {4, 12, 186},
                                             .max_prefixes = 5,
                                             .hold = std::chrono::milliseconds{1500}}));
  const auto& zone = config->zones[0];
  EXPECT_TRUE(zone.learned_sources && zone.learned_routes && zone.follow_default);
  EXPECT_TRUE(zone.sources.empty());
  ASSERT_EQ(zone.routes.size(), 1U);
  EXPECT_EQ(config->via_of(zone), "other");
  EXPECT_EQ(config->via_of(config->zones[1]), "firewall");
  EXPECT_TRUE(config->learns());
  EXPECT_EQ(route_protocol_name(186), "bgp");
  EXPECT_EQ(route_protocol_name(200), "200");
}

TEST(Config, ZonesOfOnePortCannotBothHaveLearnedSources) {
  std::string text{two_zones};
  text.replace(text.find("port = [\"wan\"]"), 14, "port = [\"lan\", \"wan\"]");
  text.replace(text.find("\"0.0.0.0/0\""), 11, "\"bgp\"");
  const auto refused = parse(text, "sekisho.toml");
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error().to_string(),
      "sekisho.toml:19: zones a and b have \"bgp\" among their sources and share port lan: whose a learned "
      "prefix is would not be known");
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

TEST(Config, AFileWithoutPortsSaysSo) {
  const auto config = parse("# nothing\n", "sekisho.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().to_string(), "sekisho.toml: names no port: at least one [port.NAME] is needed");
}

TEST(Config, NoMorePortsThanTheDataplaneHas) {
  std::string text;
  for (int i = 0; i < 32; ++i)
    text += "port.p" + std::to_string(i) + ".device = \"net_null" + std::to_string(i) + "\"\n";
  EXPECT_TRUE(parse(text, "sekisho.toml"));
  const auto refused = parse(text + "port.one-more.device = \"net_ring0\"\n", "sekisho.toml");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().to_string(), "sekisho.toml:33: more than 32 ports");
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
