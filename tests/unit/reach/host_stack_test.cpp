// SPDX-License-Identifier: BSD-3-Clause
// What the kernel's own stack is to have for our ports, and that a real kernel then has exactly that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "control/netlink/netlink.hpp"
#include "control/reach/exit.hpp"
#include "control/reach/host_stack.hpp"
#include "tests/unit/namespace.hpp"

namespace sekisho::reach {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t own = 0x0a000204;      // 10.0.2.4
constexpr std::uint32_t gateway = 0x0a000201;  // 10.0.2.1

config::Config example() {
  config::Config config;
  config.ports = {
      {.name = "egress", .device = "af_xdp:out0", .gateway = gateway},
      {.name = "lan", .device = "0000:00:04.0", .addresses = {{0x0a000104, 24}}, .companion = "sk-lan"}};
  config.internet = config::Internet{.via = "firewall", .exit = "egress"};
  return config;
}

// --- Pure.

netlink::Mirror world() {
  netlink::Mirror mirror;
  mirror.links[3] = {.index = 3, .name = "out0", .up = true, .enabled = true, .rp_filter = 1};
  mirror.links[4] = {.index = 4, .name = "sk-lan", .up = true, .enabled = true, .alias = "sekisho port lan"};
  mirror.links[5] = {.index = 5, .name = "sekisho0", .up = true, .enabled = true, .alias = "sekisho exit"};
  mirror.addresses[3] = {{0x0a090004, 24}, {own, 24}};
  mirror.neighbours[{3, gateway}] = {.state = "REACHABLE", .usable = true, .mac = {2, 0, 0, 0, 0, 1}};
  return mirror;
}

// As the kernel would be after it granted everything there was to ask for.
netlink::Mirror granted_once(netlink::Mirror mirror) {
  const auto wanted = host_stack(example(), mirror);
  mirror.routes = wanted.routes;
  mirror.rules = wanted.rules;
  for (const auto& [index, settings] : wanted.settings) {
    mirror.links[index].forwarding = settings.forwarding.value_or(mirror.links[index].forwarding);
    mirror.links[index].rp_filter = settings.rp_filter.value_or(mirror.links[index].rp_filter);
    mirror.links[index].drops_unicast_to_all = settings.drops_unicast_to_all.value_or(false);
  }
  for (const auto& [index, address] : wanted.addresses) {
    if (mirror.own_addresses.emplace(index, address).second) {
      mirror.addresses[index].push_back(address);
    }
  }
  return mirror;
}

// Routes and rules follow from addresses.
netlink::Mirror granted(const netlink::Mirror& mirror) {
  return granted_once(granted_once(mirror));
}

TEST(HostStack, SaysWhatThePortsNeed) {
  const auto wanted = host_stack(example(), world());
  EXPECT_THAT(wanted.enabled, ElementsAre(4, 5));  // out0 is its operator's
  EXPECT_THAT(wanted.addresses, ElementsAre(std::pair{4, config::InterfaceAddress{0x0a000104, 24}}));
  EXPECT_EQ(wanted.settings.at(5), (netlink::Settings{.forwarding = true, .rp_filter = 0}));
  EXPECT_EQ(wanted.settings.at(3),
            (netlink::Settings{.forwarding = true, .rp_filter = 2, .drops_unicast_to_all = true}));
  EXPECT_EQ(wanted.settings.at(4), (netlink::Settings{.drops_unicast_to_all = true}));
  EXPECT_THAT(wanted.rules,
              ElementsAre(netlink::Rule{8301, 0, "sekisho0", 830003}, netlink::Rule{8302, 0, "out0", 830000},
                          netlink::Rule{8303, own, "", 830003}, netlink::Rule{8303, 0x0a090004, "", 830003}));
  EXPECT_THAT(wanted.routes,
              ElementsAre(netlink::Route{830000, {}, 0, 5}, netlink::Route{830003, {}, gateway, 3},
                          netlink::Route{830003, {0x0a000200, 24}, 0, 3},
                          netlink::Route{830003, {0x0a090000, 24}, 0, 3}));
}

TEST(HostStack, TouchesNoInterfaceThatSomebodyElseMade) {
  auto mirror = world();
  mirror.links[4].alias = "mine";
  mirror.links[5].alias = "";
  const auto wanted = host_stack(example(), mirror);
  EXPECT_THAT(wanted.enabled, IsEmpty());
  EXPECT_THAT(wanted.addresses, IsEmpty());
  EXPECT_EQ(wanted.settings.size(), 1U) << "the port's own";
}

TEST(HostStack, WithoutAGatewayTheMainTablesDefaultByThePort) {
  auto config = example();
  config.ports[0].gateway.reset();
  auto mirror = world();
  mirror.defaults = {{3, 200, 0x0a000203}, {3, 100, 0x0a000202}, {9, 0, 0x0a000209}};
  EXPECT_EQ(gateway_of(config.ports[0], mirror), 0x0a000202u);
  mirror.defaults = {{9, 0, 0x0a000209}};
  EXPECT_EQ(gateway_of(config.ports[0], mirror), std::nullopt);
  // A probe of Azure's load balancer is answered by the port that was probed all the same.
  EXPECT_TRUE(host_stack(config, mirror).routes.contains({830003, azure_host, 0, 3}));
  EXPECT_FALSE(host_stack(example(), mirror).routes.contains({830003, azure_host, 0, 3}));
  EXPECT_THAT(exit(config, mirror)->why, HasSubstr("port egress has no gateway: write one in [port.egress]"));
}

TEST(HostStack, AsksForNothingThatIsThere) {
  const auto mirror = granted(world());
  EXPECT_THAT(netlink::requests(host_stack(example(), mirror), mirror), IsEmpty());
  auto config = example();
  config.internet->exit.reset();
  std::vector<std::string> texts;
  for (const auto& request : netlink::requests(host_stack(config, mirror), mirror)) {
    EXPECT_EQ(request.way, netlink::Request::Way::remove);
    texts.push_back(request.text);
  }
  EXPECT_THAT(texts,
              ElementsAre("the rule for what comes in by sekisho0", "the rule for what comes in by out0",
                          "the route to 0.0.0.0/0 by sekisho0 in table 830000"));
}

TEST(Exit, IsReadyWhenAllOfItsWayIs) {
  const auto mirror = granted(world());
  const auto ready = exit(example(), mirror);
  ASSERT_TRUE(ready);
  EXPECT_TRUE(ready->ready) << ready->why;
  EXPECT_EQ(ready->address, own);  // of the gateway's subnet, not the first
  EXPECT_EQ(exit(config::Config{}, mirror), std::nullopt);
}

TEST(Exit, WaitsForTheNameOfItsInterface) {
  auto mirror = granted(world());
  mirror.links[5].alias.clear();
  const auto waiting = exit(example(), mirror);
  EXPECT_FALSE(waiting->ready);
  EXPECT_TRUE(waiting->asking);
  EXPECT_THAT(waiting->why, HasSubstr("sekisho0 has no alias yet"));
}

TEST(Exit, IsDownAndSaysWhy) {
  const auto why = [](const auto& change) {
    auto mirror = granted(world());
    change(mirror);
    const auto down = exit(example(), mirror);
    EXPECT_FALSE(down->ready);
    return down->why;
  };
  using netlink::Mirror;
  EXPECT_EQ(why([](Mirror& m) { m.links.erase(3); }), "there is no interface out0");
  EXPECT_EQ(why([](Mirror& m) { m.links[3].up = false; }), "link out0 is down");
  EXPECT_EQ(why([](Mirror& m) { m.addresses.clear(); }), "out0 has no address");
  EXPECT_EQ(why([](Mirror& m) { m.links.erase(5); }), "there is no sekisho0 yet: the dataplane makes it");
  EXPECT_EQ(why([](Mirror& m) { m.links[5].alias = "mine"; }),
            "sekisho0 was not made by Sekisho: remove or rename it");
  EXPECT_EQ(why([](Mirror& m) { m.links[5].up = false; }), "sekisho0 is down: the dataplane does not run");
  EXPECT_THAT(why([](Mirror& m) { m.all_rp_filter = 2; }), HasSubstr("net.ipv4.conf.all.rp_filter is 2"));
  EXPECT_EQ(why([](Mirror& m) { m.neighbours.clear(); }), "gateway 10.0.2.1 is not resolved yet");
  EXPECT_EQ(why([](Mirror& m) { m.neighbours.begin()->second = {.state = "FAILED"}; }),
            "gateway 10.0.2.1 is FAILED");
  EXPECT_EQ(why([](Mirror& m) { m.links[3].forwarding = false; }), "the kernel's routing is being set");
  EXPECT_EQ(why([](Mirror& m) {
              m.rules.erase({8301, 0, "sekisho0", 830003});
              m.refused["the rule for what comes in by sekisho0"] = "somebody else has made one";
            }),
            "the kernel refuses the rule for what comes in by sekisho0: somebody else has made one");
}

// --- A real kernel.

class HostStackTest : public test::InNamespace {
 protected:
  void SetUp() override {
    InNamespace::SetUp();
    test::run("ip link add out0 type veth peer name far0 address 02:00:00:00:02:01 netns " + far.path());
    test::run("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.out0.rp_filter=1");
    test::run("ip address add 10.0.2.4/24 dev out0 && ip link set out0 up");
    far.run("ip link set far0 up && ip address add 10.0.2.1/24 dev far0");
    // A pair stands for each TUN and TAP of the dataplane: with a carrier while the other end is up.
    test::run("ip link add sekisho0 type veth peer name dp0 && ip link set dp0 up");
    test::run("ip link add sk-lan type veth peer name dp1 && ip link set dp1 up");
    test::run("ip link set sekisho0 alias 'sekisho exit' && ip link set sk-lan alias 'sekisho port lan'");
    auto opened = netlink::Netlink::open(io, [this] { look(); });
    ASSERT_TRUE(opened) << opened.error();
    netlink = std::move(*opened);
    look();
  }

