// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/checks.hpp"
#include "common/base/version.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/doctor/needs.hpp"

namespace sekisho::doctor {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t mb = std::uint64_t{1} << 20;

auto is(Verdict verdict, const std::string& sentence) {
  return AllOf(Field(&Finding::verdict, verdict), Field(&Finding::sentence, HasSubstr(sentence)));
}
auto is(Verdict verdict, const std::string& sentence, const std::string& remedy) {
  return AllOf(is(verdict, sentence), Field(&Finding::remedy, HasSubstr(remedy)));
}

Interface netdev(std::string name, std::string driver, std::uint64_t xdp) {
  return {.name = std::move(name), .present = true, .driver = std::move(driver), .xdp_features = xdp};
}

Port af_xdp_port(std::string name, std::string interface) {
  return {.name = std::move(name),
          .device = "af_xdp:" + interface,
          .af_xdp = true,
          .interface = netdev(interface, "ena", 1)};
}

Port pci_port(std::string driver) {
  return {.name = "lan",
          .device = "0000:00:05.0",
          .nic = Nic{.present = true, .driver = std::move(driver)},
          .interface = Interface{.name = "sk-lan"},
          .companion_alias = "sekisho port lan"};
}

TEST(Doctor, ANeighbourThatIsBelievedForLong) {
  System system;
  system.ports = {af_xdp_port("lan", "eth1"), af_xdp_port("egress", "eth2")};
  EXPECT_THAT(check_neighbours(system), ElementsAre(is(Verdict::ok, "within seconds")));
  system.ports[0].neighbour_patience = std::chrono::seconds{4};
  EXPECT_THAT(check_neighbours(system), ElementsAre(is(Verdict::ok, "within seconds")));
  system.ports[1].neighbour_patience = std::chrono::milliseconds{57'100};
  EXPECT_THAT(check_neighbours(system),
              ElementsAre(is(Verdict::warning,
                             "port egress: a member without a probe that dies keeps its flows for up to 58 s",
                             "sysctl -w net.ipv4.neigh.eth2.base_reachable_time_ms=1000")));
}

// A machine on which nothing is to be mended.
System healthy() {
  System system;
  system.root = true;
  system.kernel = {6, 1};
  system.file = "/etc/sekisho/sekisho.toml";
  system.ports = {af_xdp_port("lan", "eth1"), af_xdp_port("egress", "eth2")};
  system.table_bytes = 54 * mb;
  system.control = Control{.version = std::string{base::version()},
                           .has_dataplane = true,
                           .dataplane_version = std::string{base::version()},
                           .hugepages = true,
                           .workers = {2, 3}};
  system.workers = {2, 3};
  system.packet_bytes = 256 * mb;
  system.packet_mtu = 1774;
  system.guard = {};
  system.xdp_sockets = true;
  system.hugepages = {2 * mb, 1024 * mb, 512 * mb};
  system.available_memory = 2048 * mb;
  system.cpus = {0, 1, 2, 3};
  system.isolated = {2, 3};
  system.tickless = {2, 3};
  system.clock_synchronised = true;
  return system;
}

class DoctorTest : public testing::Test {
 protected:
  System system = healthy();

  void stop_dataplane() { system.control = tl::unexpected<std::string>("cannot reach sekisho-control"); }
};

TEST_F(DoctorTest, AHealthyMachineHasNothingToMend) {
  for (const auto& finding : examine(system)) {
    EXPECT_EQ(finding.verdict, Verdict::ok) << finding.check << ": " << finding.sentence;
    EXPECT_THAT(finding.remedy, IsEmpty()) << finding.check;
  }
}

TEST_F(DoctorTest, EveryFindingThatIsNotOkHasARemedy) {
  System worst;  // nothing is there
  worst.file = "/etc/sekisho/sekisho.toml";
  worst.control = tl::unexpected<std::string>("cannot reach sekisho-control");
  worst.guard = tl::unexpected<std::string>("there is no guard");
  worst.workers = {1};
  for (const auto& finding : examine(worst)) {
    EXPECT_EQ(finding.verdict == Verdict::ok, finding.remedy.empty())
        << finding.check << ": " << finding.sentence;
    EXPECT_THAT(finding.sentence, Not(IsEmpty())) << finding.check;
  }
}

TEST_F(DoctorTest, BeginsWithWhatIsWrong) {
  system.control->problems = {{true, "next hop firewall has no living member", "sekisho show next-hops"},
                              {false, "routes.txt has changed", "sekisho reload --dry-run"}};
  EXPECT_THAT(check_state(system), ElementsAre(is(Verdict::bad, "no living member", "show next-hops"),
                                               is(Verdict::warning, "has changed", "reload --dry-run")));
  const auto all = examine(system);
  EXPECT_EQ(all[0].sentence, "next hop firewall has no living member");
  EXPECT_EQ(all[1].sentence, "routes.txt has changed");
}

TEST_F(DoctorTest, ConfigurationThatIsRefused) {
  system.configuration_error = "sekisho.toml:3: no";
  EXPECT_THAT(check_configuration(system),
              ElementsAre(is(Verdict::bad, "sekisho.toml:3: no", "sekisho check")));
}

TEST_F(DoctorTest, ConfigurationWithoutPorts) {
  system.ports.clear();
  EXPECT_THAT(check_configuration(system), ElementsAre(is(Verdict::bad, "names no port")));
}

TEST_F(DoctorTest, ControlThatDoesNotAnswer) {
  stop_dataplane();
  EXPECT_THAT(check_control(system), ElementsAre(is(Verdict::bad, "cannot reach", "systemctl")));
  EXPECT_THAT(check_dataplane(system), ElementsAre(is(Verdict::warning, "does not answer")));
}

TEST_F(DoctorTest, VersionsThatDiffer) {
  system.control->dataplane_version = "0.0.1";
  EXPECT_THAT(check_dataplane(system), ElementsAre(is(Verdict::warning, "version 0.0.1", "restart")));
  system.control->version = "0.0.2";
  EXPECT_THAT(check_control(system), ElementsAre(is(Verdict::warning, "version 0.0.2", "restart")));
}

TEST_F(DoctorTest, ControlWithoutDataplane) {
  system.control->has_dataplane = false;
  EXPECT_THAT(check_dataplane(system), ElementsAre(is(Verdict::bad, "no dataplane")));
}

TEST_F(DoctorTest, GuardThatLeavesAPortOpen) {
  system.guard_problems = {"port lan (eth2): no tc program"};
  system.unsteered = {"port lan (eth2): no steering program"};
  EXPECT_THAT(check_guard(system),
              ElementsAre(is(Verdict::bad, "port lan (eth2): no tc program", "sekisho guard on"),
                          is(Verdict::warning, "no steering program", "systemctl start sekisho-dataplane")));
}

TEST_F(DoctorTest, GuardThatCannotBeSeen) {
  system.guard = tl::unexpected<std::string>("Operation not permitted");
  system.root = false;
  EXPECT_THAT(check_guard(system), ElementsAre(is(Verdict::warning, "without root", "sudo")));
}

TEST_F(DoctorTest, ForwardingNeedsTheGuard) {
  system.forwards = true;
  EXPECT_THAT(check_forwarding(system), ElementsAre(is(Verdict::ok, "the guard decides")));
  system.guard = tl::unexpected<std::string>("there is no guard");
  EXPECT_THAT(check_guard(system), ElementsAre(is(Verdict::bad, "there is no guard")));
  EXPECT_THAT(check_forwarding(system), ElementsAre(is(Verdict::bad, "past the firewall", "ip_forward=0")));
}

TEST_F(DoctorTest, TheGreaterRpFilterCounts) {
  system.rp_filter_all = 1;
  EXPECT_THAT(check_rp_filter(system), ElementsAre(is(Verdict::warning, "eth1", "eth1.rp_filter=2"),
                                                   is(Verdict::warning, "eth2", "eth2.rp_filter=2")));
  system.ports[0].interface->rp_filter = 2;
  EXPECT_THAT(check_rp_filter(system), ElementsAre(is(Verdict::warning, "eth2")));
  system.rp_filter_all = 0;
  EXPECT_THAT(check_rp_filter(system), ElementsAre(is(Verdict::ok, "")));
}

TEST_F(DoctorTest, TheExitTakesNoRpFilter) {
  system.exit = Interface{.name = "sekisho0", .present = true, .rp_filter = 2};
  EXPECT_THAT(check_rp_filter(system), ElementsAre(is(Verdict::warning, "sekisho0", "conf.all.rp_filter=0")));
  system.exit->rp_filter = 1;
  EXPECT_THAT(check_rp_filter(system), ElementsAre(is(Verdict::bad, "sekisho0", "conf.all.rp_filter=0")));
  system.exit->present = false;  // no exit is configured
  EXPECT_THAT(check_rp_filter(system), ElementsAre(is(Verdict::ok, "")));
}

TEST_F(DoctorTest, NicsOnDriversForDpdk) {
  for (const auto* driver : {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core", "uio_hv_generic"}) {
    system.ports = {pci_port(driver)};
    EXPECT_THAT(check_nics(system), ElementsAre(is(Verdict::ok, driver)));
  }
}

TEST_F(DoctorTest, NicThatTheKernelHas) {
  system.ports = {pci_port("virtio-pci")};
  system.ports[0].nic->interface = "eth1";
  EXPECT_THAT(check_nics(system),
              ElementsAre(is(Verdict::bad, "virtio-pci (eth1)", "sekisho-bind-nic 0000:00:05.0")));
}

TEST_F(DoctorTest, NicThatIsNotThereOrUnbound) {
  system.ports = {pci_port("")};
  EXPECT_THAT(check_nics(system), ElementsAre(is(Verdict::bad, "no driver", "sekisho-bind-nic")));
  system.ports[0].nic->present = false;
  EXPECT_THAT(check_nics(system), ElementsAre(is(Verdict::bad, "not there", "--status")));
}

TEST_F(DoctorTest, UioBehindAnIommuOrUnderSecureBoot) {
  system.ports = {pci_port("uio_pci_generic")};
  system.ports[0].nic->iommu = true;
  EXPECT_THAT(check_nics(system), ElementsAre(is(Verdict::ok, "")));  // passthrough
  system.ports[0].nic->translated = true;
  EXPECT_THAT(check_nics(system), ElementsAre(is(Verdict::bad, "IOMMU", "vfio-pci")));
  system.locked_down = true;
  EXPECT_THAT(check_nics(system), ElementsAre(is(Verdict::bad, "locked down", "Secure Boot")));
}

TEST_F(DoctorTest, VfioNeedsAnIommu) {
  system.ports = {pci_port("vfio-pci")};
  EXPECT_THAT(check_iommu(system),
              ElementsAre(is(Verdict::bad, "there is no IOMMU", "sekisho-bind-nic 0000:00:05.0")));
  system.no_iommu_mode = true;
  EXPECT_THAT(check_iommu(system), ElementsAre(is(Verdict::warning, "any memory")));
  system.ports[0].nic->iommu = true;
  EXPECT_THAT(check_iommu(system), ElementsAre(is(Verdict::ok, "behind an IOMMU")));
}

TEST_F(DoctorTest, XdpByDriver) {
  system.ports[0].interface->xdp_features = 0;
  system.ports[1].interface->xdp_features = 15;
  EXPECT_THAT(check_xdp(system),
              ElementsAre(is(Verdict::warning, "eth1", "bind-nic"), is(Verdict::ok, "zero copy")));
  system.ports[0].interface->xdp_features.reset();
  system.ports[1].interface->present = false;
  system.ports[1].missing = "there is no interface eth2";
  EXPECT_THAT(check_xdp(system), ElementsAre(is(Verdict::ok, "count on copy mode"),
                                             is(Verdict::bad, "there is no interface eth2")));
}

TEST_F(DoctorTest, TagsBesideFrames) {
  system.ports[0].interface->driver = "veth";
  EXPECT_THAT(check_xdp(system), ElementsAre(is(Verdict::ok, "eth1: veth has XDP"), is(Verdict::ok, "eth2")));
  EXPECT_THAT(check_xdp(system)[0].sentence,
              HasSubstr("ethtool -K PEER txvlan off tx-vlan-stag-hw-insert off"));
  EXPECT_THAT(check_xdp(system)[1].sentence, Not(HasSubstr("VLAN")));
}

TEST_F(DoctorTest, MtusThatAPortDoesNotTake) {
  auto& lan = *system.ports[0].interface;
  auto& egress = *system.ports[1].interface;
  lan.mtu = 1774;
  egress.mtu = 1775;
  EXPECT_THAT(check_mtus(system), ElementsAre(is(Verdict::ok, ""), is(Verdict::ok, "")))
      << "it is the dataplane's to say";
  stop_dataplane();
  EXPECT_THAT(
      check_mtus(system),
      ElementsAre(is(Verdict::ok, "port lan: eth1 (ena) has an MTU of 1774, of at most 3498"),
                  is(Verdict::warning,
                     "port egress: eth2 (ena) has an MTU of 1775, and packet buffers have room for 1774",
                     "--mtu 1775")));
  system.packet_mtu = 3498;
  lan.mtu = 3498;
  egress.mtu = 9001;
  EXPECT_THAT(check_mtus(system), ElementsAre(is(Verdict::ok, "3498"), is(Verdict::bad, "takes 3498 at most",
                                                                          "ip link set eth2 mtu 3498")));
  lan.driver = egress.driver = "ixgbe";
  egress.mtu = 3050;
  EXPECT_THAT(check_mtus(system), ElementsAre(is(Verdict::bad, "takes 3050 at most", "mtu 3050"),
                                              is(Verdict::ok, "of at most 3050")));
  egress.present = false;
  system.ports[0] = pci_port("vfio-pci");
  EXPECT_THAT(check_mtus(system), ElementsAre());
}

TEST_F(DoctorTest, MtusAsTheyAreConfigured) {
  system.packet_mtu = 3498;
  system.ports[0].interface->mtu = 9001;
  system.ports[0].mtu = 1500;
  system.ports[1].interface->mtu = 1500;
  system.ports[1].mtu = 3498;
  EXPECT_THAT(
      check_mtus(system),
      ElementsAre(is(Verdict::ok, "port lan: eth1 (ena) is given an MTU of 1500, of at most 3498"),
                  is(Verdict::ok, "port egress: eth2 (ena) is given an MTU of 3498, of at most 3498")));
  system.ports[1].interface->driver = "i40e";
  EXPECT_THAT(check_mtus(system)[1],
              is(Verdict::bad, "is given an MTU of 3498, and with AF_XDP takes 3046 at most",
                 "mtu = 3046 in [port.egress]"));
  system.packet_mtu = 1774;
  system.ports[1].mtu = 1775;
  stop_dataplane();
  EXPECT_THAT(check_mtus(system)[1], is(Verdict::warning, "room for 1774", "or mtu = 1774 in [port.egress]"));
}

TEST_F(DoctorTest, MtusOfDrivers) {
  system.packet_mtu = 3498;
  system.ports.resize(1);
  auto& lan = *system.ports[0].interface;
  lan.driver = "igc";
  lan.mtu = 1500;
  EXPECT_THAT(check_mtus(system), ElementsAre(is(Verdict::ok, "of at most 1500")));
  lan.mtu = 1501;
  EXPECT_THAT(check_mtus(system), ElementsAre(is(Verdict::bad, "takes 1500 at most", "mtu 1500")));
  lan.driver = "igb";
  lan.mtu = 3046;
  EXPECT_THAT(check_mtus(system), ElementsAre(is(Verdict::ok, "of at most 3046")));
  lan.driver = "atlantic";
  EXPECT_THAT(check_mtus(system), ElementsAre(is(Verdict::ok, "(atlantic) has an MTU of 3046")));
  EXPECT_THAT(check_mtus(system)[0].sentence, Not(HasSubstr("at most"))) << "nobody knows";
  lan.mtu = 3499;
  EXPECT_THAT(check_mtus(system), ElementsAre(is(Verdict::bad, "takes 3498 at most", "mtu 3498")));
}

// A dataplane that is told so refuses every AF_XDP port.
TEST_F(DoctorTest, BuffersOfMoreThanAPage) {
  system.packet_mtu = 9000;
  EXPECT_THAT(check_mtus(system),
              ElementsAre(is(Verdict::bad, "--mtu 9000: packet buffers are larger than the page",
                             "\"--mtu 3498\" or less")));
  system.ports = {pci_port("vfio-pci")};
  EXPECT_THAT(check_mtus(system), ElementsAre()) << "no other minds";
}

TEST_F(DoctorTest, XdpByKernel) {
  system.ports.pop_back();
  system.kernel = {5, 15};
  EXPECT_THAT(check_xdp(system), ElementsAre(is(Verdict::warning, "5.16"), is(Verdict::ok, "eth1")));
  system.kernel = {4, 19};
  EXPECT_THAT(check_xdp(system), ElementsAre(is(Verdict::bad, "Linux 4.19")));
  system.kernel = {6, 1};
  system.xdp_sockets = false;
  EXPECT_THAT(check_xdp(system), ElementsAre(is(Verdict::bad, "AF_XDP")));
  system.ports = {pci_port("vfio-pci")};
  EXPECT_THAT(check_xdp(system), ElementsAre(is(Verdict::ok, "no port uses")));
}

TEST_F(DoctorTest, CompanionMadeBySomebodyElse) {
  system.ports = {pci_port("vfio-pci")};
  EXPECT_THAT(check_companions(system), IsEmpty());  // not made yet
  auto& companion = *system.ports[0].interface;
  companion = {.name = "sk-lan", .present = true, .driver = "tun", .alias = "sekisho port lan"};
  EXPECT_THAT(check_companions(system), IsEmpty());
  companion.alias = "sekisho port wan";
  EXPECT_THAT(check_companions(system), ElementsAre(is(Verdict::bad, "sk-lan", "ip link delete sk-lan")));
  companion.alias = "sekisho port lan";
  companion.driver = "veth";
  EXPECT_THAT(check_companions(system), ElementsAre(is(Verdict::bad, "somebody else")));
}

TEST_F(DoctorTest, HugepagesBeforeTheStart) {
  stop_dataplane();
  EXPECT_THAT(check_hugepages(system),
              ElementsAre(is(Verdict::ok, "310 are wanted: 256 for packets, 54 for tables")));
  system.hugepages.free = 300 * mb;  // 724 MB are taken already
  EXPECT_THAT(check_hugepages(system), ElementsAre(is(Verdict::warning, "lookups", "vm.nr_hugepages=517 ")));
  system.hugepages = {2 * mb, 0, 0};
  EXPECT_THAT(check_hugepages(system), ElementsAre(is(Verdict::warning, "slower", "vm.nr_hugepages=155 ")));
}

TEST_F(DoctorTest, TransparentHugepagesDoAsWellBeforeTheStart) {
  stop_dataplane();
  system.hugepages = {2 * mb, 0, 0, true};
  EXPECT_THAT(check_hugepages(system), ElementsAre(is(Verdict::ok, "transparent hugepages do as well")));
  system.ports = {pci_port("vfio-pci")};
  EXPECT_THAT(check_hugepages(system), ElementsAre(is(Verdict::bad, "do not work without", "=155 ")));
}

TEST_F(DoctorTest, PortsThatDpdkOwnsDoNotWorkWithoutHugepages) {
  system.control->hugepages = false;
  system.control->packet_bytes = system.control->transparent_packet_bytes = 192 * mb;
  for (const char* driver : {"vfio-pci", "uio_pci_generic", "uio_hv_generic"}) {
    system.ports = {pci_port(driver)};
    system.hugepages.free = 0;
    EXPECT_THAT(check_hugepages(system), ElementsAre(is(Verdict::bad, "DPDK owns", "vm.nr_hugepages")));
    system.hugepages.free = 512 * mb;  // they came after the dataplane
    EXPECT_THAT(check_hugepages(system), ElementsAre(is(Verdict::bad, "DPDK owns", "restart")));
  }
}

TEST_F(DoctorTest, SaysInWhichPagesPacketsLie) {
  system.control->hugepages = false;
  EXPECT_THAT(check_hugepages(system), ElementsAre(is(Verdict::warning, "started without", "restart")));
  system.control->packet_bytes = 192 * mb;
  EXPECT_THAT(check_hugepages(system),
              ElementsAre(is(Verdict::warning, "192 of 192 MB of packets", "restart")));
  system.hugepages.free = 0;
  EXPECT_THAT(check_hugepages(system), ElementsAre(is(Verdict::warning, "192 of 192 MB", "madvise")));
  system.hugepages.transparent = true;
  system.control->transparent_packet_bytes = 190 * mb;
  EXPECT_THAT(check_hugepages(system), ElementsAre(is(Verdict::warning, "2 of 192 MB", "vm.nr_hugepages")));
  system.control->transparent_packet_bytes = 192 * mb;
  EXPECT_THAT(check_hugepages(system), ElementsAre(is(Verdict::ok, "transparent hugepages")));
}

TEST_F(DoctorTest, MemoryForWhatIsStillToStart) {
  system.available_memory = 200 * mb;
  EXPECT_THAT(check_memory(system), ElementsAre(is(Verdict::ok, "200 MB")));
  stop_dataplane();
  EXPECT_THAT(check_memory(system), ElementsAre(is(Verdict::ok, "")));  // it will take hugepages
  system.hugepages.free = 0;
  EXPECT_THAT(check_memory(system), ElementsAre(is(Verdict::bad, "438 are needed", "--memory")));
}

TEST_F(DoctorTest, WorkersOnCpusOfTheirOwn) {
  system.tickless = {};
  EXPECT_THAT(check_lcores(system), ElementsAre(is(Verdict::ok, "CPU 2-3, with the kernel's tick")));
  system.isolated = {3};
  EXPECT_THAT(check_lcores(system),
              ElementsAre(is(Verdict::warning, "CPU 2 of the workers", "isolcpus=2-3 ")));
  system.control->workers = {3, 4};
  EXPECT_THAT(check_lcores(system), ElementsAre(is(Verdict::bad, "CPU 4", "dataplane.env")));
  stop_dataplane();
  system.workers = {0};
  EXPECT_THAT(check_lcores(system), ElementsAre(is(Verdict::warning, "CPU 0", "--workers 1")));
  system.cpus = {0};
  EXPECT_THAT(check_lcores(system), ElementsAre(is(Verdict::warning, "one CPU")));
}

TEST_F(DoctorTest, Clock) {
  system.clock_synchronised = false;
  EXPECT_THAT(check_clock(system), ElementsAre(is(Verdict::warning, "not synchronised", "chrony")));
}

TEST_F(DoctorTest, Frr) {
  EXPECT_THAT(check_frr(system), ElementsAre(is(Verdict::ok, "not installed")));
  system.frr = "8.4.4";
  EXPECT_THAT(check_frr(system), ElementsAre(is(Verdict::ok, "FRR 8.4.4")));
}

TEST_F(DoctorTest, FrrThatIsToSpeakToPeers) {
  const std::string ours = "! Written by `sekisho bgp apply` from [bgp]\nrouter bgp 65010\n";
  system.bgp = Bgp{.file = "/etc/frr/frr.conf", .text = ours, .rendered = ours};
  EXPECT_THAT(check_frr(system), ElementsAre(is(Verdict::bad, "FRR is not installed, and [bgp] names peers",
                                                "apt install frr")));
  system.frr = "8.4.4";
  EXPECT_THAT(check_frr(system), ElementsAre(is(Verdict::ok, "FRR 8.4.4 has the configuration")));
  system.frr = "7.5.1";
  EXPECT_THAT(check_frr(system), testing::Contains(is(Verdict::warning, "FRR 7.5.1")));
  system.frr = "10.2";
  EXPECT_THAT(check_frr(system), ElementsAre(is(Verdict::ok, "FRR 10.2")));
  system.bgp->rendered += " more\n";
  EXPECT_THAT(check_frr(system),
              ElementsAre(is(Verdict::warning, "is not what the configuration means", "sekisho bgp apply")));
  system.bgp->text = "router bgp 65010\n";
  EXPECT_THAT(check_frr(system), ElementsAre(is(Verdict::warning, "somebody else's", "sekisho bgp render")));
  system.bgp->text = ours + " address-family ipv4 unicast\n  network 0.0.0.0/1\n";
  EXPECT_THAT(check_frr(system), testing::Contains(is(Verdict::bad, "whether anything is forwarded or not")));
  system.bgp->text.reset();
  EXPECT_THAT(check_frr(system),
              ElementsAre(is(Verdict::bad, "there is no /etc/frr/frr.conf", "sekisho bgp apply")));
  system.bgp->unread = "/etc/frr/frr.conf: Permission denied";
  EXPECT_THAT(check_frr(system), ElementsAre(is(Verdict::warning, "Permission denied", "")));
  system.bgp->text = system.bgp->rendered;
  system.bgp->starts_bgpd = false;
  EXPECT_THAT(check_frr(system), ElementsAre(is(Verdict::bad, "does not start bgpd", "/etc/frr/daemons")));
}

TEST_F(DoctorTest, APeerThatTheHostsDefaultAloneLeadsTo) {
  const std::string ours = "! Written by `sekisho bgp apply` from [bgp]\nrouter bgp 65010\n";
  system.frr = "8.4.4";
  system.bgp = Bgp{.file = "/etc/frr/frr.conf", .text = ours, .rendered = ours};
  system.bgp->by_default_alone = {{"10.0.5.4", "10.0.1.1"}, {"10.0.5.5", ""}};
  EXPECT_THAT(check_frr(system),
              ElementsAre(is(Verdict::warning, "reaches peer 10.0.5.4 by its own default alone",
                             "ip route add 10.0.5.4/32 via 10.0.1.1; systemctl restart frr"),
                          is(Verdict::warning, "peer 10.0.5.5", "via the gateway of the port's subnet")));
}

TEST(Cpus, ReadAndWritten) {
  EXPECT_THAT(parse_cpus("0-2,5"), ElementsAre(0, 1, 2, 5));
  for (const auto* none : {"", "(null)", "-", "3-x", "99999"}) {
    EXPECT_THAT(parse_cpus(none), IsEmpty()) << none;
  }
  EXPECT_EQ(cpus_text({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
  EXPECT_EQ(cpus_text({}), "");
}

}  // namespace
}  // namespace sekisho::doctor
