// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/table.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "control/guard/forwarding.hpp"
#include "control/guard/ingress.hpp"
#include "control/guard/watch.hpp"
#include "tests/unit/namespace.hpp"

namespace sekisho::guard {
namespace {

using test::Namespace;
using test::output;
using test::run;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename Value>
std::string error_of(const tl::expected<Value, std::string>& result) {
  return result ? "no error" : result.error();
}

class GuardTest : public test::InNamespace {
 protected:
  // How many packets the guard's rules dropped.
  static unsigned dropped() {
    unsigned sum = 0;
    const auto listing = nlohmann::json::parse(output("nft -j list table inet sekisho"));
    for (const auto& object : listing["nftables"]) {
      if (object.contains("rule") && object["rule"]["expr"].back().contains("drop")) {
        const auto& expressions = object["rule"]["expr"];
        sum += expressions[expressions.size() - 2]["counter"]["packets"].get<unsigned>();
      }
    }
    return sum;
  }
};

constexpr unsigned packets = 10;

// left --kerna--> | here | --kernb--> right      two ports
//      --kernc--> |      | --kernd-->            two interfaces that are none
// What left sends to 10.0.2.2 takes a and b, to 10.0.4.2 c and d, to 10.0.2.3 c and b, to 10.0.4.3 a and d.
class GuardForwardingTest : public GuardTest {
 protected:
  void SetUp() override {
    GuardTest::SetUp();
    configure();
    left.inside([] { configure(); });
    right.inside([] { configure(); });
    connect(left, "kerna", 1);
    connect(right, "kernb", 2);
    connect(left, "kernc", 3);
    connect(right, "kernd", 4);
    for (const auto& [network, way] : {std::pair{"2.2", 1}, {"4.2", 3}, {"2.3", 3}, {"4.3", 1}}) {
      left.run(fmt::format("ip route add 10.0.{}/32 via 10.0.{}.1", network, way));
      std::string network6 = network;
      network6.replace(1, 1, "::");
      left.run(fmt::format("ip -6 route add fd00:{}/128 via fd00:{}::1", network6, way));
    }
    for (const auto& [port, way] : {std::pair{"kernb", 2}, {"kernd", 4}}) {
      right.run(fmt::format(
          "ip address add 10.0.{0}.3/24 dev {1}_peer && ip address add fd00:{0}::3/64 dev {1}_peer", way,
          port));
    }
    open(AF_INET);
    open(AF_INET6);
  }

  void TearDown() override {
    close(receiver_[0]);
    close(receiver_[1]);
  }

  static void configure() {
    run("ip link set lo up");
    run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 "
        "net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.all.disable_ipv6=0 "
        "net.ipv6.conf.default.disable_ipv6=0 "
        "net.ipv6.conf.default.accept_dad=0");
  }

  static void connect(const Namespace& peer, const std::string& name, int network) {
    run(fmt::format("ip link add {0} type veth peer name {0}_peer netns {1}", name, peer.path()));
    run(fmt::format(
        "ip address add 10.0.{0}.1/24 dev {1} && ip address add fd00:{0}::1/64 dev {1} && ip link set {1} up",
        network, name));
    peer.run(fmt::format(
        "ip address add 10.0.{0}.2/24 dev {1}_peer && ip address add fd00:{0}::2/64 dev {1}_peer && "
        "ip link set {1}_peer up",
        network, name));
  }

