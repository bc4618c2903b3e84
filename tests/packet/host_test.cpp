// SPDX-License-Identifier: BSD-3-Clause
// What is for this appliance's own kernel, and what the kernel sends: a worker of the test's own over the lab's ports and
// tables, whose rings to and from the host thread the test holds.
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "common/base/prefix.hpp"
#include "dataplane/forward/diverted.hpp"
#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

constexpr Mac broadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr std::uint16_t exit_mtu = 1400;
constexpr unsigned capacity = 7;
constexpr const char* own = "10.0.1.4";         // the kernel's on port lan
constexpr const char* other_own = "192.0.2.1";  // a HOST route: the kernel's on another port
constexpr const char* kms = "20.118.99.224";    // an EXIT route

struct Ring {
  explicit Ring(const char* name) : ring(rte_ring_create(name, capacity + 1, SOCKET_ID_ANY, 0)) {}
  ~Ring() { rte_ring_free(ring); }
  rte_ring* ring;
};

// In what form the kernel gets it.
enum class As { frame, bare_packet };

class Host : public testing::Test {
 protected:
  Host() {
    // Port lan is DPDK's own with a companion; port egress is as an AF_XDP port: its netdev is its companion.
    state_.host[lan] = {.ring = to_host_.ring,
                        .companion = true,
                        .local = {0x0a000104, 0x0a0001ff, 0xa9fe1504},
                        .sources = sources()};
    state_.host[egress] = {.ring = to_host_.ring, .companion = false, .local = {}};
    state_.exit_mtu = exit_mtu;
    worker_.set_state(&state_);
    worker_.set_queues(&lab().queues);
    worker_.set_host_queues(&host_queues_);
  }
  ~Host() override { EXPECT_EQ(lab().mbufs_free(), lab().mbufs_total()); }

