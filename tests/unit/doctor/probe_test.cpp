// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "control/doctor/devices.hpp"
#include "control/doctor/needs.hpp"
#include "control/netlink/interface_addresses.hpp"
#include "tests/unit/namespace.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::doctor {
namespace {

namespace fs = std::filesystem;
using test::run;
using testing::ElementsAre;

TEST(Options, OfDataplaneEnv) {
  const auto options = parse_options(
      "#SEKISHO_DATAPLANE_OPTIONS=--memory 64\n"
      "SEKISHO_DATAPLANE_OPTIONS=--main 0 --workers 2,4-5 --memory=512\n");
  EXPECT_THAT(options.workers.value(), ElementsAre(2, 4, 5));
  EXPECT_EQ(options.memory_mb, 512u);
  EXPECT_EQ(parse_options("SEKISHO_DATAPLANE_OPTIONS=\"--memory 128\"").memory_mb, 128u);
  const auto defaults = parse_options("");
  EXPECT_FALSE(defaults.workers);
  EXPECT_EQ(defaults.memory_mb, 256u);
}

class Sysfs : public testing::Test {
 protected:
  fs::path device(const std::string& name, const std::string& driver) {
    const auto path = folder.path() / "bus" / name;
    fs::create_directories(path);
    if (!driver.empty()) {
      fs::create_symlink("../../../drivers/" + driver, path / "driver");
    }
    return path;
  }
  void group(const fs::path& of, const std::string& file, const std::string& content) {
    fs::create_directories(of / "iommu_group");
    folder.write((of.lexically_relative(folder.path()) / "iommu_group" / file).native(), content);
  }
  std::optional<Nic> find(const std::string& text) { return find_nic(text, folder.path()); }