  void open(int family) {
    right.inside([&] {
      const int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
      sockaddr_in six_or_four{};
      if (family == AF_INET) {
        six_or_four = {.sin_family = AF_INET, .sin_port = htons(9)};
        ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&six_or_four), sizeof(six_or_four)), 0);
      } else {
        const int only = 1;
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
        const sockaddr_in6 six{.sin6_family = AF_INET6, .sin6_port = htons(9)};
        ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&six), sizeof(six)), 0);
      }
      receiver_[family == AF_INET ? 0 : 1] = fd;
    });
  }

  void send(const std::string& destination) {
    left.inside([&] {
      sockaddr_in four{.sin_family = AF_INET, .sin_port = htons(9)};
      sockaddr_in6 six{.sin6_family = AF_INET6, .sin6_port = htons(9)};
      const bool is_four = inet_pton(AF_INET, destination.c_str(), &four.sin_addr) == 1;
      if (!is_four) {
        ASSERT_EQ(inet_pton(AF_INET6, destination.c_str(), &six.sin6_addr), 1);
      }
      const auto* to =
          is_four ? reinterpret_cast<const sockaddr*>(&four) : reinterpret_cast<const sockaddr*>(&six);
      const int fd = socket(is_four ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
      for (unsigned i = 0; i < packets; ++i) {
        ASSERT_EQ(sendto(fd, "x", 1, 0, to, is_four ? sizeof(four) : sizeof(six)), 1);
      }
      close(fd);
    });
  }

  unsigned received() {
    char byte = 0;
    for (const int fd : receiver_) {
      sockaddr_storage from{};
      socklen_t size = sizeof(from);
      while (recvfrom(fd, &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &size) == 1) {
        ++received_;
        if (from.ss_family == AF_INET) {
          std::array<char, INET_ADDRSTRLEN> text{};
          inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&from)->sin_addr, text.data(),
                    text.size());
          last_sender_ = text.data();
        }
      }
    }
    return received_;
  }

  void expect_passes(const std::string& destination) {
    received_ = 0;
    send(destination);
    EXPECT_TRUE(until([&] { return received() == packets; })) << destination << ": " << received();
  }
  void expect_dropped(const std::string& destination) {
    const unsigned before = dropped();
    received_ = 0;
    send(destination);
    EXPECT_TRUE(until([&] { return dropped() == before + packets; })) << destination << ": " << dropped();
    EXPECT_EQ(received(), 0u) << destination;
  }

  // Whom the last packet came from, as the receiver saw it.
  [[nodiscard]] std::string last_sender() const { return last_sender_; }

  Namespace left;
  Namespace right;

 private:
  std::array<int, 2> receiver_{-1, -1};
  unsigned received_ = 0;
  std::string last_sender_;
};

int index(const char* name) {
  return static_cast<int>(if_nametoindex(name));
}

TEST_F(GuardForwardingTest, NamesOrNoNamesTheKernelForwardsNothing) {
  for (const char* destination : {"10.0.2.2", "fd00:2::2", "10.0.4.2", "fd00:4::2", "10.0.2.3", "10.0.4.3"}) {
    expect_passes(destination);  // it would, without the guard
  }
  ASSERT_TRUE(install({}));
  for (const char* destination : {"10.0.2.2", "fd00:2::2", "10.0.4.2", "fd00:4::2", "10.0.2.3", "10.0.4.3"}) {
    expect_dropped(destination);
  }
  left.run("ping -c 1 -W 5 10.0.1.1 > /dev/null");  // the host itself answers
  ASSERT_TRUE(remove());
  expect_passes("10.0.2.2");
}

TEST_F(GuardForwardingTest, WhereItForwardsForOthersThePortsStayGuarded) {
  Guard wanted{.names = {"kerna", "kernb"}, .allow = std::set<std::string>{"kernc", "kernd"}};
  ASSERT_TRUE(install(wanted));
  for (const char* port : {"10.0.2.2", "fd00:2::2", "10.0.2.3", "fd00:2::3", "10.0.4.3", "fd00:4::3"}) {
    expect_dropped(port);
  }
  for (const char* neither : {"10.0.4.2", "fd00:4::2"}) {
    expect_passes(neither);
  }
  wanted.allow = std::set<std::string>{"kernc"};
  ASSERT_TRUE(install(wanted));
  expect_dropped("10.0.4.2");  // kernd is not named
}