  // As the writer makes it of the lab's zones: lan carries onprem and vnet, and its subnet is 10.0.1.0/24.
  static std::shared_ptr<const decide::HostSources> sources() {
    decide::HostSources::Rules rules;
    rules.add_zone({{0xac10'0000, 12}, {0x0a00'0000, 16}}, true);
    rules.add_zone({{0x0800'0000, 8}}, false);
    rules.allow({{0x0a00'0100, 24}, {0xa83f'8110, 32}, {0xa9fe'0000, 16}, {0x0808'0400, 24}});
    rules.add_own({0x0a000104, 0x0a0001ff, 0xa9fe1504});
    return std::make_shared<const decide::HostSources>(std::move(rules));
  }

  const forward::PortCounters& counted(PortIndex port) { return worker_.counters().ports[port]; }
  std::uint64_t drops(PortIndex port, DropReason reason) {
    return counted(port).drops[static_cast<std::size_t>(reason)].get();
  }
  void poll() {
    while (worker_.poll_once() != 0) {
    }
  }

  void expect_given(const std::string& why, PortIndex in, const Bytes& frame, const Bytes& out,
                    As form = As::frame) {
    SCOPED_TRACE(why);
    const auto before = counted(in).host.get();
    lab().send(in, frame);
    poll();
    EXPECT_EQ(counted(in).host.get(), before + 1);
    void* object = nullptr;
    ASSERT_EQ(rte_ring_dequeue(to_host_.ring, &object), 0);
    auto* const mbuf = static_cast<rte_mbuf*>(object);
    const auto* const bytes = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
    EXPECT_EQ(Bytes(bytes, bytes + mbuf->data_len), out);
    EXPECT_EQ(forward::is_bare_packet(*mbuf), form == As::bare_packet);
    rte_pktmbuf_free(mbuf);
    EXPECT_TRUE(rte_ring_empty(to_host_.ring));
  }
  void expect_given(const std::string& why, PortIndex in, const Packet& packet) {
    expect_given(why, in, packet.bytes(), packet.bytes());
  }
  void expect_dropped(const std::string& why, PortIndex in, const Packet& packet, DropReason reason) {
    SCOPED_TRACE(why);
    const auto before = drops(in, reason);
    lab().send(in, packet.bytes());
    poll();
    EXPECT_EQ(drops(in, reason), before + 1);
    EXPECT_TRUE(rte_ring_empty(to_host_.ring));
  }

  forward::ForwardingState state_ = lab().state;
  Ring to_host_{"to_host"};
  Ring from_host_{"from_host"};
  std::vector<forward::HostQueue> host_queues_;
  forward::Worker worker_{lab().qsbr, {.index = 0}};
};

Bytes without_ethernet(const Bytes& frame) {
  return {frame.begin() + 14, frame.end()};
}

TEST_F(Host, ArpGoesToTheCompanion) {
  expect_given("a request", lan, packet().ether_type(0x0806).macs(broadcast, {2, 0, 0, 0, 0, 9}));
  expect_given("a reply", lan, packet().ether_type(0x0806));
  expect_dropped("where there is none", egress, packet().ether_type(0x0806), DropReason::no_host_companion);
}

TEST_F(Host, OwnAddressesForWhoMayAsk) {
  expect_given("a zone's source", lan, packet().to(other_own));
  expect_given("whose TTL ends here", lan, packet().to(other_own).ttl(1));
  expect_given("the fabric's probe", lan, packet().from("168.63.129.16").to(own).tcp(40000, 443));
  expect_given("the cloud's metadata", lan, packet().from("169.254.169.254").to(own).tcp(80, 40000));
  expect_given("allowed inside of another zone's", lan, packet().from("8.8.4.4").to(own));
  expect_given("a link-local one", lan, packet().to("169.254.21.4"));
  expect_dropped("a source of no zone", lan, packet().from("9.9.9.9").to(own), DropReason::unknown_source);
  expect_dropped("a source of another port's zone", lan, packet().from("8.8.8.8").to(own),
                 DropReason::spoofed_source);
  expect_dropped("the same to the subnet's broadcast", lan,
                 packet().from("8.8.8.8").to("10.0.1.255").macs(broadcast, {2, 0, 0, 0, 0, 9}),
                 DropReason::spoofed_source);
  expect_dropped("nobody's", lan, packet().from("0.0.0.0").to(own), DropReason::martian_source);
  expect_dropped("loopback's", lan, packet().from("127.0.0.1").to(own), DropReason::martian_source);
  expect_dropped("another's address from a source of no zone", lan, packet().from("9.9.9.9").to("10.0.1.5"),
                 DropReason::unknown_source);
  expect_dropped("a spoofed source to somebody else", lan, packet().from("8.8.8.8").to("10.0.1.5"),
                 DropReason::spoofed_source);
}

TEST_F(Host, BroadcastAndMulticast) {
  expect_given("limited broadcast", lan, packet().to("255.255.255.255").macs(broadcast, {2, 0, 0, 0, 0, 9}));
  expect_given("a DHCP client's", lan,
               packet().from("0.0.0.0").to("255.255.255.255").macs(broadcast, {2, 0, 0, 0, 0, 9}));
  expect_given("the subnet's broadcast", lan, packet().to("10.0.1.255").macs(broadcast, {2, 0, 0, 0, 0, 9}));
  expect_given("VRRP", lan, packet().to("224.0.0.18").macs({0x01, 0, 0x5e, 0, 0, 18}, {2, 0, 0, 0, 0, 9}));
  expect_dropped("a unicast packet in a broadcast frame", lan,
                 packet().to("10.0.5.5").macs(broadcast, {2, 0, 0, 0, 0, 9}), DropReason::link_broadcast);
  expect_dropped("on a port without a companion", egress, packet().from("8.8.8.8").to("224.0.0.18"),
                 DropReason::multicast);
}

TEST_F(Host, NothingElse) {
  expect_dropped("IPv6", lan, packet().ether_type(0x86dd), DropReason::ipv6);
  expect_dropped("LLDP", lan, packet().ether_type(0x88cc), DropReason::not_ipv4);
  expect_dropped("a wrong checksum", lan, packet().to(own).checksum(1), DropReason::bad_checksum);
  expect_dropped("a route of type None", lan, packet().to("10.1.2.3"), DropReason::null_route);
}

TEST_F(Host, WhatIsForwardedIsNotTouched) {
  const Packet in = packet().to("10.0.5.5");
  lab().send(lan, in.bytes());
  poll();
  EXPECT_EQ(lab().sent(spoke), std::vector<Bytes>{forwarded_to(vnet_router, in)});
  EXPECT_TRUE(rte_ring_empty(to_host_.ring));
}

TEST_F(Host, AnotherPortsAddressGoesThroughTheExitWhereThereIsNoCompanion) {
  state_.zone(internet_zone).table = lab().tables[0].get();
  const Bytes frame = packet().from("8.8.8.8").to(other_own).ttl(1).bytes();
  expect_given("for the kernel itself", egress, frame, without_ethernet(frame), As::bare_packet);
  state_.exit_mtu = 0;
  expect_dropped("without an exit", egress, packet().from("8.8.8.8").to(other_own),
                 DropReason::no_host_companion);
}

TEST_F(Host, WhatLeavesByTheExitHasMadeAHop) {
  const Packet in = packet().to(kms).ttl(2);
  Packet hop = in;
  hop.ttl(1);
  expect_given("a packet", lan, in.bytes(), without_ethernet(hop.bytes()), As::bare_packet);
  expect_dropped("at its end", lan, packet().to(kms).ttl(1), DropReason::ttl_expired);
  const Packet longest = packet().to(kms).size(exit_mtu);
  hop = longest;
  hop.ttl(63);
  expect_given("the longest", lan, longest.bytes(), without_ethernet(hop.bytes()), As::bare_packet);
  expect_dropped("too long", lan, packet().to(kms).size(exit_mtu + 1).fragment(0x4000),
                 DropReason::mtu_exceeded);
  expect_dropped("a spoofed source", lan, packet().from("8.8.8.8").to(kms), DropReason::spoofed_source);
}

TEST_F(Host, AFullRingIsCounted) {
  for (unsigned i = 0; i < capacity + 3; ++i) {
    lab().send(lan, packet().to(other_own).bytes());
  }
  poll();
  EXPECT_EQ(counted(lan).rx.packets.get(), capacity + 3);
  EXPECT_EQ(counted(lan).host.get(), capacity);
  EXPECT_EQ(drops(lan, DropReason::host_full), 3U);
  void* object = nullptr;
  while (rte_ring_dequeue(to_host_.ring, &object) == 0) {
    rte_pktmbuf_free(static_cast<rte_mbuf*>(object));
  }
}

TEST_F(Host, TheKernelsFramesGoOutAsTheyAre) {
  host_queues_ = {{.port = lab().queues[lan], .ring = from_host_.ring}};
  const Bytes arp = packet().ether_type(0x0806).bytes();
  lab().send(lan, arp);
  poll();  // into to_host_: a buffer like any other
  void* object = nullptr;
  ASSERT_EQ(rte_ring_dequeue(to_host_.ring, &object), 0);
  ASSERT_EQ(rte_ring_enqueue(from_host_.ring, object), 0);
  poll();
  EXPECT_EQ(lab().sent(lan), std::vector<Bytes>{arp});
  EXPECT_EQ(counted(lan).generated.packets.get(), 1U);
  EXPECT_EQ(counted(lan).generated.bytes.get(), arp.size());
  EXPECT_EQ(counted(lan).tx.packets.get(), 1U);
  EXPECT_EQ(counted(lan).rx.packets.get(), 1U) << "what came in by the wire";
}

TEST_F(Host, AFullPortDropsTheKernelsFramesByName) {
  auto queue = lab().queues[narrow];
  host_queues_ = {{.port = queue, .ring = from_host_.ring}};
  for (unsigned sent = 0; sent < narrow_capacity + 2; ++sent) {
    lab().send(lan, packet().ether_type(0x0806).bytes());
    worker_.poll_once();
    void* object = nullptr;
    ASSERT_EQ(rte_ring_dequeue(to_host_.ring, &object), 0);
    ASSERT_EQ(rte_ring_enqueue(from_host_.ring, object), 0);
    poll();
  }
  EXPECT_EQ(counted(narrow).generated.packets.get(), narrow_capacity + 2);
  EXPECT_EQ(counted(narrow).tx.packets.get(), narrow_capacity);
  EXPECT_EQ(drops(narrow, DropReason::transmit_full), 2U);
  EXPECT_EQ(lab().sent(narrow).size(), narrow_capacity);
}

TEST_F(Host, RepliesByTheExitAreJudgedAsThePorts) {
  auto port = lab().queues[egress];
  port.generated = true;
  host_queues_ = {{.port = port, .ring = from_host_.ring, .judged = true}};
  const auto reply = [&](const Packet& packet) {
    lab().send(lan, Packet(packet).ether_type(0x0806).bytes());
    worker_.poll_once();
    void* object = nullptr;
    ASSERT_EQ(rte_ring_dequeue(to_host_.ring, &object), 0);
    const Bytes bytes = packet.bytes();
    std::copy(bytes.begin(), bytes.end(), rte_pktmbuf_mtod(static_cast<rte_mbuf*>(object), std::uint8_t*));
    ASSERT_EQ(rte_ring_enqueue(from_host_.ring, object), 0);
    poll();
  };
  const Packet in = Packet().from("8.8.8.8").to("172.16.0.1");
  reply(in);
  EXPECT_EQ(lab().sent(lan), std::vector<Bytes>{forwarded_to(gateway, in)});
  reply(Packet().from("10.0.5.5").to("172.16.0.1"));
  EXPECT_EQ(drops(egress, DropReason::spoofed_source), 1U) << "a source that the exit port may not carry";
  EXPECT_EQ(counted(egress).generated.packets.get(), 2U);
  EXPECT_EQ(counted(egress).rx.packets.get(), 0U) << "nothing came in by the wire";
}

// What the pipeline does, and on a steered port what steering does before it.
TEST_F(Host, DecideSaysWhoMayAsk) {
  for (const bool steered : {false, true}) {
    state_.host[lan].steered = steered;
    state_.host[lan].companion = !steered;
    const auto drop = [&](const char* source) {
      return decided(state_, base::parse_address(source).value(), base::parse_address(own).value(), lan)
          .verdict.drop();
    };
    EXPECT_EQ(drop("172.16.0.1"), std::nullopt);
    EXPECT_EQ(drop("168.63.129.16"), std::nullopt);
    EXPECT_EQ(drop("169.254.169.254"), std::nullopt);
    EXPECT_EQ(drop("8.8.4.4"), std::nullopt);
    EXPECT_EQ(drop("9.9.9.9"), DropReason::unknown_source);
    EXPECT_EQ(drop("8.8.8.8"), DropReason::spoofed_source);
    if (steered) {  // for workers it stands in the table of sources, which is the lab's here
      EXPECT_EQ(drop(own), DropReason::martian_source);
    }
    EXPECT_EQ(drop("127.0.0.1"), DropReason::martian_source);
  }
}

TEST_F(Host, DecideSaysWhetherTheKernelGetsIt) {
  const auto drop = [&](const char* destination, std::optional<PortIndex> port) {
    return decided(state_, base::parse_address("172.16.0.1").value(),
                   base::parse_address(destination).value(), port)
        .verdict.drop();
  };
  EXPECT_EQ(drop(other_own, lan), std::nullopt);
  EXPECT_EQ(drop(other_own, std::nullopt), std::nullopt);
  EXPECT_EQ(drop(kms, lan), std::nullopt);
  state_.exit_mtu = 0;
  EXPECT_EQ(drop(other_own, lan), std::nullopt);
  EXPECT_EQ(drop(kms, lan), DropReason::no_exit);
  state_.host[lan].companion = false;
  EXPECT_EQ(drop(other_own, lan), DropReason::no_host_companion);
}

}  // namespace
}  // namespace sekisho::test
