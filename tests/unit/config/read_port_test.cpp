// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config.hpp"
#include "tests/unit/config/edited.hpp"

namespace sekisho::config {
namespace {

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
      {"\"af_xdp:lan0\"", "\"af_xdp:lan0\"\nmtu = 3498", ""},
      {"\"af_xdp:lan0\"", "\"af_xdp:lan0\"\nmtu = 3499",
       "3: an MTU of 3499 is more than the 3498 that an AF_XDP port takes"},
      {"mtu = 1500", "mss_clamp = 87", "7: an mss_clamp of 87 is not between 88 and 65495"},
      {"mtu = 1500", "mss_clamp = 65496", "7: an mss_clamp of 65496 is not"},
      {"mtu = 1500", "mss_clamp = 88", ""},
      {"mtu = 1500", "mss_clamp = 65495", ""},
      {"mtu = 1500", "mss_clamp = \"auto\"", ""},
      {"mtu = 1500", "mss_clamp = \"always\"",
       "7: \"mss_clamp\" in [port.wire] must be \"auto\" or a number of bytes, not"},
      {"mtu = 1500", "mss_clamp = true", "7: \"mss_clamp\" in [port.wire] must be"},
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

}  // namespace
}  // namespace sekisho::config