// A port that takes a name which may forward is still a port: by its index, and made anew by its MAC.
TEST_F(GuardForwardingTest, FollowsAPortUnderAnyName) {
  const Guard wanted{.names = {"kerna", "kernb"},
                     .links = {index("kerna"), index("kernb")},
                     .allow = std::set<std::string>{"kernc", "kernd"}};
  ASSERT_TRUE(install(wanted));
  run("ip link set kernc name away && ip link set kernd name away2 && ip link set kerna name kernc && "
      "ip link set kernb name kernd");
  for (const char* destination : {"10.0.2.2", "fd00:2::2"}) {
    expect_dropped(destination);
  }
  Guard stations = wanted;
  stations.links.clear();
  ASSERT_TRUE(install(stations));
  expect_passes("10.0.2.2");  // nothing holds it now
  stations.stations = {{0x02, 0, 0, 0, 0, 0xaa}};
  ASSERT_TRUE(install(stations));
  run("ip link set kernc address 02:00:00:00:00:aa");
  for (const char* destination : {"10.0.2.2", "fd00:2::2"}) {
    left.run("ip neigh flush all");
    expect_dropped(destination);
  }
}

// Alone: there is no table, and the kernel would forward. What comes in by kerna meets the program, by kernc it does not.
TEST_F(GuardForwardingTest, TheTcProgramPassesWhatIsForThisHostAlone) {
  auto ingress = Ingress::load(Ingress::Addresses::kept);
  ASSERT_TRUE(ingress) << ingress.error();
  ASSERT_TRUE((*ingress)->set_addresses({0x0a000101, 0x0a0001ff, 0x0a000201}));
  const int port = index("kerna");
  left.run("ip route add 10.0.2.1/32 via 10.0.1.1");
  EXPECT_FALSE(has_ingress(port));
  ASSERT_TRUE((*ingress)->attach(port));
  EXPECT_TRUE((*ingress)->is_on(port));
  const auto expect_stopped = [&](const char* destination, const char* reason) {
    const auto before = (*ingress)->drops().at(reason);
    const unsigned already = received();
    send(destination);
    EXPECT_TRUE(until([&] { return (*ingress)->drops().at(reason) >= before + packets; })) << destination;
    EXPECT_EQ(received(), already) << destination;
  };
  const auto expect_all_stopped = [&] {
    expect_stopped("10.0.2.2", "not_local");
    left.run(
        "ip -6 neigh replace fd00:1::1 dev kerna_peer lladdr $(ip -o link show kerna_peer | grep -o 'ether "
        "[^ ]*' | "
        "cut -d' ' -f2)");
    expect_stopped("fd00:2::2", "ipv6");
    left.run("ip neigh flush all; ping -c 1 -W 5 10.0.1.1 > /dev/null");  // ARP, and this host itself
    left.run("ping -c 1 -W 5 10.0.2.1 > /dev/null");  // by its address on another interface
  };
  expect_all_stopped();
  expect_passes("10.0.4.2");
  // It stays: under another name, after down and up, with another MAC, without its process.
  run("ip link set kerna down && ip link set kerna name other && ip link set other up");
  expect_all_stopped();
  run("ip link set other address 02:00:00:00:00:bb && nft flush ruleset");
  expect_all_stopped();
  auto another = Ingress::load(Ingress::Addresses::kept);
  ASSERT_TRUE(another);
  ingress->reset();
  EXPECT_TRUE(has_ingress(port));
  // Another process's program takes its place.
  ASSERT_TRUE((*another)->set_addresses({0x0a000101, 0x0a000201}));
  ASSERT_TRUE((*another)->attach(port));
  EXPECT_TRUE((*another)->is_on(port));
  std::swap(*ingress, *another);
  expect_all_stopped();
  EXPECT_EQ(remove_ingress(port), true);
  EXPECT_EQ(remove_ingress(port), false);
  expect_passes("10.0.2.2");
}

