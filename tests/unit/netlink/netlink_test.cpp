// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/netlink/interface_addresses.hpp"
#include "control/netlink/last_macs.hpp"
#include "control/netlink/netlink.hpp"
#include "control/netlink/wanted.hpp"
#include "tests/unit/namespace.hpp"

namespace sekisho::netlink {
namespace {

using config::InterfaceAddress;
using test::Namespace;
using test::output;
using test::run;

constexpr std::uint32_t peer_address = 0x0a090002;
constexpr base::MacAddress peer_mac = {0x02, 0x00, 0x00, 0x00, 0x09, 0x02};

class NetlinkTest : public test::InNamespace {
 protected:
  void SetUp() override {
    InNamespace::SetUp();
    run("ip link add kern0 type veth peer name kern1 address 02:00:00:00:09:02 netns " + peer.path());
    run("ip address add 10.9.0.1/24 dev kern0 && ip link set kern0 up");
    peer.run("ip link set kern1 up && ip address add 10.9.0.2/24 dev kern1");
  }

  void start() {
    auto opened = Netlink::open(io, [this] { ++changes; });
    ASSERT_TRUE(opened) << opened.error();
    netlink = std::move(*opened);
  }

  [[nodiscard]] int index() const { return netlink->mirror().link("kern0")->index; }
  [[nodiscard]] std::vector<InterfaceAddress> addresses() const {
    const auto& all = netlink->mirror().addresses;
    const auto found = all.find(index());
    return found == all.end() ? std::vector<InterfaceAddress>{} : found->second;
  }
  [[nodiscard]] const Neighbour* neighbour(std::uint32_t address = peer_address) const {
    const auto& all = netlink->mirror().neighbours;
    const auto found = all.find({index(), address});
    return found == all.end() ? nullptr : &found->second;
  }
  [[nodiscard]] bool usable() const { return neighbour() != nullptr && neighbour()->usable; }
  [[nodiscard]] bool is_up() const { return netlink->mirror().link("kern0")->up; }

