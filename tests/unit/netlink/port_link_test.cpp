// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/base/mac_address.hpp"
#include "control/config/addresses.hpp"
#include "control/netlink/bus.hpp"
#include "control/netlink/devices.hpp"
#include "control/serve/port_findings.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::netlink {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* address = "00:0d:3a:aa:bb:cc";

config::Port port_of(const std::string& device, const std::string& name = "lan") {
  return {.name = name, .device = device};
}
base::MacAddress mac(const std::string& text) {
  return base::parse_mac(text).value();
}

// Interfaces of which none is like another.
struct World {
  World() {
    add({.index = 2, .name = "eth0", .mac = mac("00:0d:3a:00:00:02")});
    add({.index = 3, .name = "eth1", .mac = mac("00:0d:3a:00:00:03")});
  }
  Link& add(Link link) { return mirror.links[link.index] = std::move(link); }
  // The name of the link, or why there is none.
  [[nodiscard]] std::string found(const config::Port& port) const {
    const auto link = mirror.find_link_of(port);
    return link ? (*link)->name : link.error();
  }
  [[nodiscard]] std::string at(const std::string& device) const { return found(port_of(device)); }
  [[nodiscard]] std::string by_mac() const { return at(std::string{"af_xdp:mac:"} + address); }

  Mirror mirror;
};

struct PortLink : World, testing::Test {};

TEST_F(PortLink, ByName) {
  EXPECT_EQ(at("af_xdp:eth1"), "eth1");
  EXPECT_EQ(at("af_xdp:eth7"), "there is no interface eth7");
  EXPECT_EQ(mirror.link_of(port_of("af_xdp:eth7")), nullptr);
  EXPECT_EQ(found(config::Port{.name = "lan", .device = "0000:00:04.0", .companion = "eth0"}), "eth0");
  EXPECT_EQ(found(config::Port{.name = "lan", .device = "net_null0"}),
            "the kernel has no interface of port lan");
}

TEST_F(PortLink, ByAnAltname) {
  mirror.links[2].altnames = {"enp0s2", "lan0"};
  EXPECT_EQ(at("af_xdp:lan0"), "eth0");
  mirror.links[3].name = "lan0";
  EXPECT_EQ(at("af_xdp:lan0"), "lan0") << "a name goes before another's altname";
}

TEST_F(PortLink, ByTheMacItHasOrWasMadeWith) {
  EXPECT_EQ(by_mac(), std::string{"no interface has MAC address "} + address);
  mirror.links[3].mac = mac(address);
  EXPECT_EQ(by_mac(), "eth1");
  mirror.links[3] = {.index = 3, .name = "eth1", .mac = mac("02:00:00:00:00:99"), .burned_mac = mac(address)};
  EXPECT_EQ(by_mac(), "eth1") << "a NIC that was given another";
}

// Azure: the netvsc is the VF's master, and both have one address.
TEST_F(PortLink, ASlaveIsNoPort) {
  mirror.links[2].mac = mac(address);
  add({.index = 4, .name = "enP1s1", .mac = mac(address), .burned_mac = mac(address), .master = 2});
  EXPECT_EQ(by_mac(), "eth0");
  mirror.links[2].mac = mac("02:00:00:00:00:99");
  EXPECT_EQ(by_mac(), std::string{"enP1s1 has MAC address "} + address + ", but is a slave of eth0");
  mirror.links.erase(2);
  EXPECT_THAT(by_mac(), HasSubstr("a slave of link 2"));
}

TEST_F(PortLink, WhatLiesUponAnotherIsNoPort) {
  mirror.links[2].mac = mac(address);
  add({.index = 5, .name = "eth0.7", .mac = mac(address), .kind = "vlan", .lower = 2});
  add({.index = 6, .name = "macvlan0", .mac = mac(address), .kind = "macvlan", .lower = 2});
  EXPECT_EQ(by_mac(), "eth0");
  // A bond has the address of its first slave, and VLANs have the bond's.
  add({.index = 7, .name = "bond0", .mac = mac(address), .kind = "bond"});
  mirror.links[2].master = 7;
  mirror.links[5].lower = 7;
  EXPECT_EQ(by_mac(), "bond0");
}