// The kernel puts a tag beside its frame before this program sees it. One of VID 0 is of no VLAN.
TEST_F(GuardForwardingTest, TheTcProgramRefusesVlans) {
  auto ingress = Ingress::load(Ingress::Addresses::kept);
  ASSERT_TRUE(ingress) << ingress.error();
  ASSERT_TRUE((*ingress)->set_addresses({0x0a000101}));
  ASSERT_TRUE((*ingress)->attach(index("kerna")));
  const auto expect_counted = [&](std::uint8_t priority, std::uint8_t vlan, const char* reason) {
    const auto before = (*ingress)->drops();
    left.inside([&] {
      // To everybody, from a neighbour; a tag; the header of a packet for 10.9.9.9.
      const std::array<std::uint8_t, 60> frame{0xff, 0xff, 0xff, 0xff, 0xff,     0xff, 2,    0,    0,    0,
                                               0,    9,    0x81, 0x00, priority, vlan, 0x08, 0x00, 0x45, 0,
                                               0,    42,   0,    0,    0,        0,    64,   17,   0,    0,
                                               10,   0,    1,    2,    10,       9,    9,    9};
      const int fd = socket(AF_PACKET, SOCK_RAW, 0);
      const sockaddr_ll to{.sll_family = AF_PACKET,
                           .sll_ifindex = static_cast<int>(if_nametoindex("kerna_peer"))};
      EXPECT_EQ(sendto(fd, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)),
                static_cast<ssize_t>(frame.size()));
      close(fd);
    });
    EXPECT_TRUE(until([&] { return (*ingress)->drops().at(reason) == before.at(reason) + 1; })) << reason;
  };
  expect_counted(0x00, 7, "other_protocol");
  expect_counted(0xe0, 7, "other_protocol");
  expect_counted(0x00, 0, "not_local");
  expect_counted(0xe0, 0, "not_local");
}

// Before anybody keeps the addresses: where the kernel forwards nothing from the interface, what comes may pass up to it.
TEST_F(GuardForwardingTest, AnAddressThatComesLaterIsReachedUntilSomebodyKeepsThem) {
  auto ingress = Ingress::load(Ingress::Addresses::as_they_are);
  ASSERT_TRUE(ingress) << ingress.error();
  ASSERT_TRUE((*ingress)->attach(index("kerna")));
  left.run("ping -c 1 -W 1 10.0.1.1 > /dev/null; [ $? = 1 ]");
  run("sysctl -qw net.ipv4.conf.kerna.forwarding=0");
  left.run("ping -c 1 -W 5 10.0.1.1 > /dev/null");
  run("sysctl -qw net.ipv4.conf.kerna.forwarding=1");
  const auto before = (*ingress)->drops().at("not_local");
  send("10.0.2.2");
  EXPECT_TRUE(until([&] { return (*ingress)->drops().at("not_local") >= before + packets; }));
  EXPECT_EQ(received(), 0u);
}

TEST(Guard, ForwardingIsOffButAtTheExit) {
  netlink::Mirror mirror;
  for (const int link : {1, 2, 3, 4}) {
    mirror.links[link] = {.index = link, .name = std::to_string(link), .forwarding = link != 4};
  }
  const auto links = [&](const Guard& guard) {
    std::vector<int> result;
    std::ranges::transform(forwarding_links(guard, mirror), std::back_inserter(result),
                           &netlink::Link::index);
    return result;
  };
  EXPECT_THAT(links({}), ElementsAre(1, 2, 3));
  EXPECT_THAT(links({.exit = Exit{1, 3}}), ElementsAre(2));
  const std::set<std::string> allow{"1"};
  EXPECT_THAT(links({.links = {2, 3, 4}, .allow = allow, .exit = Exit{7, 3}}), ElementsAre(2));
  mirror.default_forwarding = true;
  EXPECT_TRUE(new_links_forward({}, mirror));
  EXPECT_FALSE(new_links_forward({.allow = allow}, mirror));
}

TEST(Guard, APortIsKnownByItsMacWhenItComesBack) {
  netlink::Mirror mirror;
  mirror.links[8] = {.index = 8, .name = "new", .mac = {2, 0, 0, 0, 0, 4}};
  mirror.links[9] = {.index = 9, .name = "other", .mac = {2, 0, 0, 0, 0, 9}};
  EXPECT_EQ(follow({.links = {4}, .stations = {{2, 0, 0, 0, 0, 4}}}, mirror).links, (std::set<int>{4, 8}));
}