  test::TemporaryFolder folder;
};

TEST_F(Sysfs, VirtioNic) {
  fs::create_directories(device("pci/devices/0000:00:05.0", "virtio-pci") / "virtio2/net/eth1");
  const auto nic = find("0000:00:05.0,speed=10").value();
  EXPECT_TRUE(nic.present);
  EXPECT_EQ(nic.driver, "virtio-pci");
  EXPECT_EQ(nic.interface, "eth1");
  EXPECT_FALSE(nic.iommu);
}

TEST_F(Sysfs, GroupsOfAnIommu) {
  const auto path = device("pci/devices/0000:00:05.0", "vfio-pci");
  group(path, "type", "identity\n");
  EXPECT_TRUE(find("0000:00:05.0")->iommu);
  EXPECT_FALSE(find("0000:00:05.0")->translated);
  group(path, "type", "DMA-FQ\n");
  EXPECT_TRUE(find("0000:00:05.0")->translated);
  group(path, "name", "vfio-noiommu\n");
  EXPECT_FALSE(find("0000:00:05.0")->iommu);
  EXPECT_FALSE(find("0000:00:05.0")->translated);
}

TEST_F(Sysfs, VmbusAndOthers) {
  const std::string uuid = "000d3a6e-1234-000d-3a6e-1234000d3a6e";
  device("vmbus/devices/" + uuid, "uio_hv_generic");
  EXPECT_EQ(find("vmbus:" + uuid)->driver, "uio_hv_generic");
  EXPECT_FALSE(find("0000:00:06.0")->present);
  for (const auto* none : {"net_null0", "af_xdp:eth1", "net_pcap0,iface=0000:00:05.0", "0000:00:05", ""}) {
    EXPECT_FALSE(find(none)) << none;
  }
}

class InterfaceTest : public test::InNamespace {
 protected:
  static Interface find(const std::string& name) { return find_interface(name, netlink::snapshot().value()); }
};

TEST_F(InterfaceTest, WhatTheKernelSays) {
  EXPECT_FALSE(find("sk-lan").present);
  run("ip tuntap add sk-lan mode tap && ip link set sk-lan alias 'sekisho port lan' && "
      "sysctl -qw net.ipv4.conf.sk-lan.rp_filter=2");
  const auto tap = find("sk-lan");
  EXPECT_TRUE(tap.present);
  EXPECT_EQ(tap.driver, "tun");
  EXPECT_EQ(tap.alias, "sekisho port lan");
  EXPECT_EQ(tap.rp_filter, 2);
  run("ip link add left type veth peer name right");
  EXPECT_EQ(find("left").driver, "veth");
  // Since Linux 6.3 the kernel says what a driver's XDP can; the loopback's has none.
  if (const auto features = find("left").xdp_features) {
    EXPECT_EQ(*features & 1, 1u);
    EXPECT_EQ(find("lo").xdp_features, 0u);
  }
}

TEST_F(InterfaceTest, PeersToWhichTheHostsDefaultAloneLeads) {
  run("ip link add lan0 type veth peer name other && ip link set other up && ip link set lan0 up && "
      "ip address add 10.0.1.4/24 dev lan0 && ip route add default via 10.0.1.1");
  const test::TemporaryFolder folder;
  const auto peers = [&](const std::string& zone) {
    const auto file = folder.write(
        "sekisho.toml",
        "[port.lan]\ndevice = \"af_xdp:lan0\"\n[zone.a]\nport = [\"lan\"]\nsources = [\"10.1.0.0/16\"]\n"
        "routes = [\"bgp\"]\n" +
            zone +
            "[bgp]\nasn = 65010\npeer = [{ address = \"10.0.5.4\", asn = 65515 }, "
            "{ address = \"10.0.1.9\", asn = 65001 }]\n");
    const auto system = probe(file, tl::unexpected<std::string>("none"), std::nullopt);
    EXPECT_FALSE(system.configuration_error) << *system.configuration_error;
    return system.bgp.value().by_default_alone;
  };
  const auto found = peers("follow_default = true\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].address, "10.0.5.4");
  EXPECT_EQ(found[0].gateway, "10.0.1.1");
  EXPECT_TRUE(peers("").empty()) << "no zone follows a learned default";
  run("ip route add 10.0.5.0/27 via 10.0.1.1");
  EXPECT_TRUE(peers("follow_default = true\n").empty());
  run("ip route del 10.0.5.0/27 && ip route del default");
  EXPECT_TRUE(peers("follow_default = true\n").empty()) << "no route at all is another matter";
}

TEST(Tables, NarrowUntilThereIsMuchInThem) {
  constexpr std::uint64_t mb = std::uint64_t{1} << 20;
  const test::TemporaryFolder folder;
  std::string routes;
  for (unsigned i = 0; i <= 1024; ++i) {
    routes += "198." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".1/32 None\n";
  }
  folder.write("routes.txt", routes);
  const auto bytes = [&](const std::string& zone) {
    const auto policy =
        policy::read(folder.write("sekisho.toml",
                                  "[port.lan]\ndevice = \"af_xdp:eth1\"\n[zone.a]\nport = [\"lan\"]\n"
                                  "sources = [\"10.0.0.0/8\"]\n" +
                                      zone));
    EXPECT_TRUE(policy) << policy.error().to_string();
    return policy ? table_bytes(**policy) : 0;
  };
  EXPECT_EQ(bytes(""), 36 * mb);             // and that of the sources
  constexpr unsigned extensions = 1025 + 2;  // the platform's two addresses are in every zone
  EXPECT_EQ(bytes("routes = [\"routes.txt\"]\n"), 52 * mb + extensions * 512);
}

TEST(Probe, OfThisMachine) {
  const test::TemporaryFolder folder;
  folder.write("dataplane.env", "SEKISHO_DATAPLANE_OPTIONS=--workers 1 --memory 128\n");
  const auto file = folder.write(
      "sekisho.toml", "[port.lan]\ndevice = \"af_xdp:none0\"\n[port.out]\ndevice = \"net_null0\"\n");
  const auto system = probe(file, tl::unexpected<std::string>("none"), std::nullopt);
  EXPECT_EQ(system.firmware_cloud, find_cloud()) << "also where nobody is asked";
  EXPECT_FALSE(system.configuration_error) << *system.configuration_error;
  ASSERT_EQ(system.ports.size(), 2u);
  EXPECT_TRUE(system.ports[0].af_xdp);
  EXPECT_FALSE(system.ports[0].interface->present);
  EXPECT_FALSE(system.ports[1].nic);
  EXPECT_THAT(system.workers, ElementsAre(1));
  EXPECT_EQ(system.packet_bytes, 128u << 20);
  EXPECT_GE(system.kernel.first, 5u);
  EXPECT_FALSE(system.cpus.empty());
  EXPECT_GT(system.available_memory, 0u);
  EXPECT_TRUE(probe(folder.path() / "missing.toml", tl::unexpected<std::string>("none"), std::nullopt)
                  .configuration_error);
}

}  // namespace
}  // namespace sekisho::doctor
