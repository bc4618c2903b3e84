// SPDX-License-Identifier: BSD-3-Clause
// A port that DPDK owns, with its companion, as a transaction makes it: frames at the peer of the port's wire, the kernel's own
// answers, and the interfaces that stay and go.
#include <gmock/gmock.h>

#include "dataplane/host/link.hpp"
#include "dataplane/host/tap.hpp"
#include "tests/unit/steer/lab.hpp"
#include "tests/unit/writer/writer_fixture.hpp"

namespace sekisho::writer::test {
namespace {

using lab::Bytes;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kms = "20.118.99.224";

// Port lan is a packet socket on veth0; veth1 is the other end of its wire.
const std::string lan = R"(
    ports { name: "lan" device: "net_af_packet0,iface=veth0" companion: "sk-lan" local: @10.0.1.4 local: @10.0.1.255 })";
const std::string other = R"(ports { name: "other" device: "net_null7,no-rx=1" })";

class CompanionTest : public WriterTest {
 protected:
  void SetUp() override {
    lab::make_veth("veth0", "veth1");
    // The kernel sees the port's frames too, and is to leave them alone.
    lab::run("sysctl -qw net.ipv4.conf.veth0.arp_ignore=8 net.ipv4.conf.veth0.rp_filter=1");
    wire = std::make_unique<lab::Wire>("veth1");
  }
  void TearDown() override {
    EXPECT_TRUE(commit(true, {ipc::Change{}}));
    EXPECT_FALSE(host::find_link("sk-lan").value().has_value()) << "it goes with its port";
    lab::remove("veth0");
  }

  ipc::Committed must_commit(const std::string& text, bool full = true) {
    auto committed = commit(full, {parse(text)});
    if (!committed) {
      throw std::runtime_error(committed.error());
    }
    return *committed;
  }
  void give_address() { lab::run("ip link set sk-lan up && ip addr replace 10.0.1.4/24 brd + dev sk-lan"); }

  // The worker's part, until `wire` sends something that is wanted.
  Bytes answer_on(const lab::Wire& from, const std::function<bool(const Bytes&)>& wanted) {
    Bytes frame;
    qsbr.online(0);
    lab::eventually([&] {
      worker.poll_once();
      qsbr.quiescent(0);
      frame = from.receive(0);
      return !frame.empty() && wanted(frame);
    });
    qsbr.offline(0);
    return frame;
  }
  Bytes arp_request() {
    return lab::ethernet(ETH_P_ARP,
                         {0,  1, 8, 0,  6, 4, 0, 1, 0x02, 0, 0,  0, 0, 1,    // who asks: 02:00:00:00:00:01
                          10, 0, 1, 20, 0, 0, 0, 0, 0,    0, 10, 0, 1, 4});  // 10.0.1.20, for 10.0.1.4
  }
  static bool is_arp_reply(const Bytes& frame) {
    return frame.size() >= 42 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 2;
  }
  std::map<std::string, ipc::PortStatistics> statistics() {
    std::map<std::string, ipc::PortStatistics> ports;
    const auto all = writer.statistics();
    for (const auto& port : all.ports()) {
      ports[port.name()] = port;
    }
    return ports;
  }