TEST_F(GuardForwardingTest, Ipv6IsClosedWithTheWholeHost) {
  EXPECT_TRUE(ipv6_forwards({}));
  const std::set<std::string> allow{"docker0"};
  EXPECT_FALSE(ipv6_forwards({.allow = allow})) << "that host forwards for others";
  ASSERT_TRUE(close_ipv6());
  EXPECT_FALSE(ipv6_forwards({}));
}

// sekisho0 as one end of a pair: what left sends into it is what the dataplane would write to it.
TEST_F(GuardForwardingTest, OnlyExceptionsLeaveAndOnlyTheirRepliesReturn) {
  connect(left, "sekisho0", 5);
  left.run(
      "ip route replace 10.0.2.2/32 via 10.0.5.1 && ip route replace 10.0.2.3/32 via 10.0.5.1 && "
      "ip route replace 10.0.4.2/32 via 10.0.5.1");
  right.run("ip route add 10.0.5.0/24 via 10.0.2.1");
  const Guard wanted{.names = {"kerna", "kernb", "sekisho0"},
                     .exit = Exit{index("sekisho0"), index("kernb")},
                     .exceptions = {{0x0a000202, 32}}};
  ASSERT_TRUE(install(wanted));
  EXPECT_EQ(installed().value(), wanted);
  expect_passes("10.0.2.2");
  EXPECT_EQ(last_sender(), "10.0.2.1");  // kernb's own address
  expect_dropped("10.0.2.3");            // no exception, though by the exit
  expect_dropped("10.0.4.2");            // an interface that is not the exit
  left.run("ip route replace 10.0.2.2/32 via 10.0.1.1");
  expect_dropped("10.0.2.2");  // the exception, and not from sekisho0
  // Outside, nobody can begin.
  const unsigned before = dropped();
  right.run("ping -c 1 -W 1 10.0.5.2 > /dev/null; [ $? = 1 ]");
  EXPECT_EQ(dropped(), before + 1);
  // What was let out is answered: a ping has a reply.
  left.run("ip route replace 10.0.2.2/32 via 10.0.5.1 && ping -c 1 -W 5 10.0.2.2 > /dev/null");
  // Another interface that takes the exit's name opens nothing.
  run("ip link set kernb name gone && ip link set kernd name kernb");
  left.run("ip route replace 10.0.4.2/32 via 10.0.5.1");
  Guard renamed = wanted;
  renamed.exceptions = {{0x0a000402, 32}};
  ASSERT_TRUE(install(renamed));
  EXPECT_EQ(installed().value(), renamed);
  expect_dropped("10.0.4.2");
}

TEST_F(GuardTest, ExceptionsComeAndGoWithoutNewRules) {
  Guard wanted{
      .names = {"a", "sekisho0"}, .exit = Exit{901, 902}, .exceptions = {{0x0a000000, 9}, {0x0a800000, 9}}};
  ASSERT_TRUE(install(wanted));
  EXPECT_EQ(installed().value(), wanted);
  const std::string chains =
      output("nft -a list chain inet sekisho forward && nft -a list chain inet sekisho exit");
  wanted.exceptions = {{0x0a000000, 8}, {0x147663e0, 32}};
  ASSERT_TRUE(install(wanted));
  EXPECT_EQ(installed().value(), wanted);
  wanted.exceptions.clear();
  ASSERT_TRUE(install(wanted));
  EXPECT_EQ(installed().value(), wanted);
  EXPECT_EQ(output("nft -a list chain inet sekisho forward && nft -a list chain inet sekisho exit"), chains);
  for (const char* damage :
       {"nft flush chain inet sekisho exit", "nft insert rule inet sekisho exit masquerade",
        "nft 'flush chain inet sekisho forward; add rule inet sekisho forward iif 901 oif 902 "
        "accept'"}) {
    run(damage);
    EXPECT_THAT(error_of(installed()), HasSubstr("damaged")) << damage;
    ASSERT_TRUE(install(wanted)) << damage;
    EXPECT_EQ(installed().value(), wanted);
  }
  // Without an exit nothing is translated, and no connection tracked for it.
  ASSERT_TRUE(install({.names = {"a", "sekisho0"}}));
  EXPECT_THAT(output("nft list table inet sekisho"), testing::Not(HasSubstr("masquerade")));
}