  void look() {
    if (netlink) {
      const auto* out = netlink->mirror().link("out0");
      netlink->keep_resolved({{out != nullptr ? out->index : 0, gateway}});
      netlink->keep(host_stack(config, netlink->mirror()));
    }
  }
  void change(config::Config to) {
    config = std::move(to);
    look();
  }
  [[nodiscard]] bool is_ready() {
    return until([&] { return exit(config, netlink->mirror())->ready; });
  }
  [[nodiscard]] std::string why() const { return exit(config, netlink->mirror())->why; }

  test::Namespace far;
  config::Config config = example();
  std::unique_ptr<netlink::Netlink> netlink;
};

TEST_F(HostStackTest, TheKernelHasExactlyIt) {
  ASSERT_TRUE(is_ready()) << why();
  EXPECT_TRUE(until([&] { return test::output("ip rule show").find("from 10.0.1.4") != std::string::npos; }));
  EXPECT_THAT(test::output("ip address show sk-lan"), HasSubstr("inet 10.0.1.4/24"));
  EXPECT_EQ(
      test::output("cat /proc/sys/net/ipv4/conf/sekisho0/forwarding /proc/sys/net/ipv4/conf/out0/forwarding"),
      "1\n1\n");
  EXPECT_EQ(
      test::output("cat /proc/sys/net/ipv4/conf/sekisho0/rp_filter /proc/sys/net/ipv4/conf/out0/rp_filter"),
      "0\n2\n");
  EXPECT_EQ(test::output("cat /proc/sys/net/ipv4/conf/sk-lan/drop_unicast_in_l2_multicast "
                         "/proc/sys/net/ipv4/conf/out0/drop_unicast_in_l2_multicast"),
            "1\n1\n");
  EXPECT_EQ(test::output("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/sk-lan/forwarding"),
            "0\n0\n");
  // The kernel's own word on where a reply leaves, and what came out of the dataplane.
  EXPECT_THAT(test::output("ip route get 168.63.129.16 from 10.0.2.4"), HasSubstr("via 10.0.2.1 dev out0"));
  EXPECT_THAT(test::output("ip route get 20.118.99.224 from 172.16.0.10 iif sekisho0"),
              HasSubstr("via 10.0.2.1 dev out0"));
  EXPECT_THAT(test::output("ip route get 172.16.0.10 from 20.118.99.224 iif out0"),
              HasSubstr("dev sekisho0"));

  auto without = config;
  without.internet->exit.reset();
  without.ports[1].addresses = {{0x0a000105, 24}};
  change(without);
  EXPECT_TRUE(
      until([&] { return test::output("ip address show sk-lan").find("10.0.1.5") != std::string::npos; }));
  EXPECT_TRUE(
      until([&] { return test::output("ip address show sk-lan").find("10.0.1.4") == std::string::npos; }));
  EXPECT_TRUE(until([&] { return test::output("ip rule show").find("iif") == std::string::npos; }));
  EXPECT_TRUE(until([&] { return test::output("ip route show table 830000 2>/dev/null").empty(); }));
}

TEST_F(HostStackTest, WhatIsLostComesBack) {
  ASSERT_TRUE(is_ready()) << why();
  for (const char* loss : {"ip rule del priority 8301", "ip route flush table 830000",
                           "ip link set out0 down && ip link set out0 up", "ip link set sekisho0 down",
                           "sysctl -qw net.ipv4.ip_forward=1 && sysctl -qw net.ipv4.ip_forward=0",
                           "ip address del 10.0.2.4/24 dev out0 && ip address add 10.0.2.4/24 dev out0"}) {
    test::run(loss);
    EXPECT_TRUE(until([&] {
      return test::output("ip route get 20.118.99.224 from 172.16.0.10 iif sekisho0 2>&1").find("dev out0") !=
                 std::string::npos &&
             test::output("ip route get 172.16.0.10 from 20.118.99.224 iif out0 2>&1").find("dev sekisho0") !=
                 std::string::npos;
    })) << loss;
    EXPECT_TRUE(is_ready()) << loss << ": " << why();
  }
}

TEST_F(HostStackTest, AnEarlierRunsLeftoversGoAndSomebodyElsesStay) {
  test::run(
      "ip rule add from 10.7.7.7 table 77 protocol 83 priority 8303 && ip rule add from 10.7.7.8 table 78");
  test::run(
      "ip route add 10.7.0.0/16 dev out0 table 77 proto 83 && ip route add 10.8.0.0/16 dev out0 table 78");
  test::run("ip address add 10.0.2.9/24 dev out0");
  EXPECT_TRUE(until([] { return test::output("ip rule show").find("10.7.7.7") == std::string::npos; }));
  EXPECT_TRUE(until([] { return test::output("ip route show table 77 2>/dev/null").empty(); }));
  EXPECT_THAT(test::output("ip rule show"), HasSubstr("10.7.7.8"));
  EXPECT_THAT(test::output("ip route show table 78"), HasSubstr("10.8.0.0/16"));
  EXPECT_THAT(test::output("ip address show out0"), HasSubstr("10.0.2.9"));
}

TEST_F(HostStackTest, SomebodyElsesRouteIsNotOverwrittenAndTheExitIsDown) {
  ASSERT_TRUE(is_ready()) << why();
  test::run("ip route replace default dev out0 table 830000 proto static");
  EXPECT_TRUE(until([&] { return why().find("somebody else has made one") != std::string::npos; })) << why();
  EXPECT_THAT(test::output("ip route show table 830000"), HasSubstr("dev out0 proto static"));
  test::run("ip route del default dev out0 table 830000 proto static");
  EXPECT_TRUE(is_ready()) << why();
}

TEST_F(HostStackTest, TheExitFollowsItsGatewayAndTheDataplane) {
  ASSERT_TRUE(is_ready()) << why();
  test::run("ip link set dp0 down");
  EXPECT_TRUE(until([&] { return why() == "sekisho0 is down: the dataplane does not run"; })) << why();
  test::run("ip link set dp0 up");
  EXPECT_TRUE(is_ready()) << why();
  test::run("sysctl -qw net.ipv4.conf.all.rp_filter=1");
  EXPECT_TRUE(until([&] { return why().find("all.rp_filter is 1") != std::string::npos; })) << why();
  test::run("sysctl -qw net.ipv4.conf.all.rp_filter=0");
  EXPECT_TRUE(is_ready()) << why();
}

}  // namespace
}  // namespace sekisho::reach