  Namespace peer;
  int changes = 0;
  std::unique_ptr<Netlink> netlink;
};

TEST_F(NetlinkTest, HasEverythingThatWasThereBeforeItOpened) {
  run("ip neigh add 10.9.0.7 lladdr 02:00:00:00:00:07 dev kern0 nud permanent");
  start();
  ASSERT_NE(netlink->mirror().link("kern0"), nullptr);
  EXPECT_TRUE(is_up());
  EXPECT_EQ(netlink->mirror().link("kern0")->mtu, 1500u);
  EXPECT_THAT(addresses(), testing::ElementsAre(InterfaceAddress{0x0a090001, 24}));
  ASSERT_NE(neighbour(0x0a090007), nullptr);
  EXPECT_EQ(neighbour(0x0a090007)->state, "PERMANENT");
  EXPECT_TRUE(neighbour(0x0a090007)->usable);
  EXPECT_EQ(neighbour(0x0a090007)->mac, (base::MacAddress{2, 0, 0, 0, 0, 7}));
  EXPECT_EQ(netlink->mirror().link("kern9"), nullptr);
}

TEST_F(NetlinkTest, FollowsTheLinkAndItsCarrier) {
  start();
  run("ip link set kern0 down");
  EXPECT_TRUE(until([&] { return !is_up(); }));
  run("ip link set kern0 up");
  EXPECT_TRUE(until([&] { return is_up(); }));
  peer.run("ip link set kern1 down");  // kern0 stays IFF_UP and loses its carrier
  EXPECT_TRUE(until([&] { return !is_up(); }));
  peer.run("ip link set kern1 up");
  EXPECT_TRUE(until([&] { return is_up(); }));
  EXPECT_GE(changes, 4);
}

TEST_F(NetlinkTest, FollowsAddresses) {
  start();
  run("ip address add 10.9.1.1/31 dev kern0 && ip address del 10.9.0.1/24 dev kern0");
  EXPECT_TRUE(until([&] { return addresses() == std::vector<InterfaceAddress>{{0x0a090101, 31}}; }));
  // The length is the peer's.
  run("ip address add 10.9.2.1 peer 10.9.3.0/24 dev kern0");
  EXPECT_TRUE(until([&] {
    return addresses() == std::vector<InterfaceAddress>{{0x0a090101, 31}, {0x0a090201, 32}};
  }));
}

TEST_F(NetlinkTest, ForgetsWhatALinkHadAndFindsItUnderItsNewName) {
  run("ip neigh add 10.9.0.7 lladdr 02:00:00:00:00:07 dev kern0 nud permanent");
  start();
  run("ip link set kern0 down && ip link set kern0 name kern5");
  EXPECT_TRUE(until([&] {
    return netlink->mirror().link("kern5") != nullptr && netlink->mirror().link("kern0") == nullptr;
  }));
  const int gone = netlink->mirror().link("kern5")->index;
  run("ip link del kern5");
  EXPECT_TRUE(until([&] { return netlink->mirror().link("kern5") == nullptr; }));
  EXPECT_FALSE(netlink->mirror().addresses.contains(gone));
  EXPECT_TRUE(std::ranges::none_of(netlink->mirror().neighbours,
                                   [&](const auto& entry) { return entry.first.first == gone; }));
}

TEST_F(NetlinkTest, LeavingABridgeIsNotBeingDeleted) {
  run("ip link add kernbr type bridge && ip link set kern0 master kernbr");
  start();
  run("ip link set kern0 nomaster");
  run("ip link add kernmark type veth peer name kernmark1");
  EXPECT_TRUE(until([&] { return netlink->mirror().link("kernmark") != nullptr; }));
  EXPECT_NE(netlink->mirror().link("kern0"), nullptr);
}

TEST_F(NetlinkTest, KnowsByWhatElseALinkCanBeNamed) {
  start();
  run("ip link add kernbr type bridge && ip link set kern0 master kernbr");
  run("for i in $(seq 40); do ip link property add dev kern0 altname $(printf 'another-name-of-kern0-%0100d' "
      "$i); done");
  run("ip link property add dev kern0 altname other0");
  ASSERT_TRUE(until([&] { return netlink->mirror().link("kern0")->altnames.size() == 41; }));
  const auto check = [&](const Mirror& mirror) {
    const Link& link = *mirror.link("kern0");
    EXPECT_EQ(link.altnames.back(), "other0");
    EXPECT_EQ(link.kind, "veth");
    EXPECT_EQ(link.master, mirror.link("kernbr")->index);
    EXPECT_EQ(link.lower, 0) << "its other end is in another namespace";
    EXPECT_EQ(link.burned_mac, base::MacAddress{}) << "no NIC";
    EXPECT_EQ(mirror.link_of({.name = "lan", .device = "af_xdp:other0"}), &link);
  };
  check(netlink->mirror());
  const auto once = snapshot();
  ASSERT_TRUE(once) << once.error();
  check(*once);
  EXPECT_EQ(once->addresses.at(index()), addresses());
}

TEST_F(NetlinkTest, CountsTheReturnsOfAPortsLink) {
  start();
  const int kern0 = index();
  netlink->bind({{{"lan", "af_xdp:kern0"}, kern0}});
  const int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  run("ip link set kern0 netns " + peer.path());
  peer.run(fmt::format("ip link set kern0 netns /proc/{}/fd/{}", getpid(), here));
  close(here);
  ASSERT_TRUE(until(
      [&] { return !netlink->mirror().returns.empty() && netlink->mirror().link("kern0") != nullptr; }));
  EXPECT_THAT(netlink->mirror().returns, testing::ElementsAre(testing::Pair(kern0, 1U)));
  EXPECT_TRUE(netlink->mirror().bound.empty());
}

TEST_F(NetlinkTest, GivesALinkTheMtuThatIsWanted) {
  start();
  Wanted wanted;
  wanted.mtus[index()] = 1400;
  netlink->keep(wanted);
  ASSERT_TRUE(until([&] { return netlink->mirror().link("kern0")->mtu == 1400; }));
  run("ip link set kern0 mtu 1500");
  ASSERT_TRUE(until([&] { return netlink->mirror().link("kern0")->mtu == 1500; }));
  netlink->keep(wanted);
  EXPECT_TRUE(until([&] {
    netlink->keep(wanted);
    return netlink->mirror().link("kern0")->mtu == 1400;
  }));
}

TEST_F(NetlinkTest, TakesNoMacThatIsNoStations) {
  start();
  run("ip neigh add 10.9.0.20 lladdr 00:00:00:00:00:00 dev kern0 nud permanent");
  run("ip neigh add 10.9.0.21 lladdr 01:00:5e:00:00:01 dev kern0 nud permanent");
  run("ip neigh add 10.9.0.22 lladdr ff:ff:ff:ff:ff:ff dev kern0 nud permanent");
  run("ip neigh add 10.9.0.23 lladdr 02:00:00:00:00:23 dev kern0 nud stale");
  run("ip neigh add 10.9.0.24 lladdr 02:00:00:00:00:24 dev kern0 nud noarp");
  ASSERT_TRUE(until([&] { return neighbour(0x0a090018) != nullptr; }));
  EXPECT_FALSE(neighbour(0x0a090014)->usable);
  EXPECT_FALSE(neighbour(0x0a090015)->usable);
  EXPECT_FALSE(neighbour(0x0a090016)->usable);
  EXPECT_TRUE(neighbour(0x0a090017)->usable);
  EXPECT_EQ(neighbour(0x0a090017)->state, "STALE");
  EXPECT_TRUE(neighbour(0x0a090018)->usable);
}

TEST_F(NetlinkTest, KeepsANeighbourResolved) {
  start();
  EXPECT_EQ(neighbour(), nullptr);
  netlink->keep_resolved({{index(), peer_address}});
  ASSERT_TRUE(until([&] { return usable(); }));
  EXPECT_EQ(neighbour()->mac, peer_mac);
  EXPECT_THAT(output("ip neigh show dev kern0"), testing::HasSubstr("managed"));

  // Not wanted any more: the kernel lets it age.
  netlink->keep_resolved({});
  EXPECT_TRUE(until([&] { return output("ip neigh show dev kern0").find("managed") == std::string::npos; }));
}

TEST_F(NetlinkTest, AsksAgainWhenTheLinkReturns) {
  start();
  netlink->keep_resolved({{index(), peer_address}});
  ASSERT_TRUE(until([&] { return usable(); }));
  run("ip link set kern0 down");
  ASSERT_TRUE(until([&] { return !is_up() && neighbour() == nullptr; }));
  run("ip link set kern0 up");
  EXPECT_TRUE(until([&] { return usable(); }));
  EXPECT_THAT(output("ip neigh show dev kern0"), testing::HasSubstr("managed"));
}

TEST_F(NetlinkTest, GoesOnUnderAnotherName) {
  start();
  netlink->keep_resolved({{index(), peer_address}});
  run("ip link set kern0 down && ip link set kern0 name kern5 && ip link set kern5 up");
  EXPECT_TRUE(until([&] {
    const Link* link = netlink->mirror().link("kern5");
    const auto found = netlink->mirror().neighbours.find({link != nullptr ? link->index : 0, peer_address});
    return found != netlink->mirror().neighbours.end() && found->second.usable;
  }));
}

TEST_F(NetlinkTest, AsksAgainWhenSomebodyDeletesTheEntry) {
  start();
  netlink->keep_resolved({{index(), peer_address}});
  ASSERT_TRUE(until([&] { return usable(); }));
  run("ip neigh del 10.9.0.2 dev kern0");
  ASSERT_TRUE(until([&] { return !usable(); }));
  EXPECT_TRUE(until([&] { return usable(); }));
}

// The kernel says of a removal that the neighbour FAILED, and then that its entry is gone.
TEST_F(NetlinkTest, AFlushedNeighboursLastMacServes) {
  start();
  netlink->keep_resolved({{index(), peer_address}});
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(until([&] { return usable(); }));
    ASSERT_TRUE(netlink->mirror().last_macs.empty());
    peer.run("ip link set kern1 arp off");  // nobody answers
    run("ip neigh flush dev kern0");
    ASSERT_TRUE(until([&] { return !usable(); }));
    const auto last = netlink->mirror().last_macs.find({index(), peer_address});
    ASSERT_NE(last, netlink->mirror().last_macs.end());
    EXPECT_EQ(last->second, peer_mac);
    peer.run("ip link set kern1 arp on");
  }
}

TEST_F(NetlinkTest, TheLastMacServesUntilTheKernelSaysFailed) {
  run("sysctl -qw net.ipv4.neigh.kern0.retrans_time_ms=20");
  start();
  netlink->keep_resolved({{index(), peer_address}});
  ASSERT_TRUE(until([&] { return usable(); }));
  peer.run("ip address del 10.9.0.2/24 dev kern1");
  run("ip neigh flush dev kern0");
  ASSERT_TRUE(until([&] { return neighbour() != nullptr && neighbour()->state == "FAILED"; }));
  EXPECT_TRUE(until([&] { return netlink->mirror().last_macs.empty(); }));
}

TEST_F(NetlinkTest, NobodysMacOutlivesTheLink) {
  start();
  netlink->keep_resolved({{index(), peer_address}});
  ASSERT_TRUE(until([&] { return usable(); }));
  run("ip neigh flush dev kern0 && ip link set kern0 down");
  ASSERT_TRUE(until([&] { return !is_up(); }));
  EXPECT_TRUE(netlink->mirror().last_macs.empty());
}

TEST_F(NetlinkTest, AsksAgainAfterANeighbourFailed) {
  peer.run("ip address del 10.9.0.2/24 dev kern1");
  run("sysctl -qw net.ipv4.neigh.kern0.retrans_time_ms=20");
  start();
  netlink->keep_resolved({{index(), peer_address}});
  ASSERT_TRUE(until([&] { return neighbour() != nullptr && neighbour()->state == "FAILED"; }));
  EXPECT_FALSE(usable());
  peer.run("ip address add 10.9.0.2/24 dev kern1");
  EXPECT_TRUE(until([&] { return usable(); }));
}

TEST_F(NetlinkTest, LeavesAnOperatorsPermanentEntryAlone) {
  run("ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:77 dev kern0 nud permanent");
  start();
  netlink->keep_resolved({{index(), peer_address}});
  run("ip link add kernmark type veth peer name kernmark1");
  ASSERT_TRUE(until([&] { return netlink->mirror().link("kernmark") != nullptr; }));
  EXPECT_THAT(output("ip neigh show dev kern0"), testing::HasSubstr("02:00:00:00:00:77 PERMANENT"));
  EXPECT_TRUE(usable());
}

// The receive buffer of the mirror's socket, from outside: the production code has no switch for it.
void shrink_receive_buffers() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    int domain = 0;
    socklen_t size = sizeof(domain);
    const int tiny = 4096;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_NETLINK) {
      ASSERT_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
    }
  }
}