TEST(Guard, OfTwoGuardsWhatEitherSaysAndWhatBothAllow) {
  const Guard before{.names = {"a", "b"},
                     .links = {1},
                     .stations = {{2, 0, 0, 0, 0, 1}},
                     .allow = std::set<std::string>{"x", "y"},
                     .exit = Exit{7, 1},
                     .exceptions = {{0x0a000000, 8}, {0x14000000, 8}}};
  const Guard after{.names = {"b", "c"},
                    .links = {2},
                    .allow = std::set<std::string>{"y", "z"},
                    .exit = Exit{7, 2},
                    .exceptions = {{0x0a010000, 16}, {0x1e000000, 8}}};
  EXPECT_EQ(merge(before, after), (Guard{.names = {"a", "b", "c"},
                                         .links = {1, 2},
                                         .stations = {{2, 0, 0, 0, 0, 1}},
                                         .allow = std::set<std::string>{"y"},
                                         .exit = Exit{7, 2},
                                         .exceptions = {{0x0a000000, 8}, {0x14000000, 8}, {0x1e000000, 8}}}));
  EXPECT_EQ(merge(before, {.names = {"a"}}).exit, before.exit);
  EXPECT_EQ(remember(before, {}),
            (Guard{.names = {"a", "b"}, .links = {1}, .stations = {{2, 0, 0, 0, 0, 1}}}));
}

config::Config two_ports() {
  config::Config config;
  for (const char* name : {"a", "b"}) {
    config.ports.push_back({.name = name, .device = std::string("af_xdp:") + name});
  }
  config.guard = {.whole_host = false, .allow = {"docker0"}};
  return config;
}

TEST(Guard, AllowsNothingWhileAPortsInterfaceIsMissing) {
  netlink::Mirror mirror;
  mirror.links[4] = {.index = 4, .name = "a", .mac = {2, 0, 0, 0, 0, 4}};
  const auto config = two_ports();
  EXPECT_EQ(ports_of(config, mirror), (Guard{.names = {"a", "b", "sekisho0"},
                                             .links = {4},
                                             .stations = {{2, 0, 0, 0, 0, 4}},
                                             .allow = std::set<std::string>{}}));
  ASSERT_EQ(missing_ports(config, mirror).size(), 1u);
  EXPECT_EQ(missing_ports(config, mirror).front()->name, "b");
  mirror.links[9] = {.index = 9, .name = "b"};
  EXPECT_THAT(ports_of(config, mirror).allow.value(), ElementsAre("docker0"));
  EXPECT_TRUE(missing_ports(config, mirror).empty());
}

TEST_F(GuardTest, NamesItsInterfaces) {
  EXPECT_THAT(error_of(installed()), HasSubstr("there is no guard"));
  ASSERT_TRUE(install({.names = {"eth1.12", "b", "b"}}));
  EXPECT_THAT(installed().value().names, ElementsAre("b", "eth1.12"));
  const Guard all{.names = {"a"},
                  .links = {1, 77},
                  .stations = {{2, 0, 0, 0, 1, 4}},
                  .allow = std::set<std::string>{"lo", "c"}};
  ASSERT_TRUE(install(all));  // 1 is lo, 77 is not there
  EXPECT_EQ(installed().value(), all);
  EXPECT_THAT(output("nft list table inet sekisho"), HasSubstr("'sekisho guard off' removes it"));
  ASSERT_TRUE(install({}));
  EXPECT_TRUE(installed().value().names.empty());
}

TEST_F(GuardTest, ChangesOnlyTheDifference) {
  ASSERT_TRUE(install({.names = {"a", "b"}}));
  const std::string chain = output("nft -a list chain inet sekisho forward");
  ASSERT_TRUE(install({.names = {"b", "c"}}));
  EXPECT_THAT(installed().value().names, ElementsAre("b", "c"));
  EXPECT_EQ(output("nft -a list chain inet sekisho forward"), chain);  // the very same rules, by handle
}