  std::unique_ptr<lab::Wire> wire;
};

TEST_F(CompanionTest, TheKernelAnswersForThePort) {
  ASSERT_THAT(must_commit(lan).failed_ports(), IsEmpty());
  give_address();
  wire->send(arp_request());
  const auto reply = answer_on(*wire, is_arp_reply);
  ASSERT_THAT(reply, SizeIs(60)) << "padded";
  const auto mac = lab::mac_of("veth0");
  EXPECT_TRUE(std::equal(mac.begin(), mac.end(), reply.begin() + 22)) << "with the port's MAC address";
  const auto port = statistics().at("lan");
  EXPECT_EQ(port.host(), port.rx().packets());
  EXPECT_GE(port.generated().packets(), 1U);
  EXPECT_EQ(port.generated().packets(), port.tx().packets());
}

TEST_F(CompanionTest, AddressesChangeWhileThePortRuns) {
  must_commit(lan);
  give_address();
  const auto frame = lab::ipv4(ip("10.0.1.9"), 0, lab::mac_of("veth0"));
  const lab::Wire kernel("sk-lan");
  wire->send(frame);
  qsbr.online(0);
  EXPECT_TRUE(lab::eventually([&] {
    worker.poll_once();
    qsbr.quiescent(0);
    return statistics().at("lan").drops().contains("unknown_source");
  }));
  qsbr.offline(0);
  // Whoever sends there may do so as 192.0.2.1.
  must_commit(lan.substr(0, lan.size() - 2) +
              " local: @10.0.1.9 host_sources { address: @192.0.2.0 length: 24 } }");
  wire->send(frame);
  EXPECT_EQ(answer_on(kernel, [](const Bytes&) { return true; }), frame);
}

TEST_F(CompanionTest, StaysWithAPortThatIsRenamed) {
  must_commit(lan);
  const int index = host::find_link("sk-lan").value()->index;
  auto renamed = lan;
  renamed.replace(renamed.find("\"lan\""), 5, "\"inside\"");
  ASSERT_THAT(must_commit(renamed).failed_ports(), IsEmpty());
  const auto link = host::find_link("sk-lan").value().value();
  EXPECT_EQ(link.index, index);
  EXPECT_EQ(link.alias, "sekisho port inside");
}

TEST_F(CompanionTest, OutlivesTheDataplane) {
  int index = 0;
  {
    fib::Qsbr earlier_qsbr{1};
    forward::Worker earlier_worker{earlier_qsbr, {.index = 0}};
    Writer earlier{earlier_qsbr,
                   {&earlier_worker},
                   {.pool = pool(), .tables = {.max_extension_tables = 8}, .lcores = {0}}};
    auto transaction = earlier.begin(true);
    ASSERT_TRUE(transaction.add(parse(lan)));
    ASSERT_TRUE(earlier.commit(std::move(transaction)));
    give_address();
    index = host::find_link("sk-lan").value()->index;
  }
  must_commit(lan);
  EXPECT_EQ(host::find_link("sk-lan").value()->index, index);
  wire->send(arp_request());
  EXPECT_TRUE(is_arp_reply(answer_on(*wire, is_arp_reply))) << "with the address that it had";
}

TEST_F(CompanionTest, StaysWhenItsPortGetsAnotherDevice) {
  must_commit(lan);
  give_address();
  const int index = host::find_link("sk-lan").value()->index;
  lab::make_veth("veth2", "veth3");
  auto moved = lan;
  moved.replace(moved.find("net_af_packet0,iface=veth0"), 26, "net_af_packet1,iface=veth2");
  ASSERT_THAT(must_commit(moved).failed_ports(), IsEmpty());
  EXPECT_EQ(host::find_link("sk-lan").value()->index, index);
  EXPECT_EQ(lab::mac_of("sk-lan"), lab::mac_of("veth2"));
  const lab::Wire new_wire("veth3");
  new_wire.send(arp_request());
  EXPECT_TRUE(is_arp_reply(answer_on(new_wire, is_arp_reply)));
  must_commit(other);
  lab::remove("veth2");
}

TEST_F(CompanionTest, IsMadeAgainWhenSomebodyRemovedIt) {
  must_commit(lan);
  lab::remove("sk-lan");
  writer.tick();
  give_address();
  wire->send(arp_request());
  EXPECT_TRUE(is_arp_reply(answer_on(*wire, is_arp_reply)));
}

TEST_F(CompanionTest, SomebodyElsesInterfaceFailsThePortAndNoOther) {
  lab::run("ip link add sk-lan type bridge");
  const auto committed = must_commit(lan + other);
  ASSERT_THAT(committed.failed_ports(), SizeIs(1));
  EXPECT_EQ(committed.failed_ports(0).name(), "lan");
  EXPECT_THAT(committed.failed_ports(0).error(),
              AllOf(HasSubstr("sk-lan: "), HasSubstr("not \"sekisho port lan\"")));
  lab::remove("sk-lan");
  EXPECT_THAT(must_commit(lan + other).failed_ports(), IsEmpty()) << "the next full transaction tries again";
}

TEST_F(CompanionTest, FramesThatTheKernelRefusesAreCounted) {
  must_commit(lan);  // nobody has set sk-lan up
  wire->send(arp_request());
  qsbr.online(0);
  EXPECT_TRUE(lab::eventually([&] {
    worker.poll_once();
    qsbr.quiescent(0);
    return statistics().at("lan").drops().contains("host_refused");
  }));
  qsbr.offline(0);
  EXPECT_EQ(statistics().at("lan").host(), 0U);
  EXPECT_EQ(statistics().at("lan").drops().at("host_refused"), statistics().at("lan").rx().packets());
}

TEST_F(CompanionTest, TheExitAndBack) {
  const auto committed = must_commit(lan + R"(
      exit { port: "lan" }
      adjacencies { key { port: "lan" address: @10.0.1.20 } mac: "\x02\0\0\0\0\x14" alive: true }
      next_hops { name: "out" action: EXIT }
      next_hops { name: "back" members { port: "lan" address: @10.0.1.20 } }
      zones { name: "onprem" ports: "lan" sources { address: @192.0.2.0 length: 24 } }
      zones { name: "internet" ports: "lan" sources { address: @20.0.0.0 length: 8 } })");
  EXPECT_TRUE(committed.exit().running()) << committed.exit().error();
  ASSERT_TRUE(commit(false, {routes("onprem", {{std::string(kms) + "/32", "out"}}),
                             routes("internet", {{"192.0.2.0/24", "back"}})}));
  EXPECT_EQ(answer("192.0.2.1", kms), "out");
  lab::run("ip link set sekisho0 up");
  const lab::Wire exit("sekisho0");
  auto frame = lab::ipv4(ip(kms), 0, lab::mac_of("veth0"));
  wire->send(frame);
  const auto packet = answer_on(exit, [](const Bytes&) { return true; });
  ASSERT_THAT(packet, SizeIs(32)) << "without its Ethernet header";
  EXPECT_EQ(packet[8], frame[14 + 8] - 1) << "a hop further";

  // The reply, as the kernel would send it after undoing its masquerade: source and destination exchanged.
  Bytes reply(frame.begin() + 14, frame.end());
  std::swap_ranges(reply.begin() + 12, reply.begin() + 16, reply.begin() + 16);
  exit.send(reply);
  const auto returned = answer_on(*wire, [](const Bytes& seen) {
    return seen.size() > 33 && seen[12] == 8 && seen[13] == 0 && seen[26] == 20;
  });
  ASSERT_FALSE(returned.empty());
  EXPECT_EQ(Bytes(returned.begin(), returned.begin() + 6), (Bytes{2, 0, 0, 0, 0, 0x14}));
  EXPECT_EQ(statistics().at("lan").generated().packets(), 1U);

  must_commit(lan);
  EXPECT_FALSE(host::find_link("sekisho0").value().has_value()) << "it goes when no exit is wanted";
}

// A mismatch would be a hole: what the kernel sends and the port does not take.
TEST_F(CompanionTest, SomebodyElsesMtuIsTakenBack) {
  must_commit(lan + "exit { port: \"lan\" }");
  for (const std::string name : {"sk-lan", "sekisho0"}) {
    lab::run("ip link set " + name + " mtu 1400");
    writer.tick();
    EXPECT_NO_THROW(lab::run("ip -o link show dev " + name + " | grep -q ' mtu 1500 '")) << name;
  }
}

TEST_F(CompanionTest, TheExitIsMadeAgainWhenSomebodyRemovedIt) {
  must_commit(lan + "exit { port: \"lan\" }");
  lab::remove("sekisho0");
  lab::run("ip link add sekisho0 type bridge");
  writer.tick();
  EXPECT_FALSE(writer.state().exit().running());
  EXPECT_THAT(writer.state().exit().error(), HasSubstr("sekisho0: an interface of that name is there"));
  lab::remove("sekisho0");
  writer.tick();
  EXPECT_TRUE(writer.state().exit().running()) << writer.state().exit().error();
  ASSERT_TRUE(host::find_link("sekisho0").value().has_value());
  EXPECT_EQ(host::find_link("sekisho0").value()->alias, "sekisho exit");

  lab::remove("sekisho0");
  EXPECT_TRUE(must_commit(lan + "exit { port: \"lan\" }").exit().running())
      << "a transaction does not wait for the tick";
  EXPECT_TRUE(host::find_link("sekisho0").value().has_value());
}

TEST_F(CompanionTest, AnExitThatCannotBeMadeRefusesNothing) {
  lab::run("ip link add sekisho0 type bridge");
  const auto committed = must_commit(lan + "exit { port: \"lan\" }");
  EXPECT_FALSE(committed.exit().running());
  EXPECT_THAT(committed.exit().error(), HasSubstr("sekisho0: an interface of that name is there"));
  EXPECT_THAT(committed.failed_ports(), IsEmpty());
  lab::remove("sekisho0");
  EXPECT_TRUE(must_commit(lan + "exit { port: \"lan\" }").exit().running());
}

TEST_F(CompanionTest, WhatIsWrongIsSaid) {
  const auto refusal = [&](const std::string& text) {
    const auto committed = commit(true, {parse(text)});
    return committed ? "committed" : committed.error();
  };
  EXPECT_THAT(refusal(R"(ports { name: "lan" device: "net_null0" companion: "a-name-too-long-" })"),
              HasSubstr("at most 15 characters"));
  EXPECT_THAT(refusal(R"(ports { name: "a" device: "net_null0" companion: "sk" }
                         ports { name: "b" device: "net_null1" companion: "sk" })"),
              HasSubstr("companion sk is port a's"));
  EXPECT_THAT(refusal("exit { port: \"nowhere\" }"), HasSubstr("port nowhere is not among the ports"));
}

}  // namespace
}  // namespace sekisho::writer::test