TEST_F(PortLink, TheOtherEndOfAVethIsNoLowerLink) {
  mirror.links[2] = {.index = 2, .name = "eth0", .mac = mac(address), .kind = "veth", .lower = 3};
  mirror.links[3] = {.index = 3, .name = "eth1", .mac = mac("00:0d:3a:00:00:03"), .kind = "veth", .lower = 2};
  EXPECT_EQ(by_mac(), "eth0");
}

TEST_F(PortLink, WhatTheDataplaneMadeIsNoPort) {
  mirror.links[2].mac = mac(address);
  add({.index = 5, .name = "sk-lan", .mac = mac(address), .alias = "sekisho port lan", .kind = "tun"});
  EXPECT_EQ(by_mac(), "eth0");
}

TEST_F(PortLink, OfTwoNeitherIsTaken) {
  mirror.links[2].mac = mac(address);
  mirror.links[3].burned_mac = mac(address);
  EXPECT_EQ(by_mac(),
            std::string{"eth0 and eth1 have the same MAC address "} + address + ": name the port otherwise");
}

TEST_F(PortLink, ByBus) {
  EXPECT_EQ(at("af_xdp:bus:0000:00:05.0"), "no interface has bus address 0000:00:05.0");
  mirror.links[3].bus = {"virtio2", "0000:00:05.0"};
  EXPECT_EQ(at("af_xdp:bus:0000:00:05.0"), "eth1");
  EXPECT_EQ(at("af_xdp:bus:virtio2"), "eth1");
  mirror.links[3].master = 2;
  EXPECT_EQ(at("af_xdp:bus:virtio2"), "eth1 has bus address virtio2, but is a slave of eth0");
}

TEST_F(PortLink, AVirtioDeviceIsKnownByThePciAddressBelow) {
  namespace fs = std::filesystem;
  const fs::path root = fs::path{testing::TempDir()} / "sekisho_port_link_sys";
  fs::remove_all(root);
  fs::create_directories(root / "devices/pci0000:00/0000:00:05.0/virtio2");
  fs::create_directories(root / "bus/virtio/devices");
  fs::create_directory_symlink("../../../devices/pci0000:00/0000:00:05.0/virtio2",
                               root / "bus/virtio/devices/virtio2");
  Link link{.index = 2, .bus = {"virtio2"}};
  add_bus_below(link, root);
  EXPECT_THAT(link.bus, ElementsAre("virtio2", "0000:00:05.0"));
  Link gone{.index = 2, .bus = {"virtio9"}};
  add_bus_below(gone, root);
  EXPECT_THAT(gone.bus, ElementsAre("virtio9"));
  Link nic{.index = 2, .bus = {"0000:00:05.0"}};
  add_bus_below(nic, root);
  EXPECT_THAT(nic.bus, ElementsAre("0000:00:05.0"));
  fs::remove_all(root);
}

// --- A port that runs.

TEST_F(PortLink, StaysWithItsLink) {
  const auto lan = port_of("af_xdp:eth0");
  const auto egress = port_of("af_xdp:eth1", "egress");
  mirror.bound = {{{"lan", "af_xdp:eth0"}, 2}, {{"egress", "af_xdp:eth1"}, 3}};
  mirror.links[2].name = "wan7";
  EXPECT_EQ(found(lan), "wan7");
  std::swap(mirror.links[2].name, mirror.links[3].name);
  mirror.links[2].name = "eth1";
  mirror.links[3].name = "eth0";
  EXPECT_EQ(mirror.link_of(lan)->index, 2) << "the names are swapped, the ports are not";
  EXPECT_EQ(mirror.link_of(egress)->index, 3);
  mirror.links[2].mac = mac("02:00:00:00:00:99");
  EXPECT_EQ(mirror.link_of(lan)->index, 2);
}

TEST_F(PortLink, ANameThatIsWrittenAnewIsAskedFor) {
  mirror.bound = {{{"lan", "af_xdp:eth0"}, 2}};
  mirror.links[2].name = "wan7";
  EXPECT_EQ(found(port_of("af_xdp:wan7")), "wan7");
  EXPECT_EQ(found(port_of("af_xdp:eth0", "renamed")), "there is no interface eth0");
}

