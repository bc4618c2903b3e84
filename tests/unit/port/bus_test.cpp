// SPDX-License-Identifier: BSD-3-Clause
// What stands in sysfs about a NIC, and what is said about one that DPDK cannot have.
#include "dataplane/port/bus.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

namespace sekisho::port {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr const char* nic = "0000:00:04.0";
constexpr const char* uuid = "000d3a6f-4c5c-000d-3a6f-4c5c000d3a6f";

constexpr DeviceMemory no_hugepages{.hugepages = false, .physical_addresses = false};

class BusTest : public testing::Test {
 protected:
  BusTest()
      : sysfs_(std::filesystem::temp_directory_path() / ("sekisho-bus-test-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(sysfs_);
  }
  ~BusTest() override { std::filesystem::remove_all(sysfs_); }

  void add(const std::string& bus, const std::string& name, const std::string& driver,
           const std::string& device_class = "0x020000") {
    const auto device = sysfs_ / bus / "devices" / name;
    const auto drivers = sysfs_ / bus / "drivers" / driver;
    std::filesystem::create_directories(device);
    std::filesystem::create_directories(drivers);
    std::ofstream(device / "class") << device_class << '\n';
    if (!driver.empty()) {
      std::filesystem::create_directory_symlink(drivers, device / "driver");
    }
  }
  std::string refusal(const std::string& device, const DeviceMemory& memory = {}) {
    const auto found = locate(device, memory, sysfs_);
    return found ? "found" : found.error();
  }

  std::filesystem::path sysfs_;
};

TEST_F(BusTest, NicsForUserSpace) {
  for (const char* driver : {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core"}) {
    add("pci", nic, driver);
    const auto found = locate("0000:00:04.0,some=argument", {}, sysfs_);
    ASSERT_TRUE(found) << found.error();
    EXPECT_EQ(found->bus, Bus::pci);
    EXPECT_EQ(found->name, nic);
    EXPECT_EQ(found->arguments, "some=argument");
    EXPECT_EQ(locate("00:04.0", {}, sysfs_)->name, nic) << "as lspci writes it";
    std::filesystem::remove_all(sysfs_);
  }
}

TEST_F(BusTest, NicsOfTheKernel) {
  add("pci", nic, "virtio-pci");
  EXPECT_THAT(refusal(nic), AllOf(StartsWith("0000:00:04.0: "), HasSubstr("virtio-pci"),
                                  HasSubstr("sekisho-bind-nic 0000:00:04.0")));
}

TEST_F(BusTest, NicsOfNobody) {
  add("pci", nic, "");
  EXPECT_THAT(refusal(nic), AllOf(HasSubstr("no driver"), HasSubstr("sekisho-bind-nic 0000:00:04.0")));
  EXPECT_THAT(refusal("0000:00:05.0"), HasSubstr("no such PCI device"));
}

TEST_F(BusTest, OtherDevices) {
  add("pci", nic, "vfio-pci", "0x010802");
  EXPECT_THAT(refusal(nic), HasSubstr("no network device"));
}

TEST_F(BusTest, UioNeedsPhysicalAddresses) {
  add("pci", nic, "uio_pci_generic");
  add("pci", "0000:00:05.0", "vfio-pci");
  EXPECT_THAT(refusal(nic, {.physical_addresses = false}),
              AllOf(StartsWith("0000:00:04.0: "), HasSubstr("hugepages")));
  EXPECT_EQ(refusal("0000:00:05.0", {.physical_addresses = false}), "found");
}

TEST_F(BusTest, WhatReadsPacketsByItselfNeedsHugepages) {
  const std::string netvsc = std::string("vmbus:") + uuid;
  add("vmbus", uuid, "uio_hv_generic");
  for (const char* driver : {"vfio-pci", "mlx5_core"}) {
    add("pci", nic, driver);
    EXPECT_THAT(refusal(nic, no_hugepages),
                AllOf(StartsWith("0000:00:04.0: "), HasSubstr("reserved hugepages")));
    std::filesystem::remove_all(sysfs_ / "pci");
  }
  for (const auto& device : {netvsc, std::string("net_virtio_user0,path=/dev/vhost-net")}) {
    EXPECT_THAT(refusal(device, no_hugepages), AllOf(StartsWith(device), HasSubstr("reserved hugepages")));
    EXPECT_EQ(refusal(device), "found");
  }
}

TEST_F(BusTest, VmbusNics) {
  const auto device = std::string("vmbus:") + uuid;
  EXPECT_THAT(refusal(device), AllOf(StartsWith(device), HasSubstr("no such VMBus device")));
  add("vmbus", uuid, "hv_netvsc");
  EXPECT_THAT(refusal(device), AllOf(HasSubstr("hv_netvsc"), HasSubstr("sekisho-bind-nic " + device)));
  std::filesystem::remove_all(sysfs_);
  add("vmbus", uuid, "uio_hv_generic");
  const auto found = locate(device, {.physical_addresses = false}, sysfs_);
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ(found->bus, Bus::vmbus);
  EXPECT_EQ(found->name, uuid);
}

TEST_F(BusTest, VirtualFunctionsOfNetvsc) {
  const auto say_class = [&](const char* id) {
    std::ofstream(sysfs_ / "vmbus/devices" / uuid / "class_id") << id;
  };
  EXPECT_THAT(netvsc_functions(sysfs_), IsEmpty()) << "no VMBus at all";
  add("pci", nic, "mlx5_core");
  add("pci", "0000:00:05.0", "mana");
  add("pci", "0000:00:06.0", "mlx5_core", "0x010802");
  add("pci", "0000:00:07.0", "vfio-pci");
  add("vmbus", uuid, "hv_netvsc");
  say_class("{f8615163-df3e-46c5-913f-f2d2f965ed0e}\n");
  EXPECT_THAT(netvsc_functions(sysfs_), IsEmpty()) << "it is the kernel's";
  std::filesystem::remove_all(sysfs_ / "vmbus");
  add("vmbus", uuid, "uio_hv_generic");
  say_class("{ba6163d9-04a1-4d29-b605-72e2ffb1dc7f}\n");
  EXPECT_THAT(netvsc_functions(sysfs_), IsEmpty()) << "it is a disk's";
  say_class("{f8615163-df3e-46c5-913f-f2d2f965ed0e}\n");
  EXPECT_THAT(netvsc_functions(sysfs_), UnorderedElementsAre(nic, "0000:00:05.0"));
}

TEST_F(BusTest, AnythingElseIsVirtual) {
  const auto found = locate("net_pcap0,rx_pcap=a,tx_pcap=b", no_hugepages, sysfs_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->bus, Bus::vdev);
  EXPECT_EQ(found->name, "net_pcap0");
  EXPECT_EQ(found->arguments, "rx_pcap=a,tx_pcap=b");
  EXPECT_THAT(refusal(",x=1"), HasSubstr("not a device"));
}

}  // namespace
}  // namespace sekisho::port
