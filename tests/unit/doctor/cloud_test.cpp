// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/cloud.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "control/doctor/checks.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::doctor {
namespace {

using testing::HasSubstr;

TEST(Cloud, IsWhatTheFirmwareSays) {
  const test::TemporaryFolder sysfs;
  EXPECT_EQ(find_cloud(sysfs.path()), std::nullopt);
  std::filesystem::create_directories(sysfs.path() / "class/dmi/id");
  const auto says = [&](std::string_view file, std::string_view text) {
    sysfs.write("class/dmi/id/" + std::string{file}, text);
    return find_cloud(sysfs.path());
  };
  EXPECT_EQ(says("sys_vendor", "Microsoft Corporation\n"), std::nullopt) << "any Hyper-V";
  EXPECT_EQ(says("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n"), CloudKind::azure);
  EXPECT_EQ(says("chassis_asset_tag", "none\n"), std::nullopt);
  EXPECT_EQ(says("sys_vendor", "Amazon EC2\n"), CloudKind::aws);
  EXPECT_EQ(says("sys_vendor", "Google\n"), std::nullopt);
  EXPECT_EQ(says("product_name", "Google Compute Engine\n"), CloudKind::google);
}

// What it does not have is left out; what is no answer of Azure's is refused.
TEST(Cloud, AnAnswerOfAzureMayLack) {
  const auto machine = read_azure(R"({"compute": {"name": "a$(reboot)b"}, "network": {"interface": [
      {"ipv4": {"ipAddress": [{"privateIpAddress": "10.0.0.4"}, {"privateIpAddress": "nonsense"}], "subnet": []},
       "macAddress": "000D3A000001"},
      {"ipv4": {"ipAddress": [], "subnet": []}, "macAddress": "no MAC"}]}})");
  ASSERT_TRUE(machine) << machine.error();
  EXPECT_EQ(machine->name, (CloudName{"a(reboot)b", false})) << "no command may have it";
  ASSERT_EQ(machine->nics.size(), 1U);
  EXPECT_EQ(machine->nics[0].addresses, (std::vector<std::uint32_t>{0x0a000004}));
  EXPECT_EQ(machine->nics[0].subnet, std::nullopt);
  EXPECT_EQ(machine->nics[0].public_addresses, std::nullopt)
      << "it tells of no public address of the Standard SKU";
  for (const auto* text :
       {"", "[]", "{}", R"({"compute": {}})", R"({"compute": {"name": 3}, "network": {"interface": []}})"}) {
    const auto refused = read_azure(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error(), HasSubstr("does not understand"));
  }
}

TEST(Cloud, AMaskOfGoogleIsASubnet) {
  const auto nics =
      read_google_nics(R"([{"mac": "42:01:0a:00:01:04", "ip": "10.0.1.4", "subnetmask": "255.255.240.0"}])");
  ASSERT_TRUE(nics) << nics.error();
  EXPECT_EQ(nics->at(0).subnet, (base::Prefix{0x0a000000, 20}));
  EXPECT_THAT(nics->at(0).forwarded, testing::IsEmpty());
  EXPECT_FALSE(read_google_nics("{}")) << "no list is not an empty one";
}

TEST(Cloud, WhatGoogleForwardsIsDelivered) {
  const auto nics = read_google_nics(R"([{"mac": "42:01:0a:00:01:04", "ip": "10.0.1.4", "forwardedIps":
      ["10.0.1.100", "198.51.100.1/32"], "ipAliases": ["10.4.0.0/28", "nonsense"], "targetInstanceIps": ["10.0.1.101"]}])");
  ASSERT_TRUE(nics) << nics.error();
  EXPECT_EQ(
      nics->at(0).forwarded,
      (std::vector<base::Prefix>{{0x0a000164, 32}, {0xc6336401, 32}, {0x0a040000, 28}, {0x0a000165, 32}}));
  EXPECT_EQ(nics->at(0).addresses, (std::vector<std::uint32_t>{0x0a000104}));
}

TEST(Cloud, ACommandHasANameToTheLetterOrAPlaceholder) {
  System system;
  const auto remedy = [&](CloudName group) {
    system.cloud = Cloud{CloudKind::azure, CloudMachine{.name = {"nva1"}, .group = std::move(group)}};
    return check_cloud(system).back().remedy;
  };
  EXPECT_THAT(remedy({"net(1)"}), HasSubstr("az network nic list --resource-group 'net(1)' >nics.json"));
  EXPECT_THAT(remedy({"netz", false}), HasSubstr("az network nic list --resource-group GROUP >nics.json"));
  EXPECT_THAT(remedy({}), HasSubstr("--resource-group GROUP --name NIC"));
}

TEST(Cloud, WithoutAVfEachPacketPassesTheHost) {
  System system;
  system.ports = {{.name = "lan", .device = "af_xdp:eth1", .af_xdp = true}};
  system.ports[0].interface = Interface{.name = "eth1", .present = true, .driver = "hv_netvsc"};
  auto findings = check_cloud(system);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].verdict, Verdict::warning);
  EXPECT_THAT(findings[0].sentence,
              HasSubstr("SR-IOV is off, and each packet passes the host's software switch"));
  EXPECT_THAT(findings[0].remedy, HasSubstr("Set-VMNetworkAdapter")) << "any Hyper-V: not Azure's command";
  system.cloud = Cloud{CloudKind::azure, CloudMachine{.group = {"network"}}};
  findings = check_cloud(system);
  EXPECT_THAT(findings.front().sentence, HasSubstr("without accelerated networking each packet"));
  EXPECT_EQ(findings.front().remedy,
            "az network nic update --accelerated-networking true --resource-group 'network' --name NIC");
  system.cloud.reset();
  system.firmware_cloud = CloudKind::azure;
  EXPECT_THAT(check_cloud(system).front().remedy, HasSubstr("--resource-group GROUP")) << "--cloud none";
  system.ports[0].vf = "enP1s1";
  findings = check_cloud(system);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].verdict, Verdict::ok);
}

}  // namespace
}  // namespace sekisho::doctor