TEST_F(GuardTest, WritesNothingWhenNothingDiffers) {
  ASSERT_TRUE(install({.names = {"a", "b"}}));
  int calls = 0;
  const auto watch = Watch::nftables(io, [&] { ++calls; });
  ASSERT_TRUE(watch) << watch.error();
  ASSERT_TRUE(install({.names = {"b", "a"}}));
  io.poll();
  EXPECT_EQ(calls, 0);
  ASSERT_TRUE(install({.names = {"a"}}));
  EXPECT_TRUE(until([&] { return calls == 1; }));
}

TEST_F(GuardTest, ComesBackAfterAFlushAndThenRests) {
  ASSERT_TRUE(install({.names = {"a", "b"}}));
  int calls = 0;
  const auto watch = Watch::nftables(io, [&] {
    ++calls;
    EXPECT_TRUE(install({.names = {"a", "b"}}));
  });
  ASSERT_TRUE(watch);
  run("nft flush ruleset");
  ASSERT_FALSE(installed());
  EXPECT_TRUE(until([&] { return installed().has_value(); }));
  EXPECT_THAT(installed().value().names, ElementsAre("a", "b"));
  // Its own change is seen once, and nothing follows from it.
  io.restart();
  io.poll();
  EXPECT_EQ(calls, 2);
}

TEST_F(GuardTest, SeesAndRepairsDamage) {
  for (const char* damage :
       {"nft flush chain inet sekisho forward", "nft add table inet sekisho '{ flags dormant; }'",
        "nft insert rule inet sekisho forward accept", "nft flush table inet sekisho",
        "nft chain inet sekisho forward '{ policy accept; }'",
        "nft delete chain inet sekisho forward && nft add chain inet sekisho forward"}) {
    ASSERT_TRUE(install({.names = {"a"}}));
    ASSERT_TRUE(installed());
    run(damage);
    EXPECT_THAT(error_of(installed()), HasSubstr("damaged")) << damage;
    const auto repaired = install({.names = {"a"}});
    ASSERT_TRUE(repaired) << damage << ": " << repaired.error();
    EXPECT_THAT(installed().value().names, ElementsAre("a"));
  }
  // The set alone is no damage that a person would see in the rules.
  run("nft flush set inet sekisho ports");
  EXPECT_TRUE(installed().value().names.empty());
  ASSERT_TRUE(install({.names = {"a"}}));
  EXPECT_THAT(installed().value().names, ElementsAre("a"));
}

TEST_F(GuardTest, RefusesSomebodyElsesTable) {
  run("nft add table inet sekisho '{ comment \"mine\"; }' && nft add chain inet sekisho forward");
  const std::string before = output("nft list ruleset");
  EXPECT_THAT(error_of(install({.names = {"a"}})), HasSubstr("was not made by Sekisho"));
  EXPECT_THAT(error_of(remove()), HasSubstr("was not made by Sekisho"));
  EXPECT_THAT(error_of(installed()), HasSubstr("was not made by Sekisho"));
  EXPECT_EQ(output("nft list ruleset"), before);
}

TEST_F(GuardTest, RemovesItsTableAndNoOther) {
  run("nft add table inet other");
  ASSERT_TRUE(install({.names = {"a"}}));
  ASSERT_TRUE(remove());
  EXPECT_EQ(output("nft list tables"), "table inet other\n");
  EXPECT_TRUE(remove());  // nothing to do is no error
}

TEST_F(GuardTest, RefusesANameThatNftablesWouldMisread) {
  for (const char* name : {"", "eth*", "a\"b", "a\\", "longer-than-15-characters"}) {
    EXPECT_FALSE(install({.names = {name}})) << name;
    EXPECT_FALSE(install({.allow = std::set<std::string>{name}})) << name;
  }
  EXPECT_EQ(output("nft list tables"), "");
}

}  // namespace
}  // namespace sekisho::guard