TEST_F(PortLink, IsLostWithItsLinkAndNeverTakesAnotherPorts) {
  mirror.bound = {{{"lan", "af_xdp:eth0"}, 2}, {{"egress", "af_xdp:eth1"}, 3}};
  mirror.links.erase(2);
  EXPECT_EQ(at("af_xdp:eth0"), "there is no interface eth0");
  mirror.links[3].name = "eth0";
  EXPECT_EQ(at("af_xdp:eth0"), "eth0 is the interface of port egress by now");
  add({.index = 9, .name = "eth9"});
  mirror.links[3].name = "eth1";
  mirror.links[9].name = "eth0";
  EXPECT_EQ(mirror.link_of(port_of("af_xdp:eth0"))->index, 9) << "made again";
}

TEST_F(PortLink, APortMayBeGivenAnotherNameInTheConfiguration) {
  mirror.bound = {{{"lan", "af_xdp:eth0"}, 2}};
  EXPECT_EQ(found(port_of("af_xdp:eth0", "inside")), "eth0");
}

// --- What is said.

TEST_F(PortLink, FaultsOfAConfigurationNameFileAndLine) {
  config::Config config{.file = "sekisho.toml"};
  config.ports = {port_of("af_xdp:eth0", "a"), port_of("af_xdp:eth7", "b"),
                  port_of(std::string{"af_xdp:mac:"} + address, "c")};
  config.ports[1].line = 5;
  config.ports[2].line = 9;
  const auto missing = missing_devices(config, mirror);
  ASSERT_EQ(missing.size(), 2U);
  EXPECT_EQ(missing[0].to_string(), "sekisho.toml:5: port b: there is no interface eth7");
  EXPECT_EQ(shared_device(config, mirror), std::nullopt);
  mirror.links[2].mac = mac(address);
  ASSERT_TRUE(shared_device(config, mirror));
  EXPECT_THAT(shared_device(config, mirror)->to_string(),
              "sekisho.toml:9: port c: eth0 is the interface of port a already (line 0)");
}

TEST_F(PortLink, FindingsOfAPort) {
  const auto lan = port_of("af_xdp:eth0");
  mirror.links[2].mtu = 9000;
  EXPECT_THAT(serve::port_findings(lan, mirror, nullptr), IsEmpty());
  ipc::PortState state;
  state.set_running(true);
  state.set_mtu(1774);
  EXPECT_THAT(
      serve::port_findings(lan, mirror, &state),
      ElementsAre("port lan: eth0 has an MTU of 9000, and packet buffers take no more than 1774: what is "
                  "longer is dropped (sekisho-dataplane --mtu, up to 3498)"));
  state.set_mtu(9000);
  EXPECT_THAT(serve::port_findings(lan, mirror, &state), IsEmpty());
  mirror.bound = {{{"lan", "af_xdp:eth0"}, 2}};
  mirror.links[2].name = "wan7";
  EXPECT_THAT(serve::port_findings(lan, mirror, &state), ElementsAre(HasSubstr("the kernel calls it wan7")));
  mirror.links[2].altnames = {"eth0"};
  EXPECT_THAT(serve::port_findings(lan, mirror, &state), IsEmpty());
  mirror.links.erase(2);
  EXPECT_THAT(serve::port_findings(lan, mirror, &state), ElementsAre("port lan: there is no interface eth0"));
}

TEST_F(PortLink, TheDataplaneIsToldTheNameOfNow) {
  config::Config config;
  config.ports = {port_of("af_xdp:eth0", "a"), port_of("af_xdp:eth1", "b")};
  mirror.bound = {{{"a", "af_xdp:eth0"}, 2}, {{"b", "af_xdp:eth1"}, 3}};
  mirror.links[2] = {.index = 2, .name = "wan7", .mac = mac(address), .mtu = 1400};
  auto ports = sync::view(config, mirror).ports;
  EXPECT_EQ(ports[0].device, "af_xdp:wan7");
  EXPECT_EQ(ports[0].instance, std::string{"2 "} + address);
  EXPECT_EQ(ports[0].mtu, 1400U);
  // One that is lost must not be given the name that another port's has by now.
  mirror.links.erase(2);
  mirror.links[3].name = "eth0";
  ports = sync::view(config, mirror).ports;
  EXPECT_EQ(ports[0].device, "af_xdp:eth0 (of port b)");
  EXPECT_EQ(ports[0].instance, "");
  EXPECT_EQ(ports[1].device, "af_xdp:eth0");
}

}  // namespace
}  // namespace sekisho::netlink