// The sum of the column "Drops".
unsigned long lost_messages() {
  std::ifstream table("/proc/self/net/netlink");
  std::string line;
  std::getline(table, line);
  unsigned long sum = 0;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    const std::vector<std::string> columns{std::istream_iterator<std::string>(fields), {}};
    sum += std::stoul(columns.at(8));
  }
  return sum;
}

TEST_F(NetlinkTest, DumpsAgainWhenMessagesWereLost) {
  run("ip neigh add 10.9.0.7 lladdr 02:00:00:00:00:07 dev kern0 nud permanent");
  run("ip link add kerngone type veth peer name kerngone1");
  start();
  ASSERT_NE(neighbour(0x0a090007), nullptr);
  shrink_receive_buffers();
  run("for i in $(seq 2 120); do echo address add 10.9.5.$i/24 dev kern0; done | ip -batch -");
  run("ip link del kerngone && ip neigh del 10.9.0.7 dev kern0 && ip address del 10.9.0.1/24 dev kern0");
  run("ip neigh add 10.9.5.200 lladdr 02:00:00:00:00:08 dev kern0 nud permanent");
  ASSERT_GT(lost_messages(), 0u) << "the test did not provoke what it is for";

  EXPECT_TRUE(until([&] { return addresses().size() == 119 && neighbour(0x0a0905c8) != nullptr; }));
  EXPECT_EQ(netlink->mirror().link("kerngone"), nullptr);
  EXPECT_EQ(neighbour(0x0a090007), nullptr);
  EXPECT_EQ(std::ranges::count(addresses(), InterfaceAddress{0x0a090001, 24}), 0);
}

}  // namespace
}  // namespace sekisho::netlink
