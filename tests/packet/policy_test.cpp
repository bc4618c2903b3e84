// SPDX-License-Identifier: BSD-3-Clause
// What zones, tables and next hops decide; and that decide() says the same as the pipeline does.
#include <random>

#include "common/base/prefix.hpp"
#include "dataplane/forward/world.hpp"
#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

void expect_drop(std::string why, PortIndex in, const Packet& packet, DropReason reason) {
  lab().check({std::move(why), in, packet.bytes(), reason, {}});
}

void expect_forwarded(std::string why, PortIndex in, const Packet& packet, PortIndex out,
                      AdjacencyIndex adjacency) {
  lab().check({std::move(why), in, packet.bytes(), Forwarded{out}, forwarded_to(adjacency, packet)});
}

TEST(Zones, TheSourceChoosesTheTable) {
  expect_forwarded("VNet by on-premises", lan, packet().to("10.0.5.5"), spoke, vnet_router);
  expect_forwarded("on-premises by the VNet, on one port with it", lan,
                   packet().from("10.0.5.5").to("172.16.0.1"), lan, gateway);
  expect_forwarded("on-premises by the VNet, from its own port", spoke,
                   packet().from("10.0.5.5").to("172.16.0.1"), lan, gateway);
  expect_forwarded("the VNet's own way to 8.8.8/24", spoke, packet().from("10.0.5.5"), narrow, narrow_router);
  expect_drop("the VNet has no other way to the Internet", spoke, packet().from("10.0.5.5").to("9.9.9.9"),
              DropReason::no_route);
  expect_forwarded("on-premises by the Internet", egress, packet().from("8.8.8.8").to("172.16.0.1"), lan,
                   gateway);
  expect_drop("the Internet has no way to itself", egress, packet().from("8.8.8.8").to("198.51.100.1"),
              DropReason::no_route);
  expect_drop("a zone without a table goes nowhere", spoke, packet().from("192.168.0.1"),
              DropReason::no_route);
}

TEST(Zones, ASourceComesByItsOwnPorts) {
  expect_drop("on-premises by the Internet's port", egress, packet(), DropReason::spoofed_source);
  expect_drop("on-premises by the spoke's port", spoke, packet(), DropReason::spoofed_source);
  expect_drop("the VNet by the Internet's port", egress, packet().from("10.0.5.5").to("172.16.0.1"),
              DropReason::spoofed_source);
  expect_drop("the Internet by the on-premises port", lan, packet().from("8.8.8.8").to("10.0.5.5"),
              DropReason::spoofed_source);
  expect_drop("any zone by a port that carries none", narrow, packet(), DropReason::spoofed_source);
  expect_drop("nobody's source", lan, packet().from("9.9.9.9"), DropReason::unknown_source);
  expect_drop("nobody's source beside a zone's", lan, packet().from("172.32.0.0"),
              DropReason::unknown_source);
  expect_drop("a zone that this state does not have yet", lan, packet().from("192.168.200.1"),
              DropReason::spoofed_source);
  expect_drop("an index that can be no zone", lan, packet().from("192.168.201.1"),
              DropReason::unknown_source);
  expect_drop("martian before spoofed", egress, packet().from("127.0.0.1"), DropReason::martian_source);
  expect_drop("spoofed before no route", egress, packet().from("10.0.5.5").to("9.9.9.9"),
              DropReason::spoofed_source);
}

TEST(NextHops, EachAction) {
  expect_drop("a route of type None", lan, packet().to("10.1.2.3"), DropReason::null_route);
  expect_drop("an address of this host", lan, packet().to("192.0.2.1"), DropReason::no_host_companion);
  expect_drop("for the kernel to masquerade, without an exit", lan, packet().to("20.118.99.224"),
              DropReason::no_exit);
  expect_drop("a subnet's neighbour that is not resolved", lan, packet().to("10.2.0.5"),
              DropReason::neighbour_unresolved);
  expect_drop("no living member", lan, packet().to("203.0.113.1"), DropReason::next_hop_down);
  expect_drop("a port that does not run", lan, packet().to("203.0.113.129"), DropReason::next_hop_down);
  expect_drop("an index that nobody set", lan, packet().to("198.18.0.1"), DropReason::no_route);
  expect_drop("a dead next hop is said before the TTL", lan, packet().to("203.0.113.1").ttl(1),
              DropReason::next_hop_down);
  expect_drop("an unresolved neighbour after it", lan, packet().to("10.2.0.5").ttl(1),
              DropReason::ttl_expired);
}

// A worker may have chosen an adjacency an instant before it died; no packet order can show that here.
TEST(NextHops, RefusalOfEveryAction) {
  const auto refusal = [](decide::Action action, PortIndex port, unsigned worker) {
    nexthop::Adjacency adjacency;
    adjacency.action = action;
    adjacency.port = port;
    return decide::at_egress(forward::egress_of(lab().state, adjacency, worker), {}, decide::Datagram{})
        .drop();
  };
  EXPECT_EQ(refusal(decide::Action::forward, lan, 0), std::nullopt);
  EXPECT_EQ(refusal(decide::Action::forward, lan, 1), DropReason::next_hop_down)
      << "no queue for this worker";
  EXPECT_EQ(refusal(decide::Action::forward, stopped, 0), DropReason::next_hop_down);
  EXPECT_EQ(refusal(decide::Action::no_route, lan, 0), DropReason::no_route);
  EXPECT_EQ(refusal(decide::Action::drop, lan, 0), DropReason::null_route);
  EXPECT_EQ(refusal(decide::Action::host, lan, 0), DropReason::no_host_companion);
  EXPECT_EQ(refusal(decide::Action::exit, lan, 0), DropReason::no_exit);
  EXPECT_EQ(refusal(decide::Action::group_down, lan, 0), DropReason::next_hop_down);
  EXPECT_EQ(refusal(decide::Action::connected, lan, 0), DropReason::neighbour_unresolved);
  EXPECT_EQ(refusal(decide::Action::unresolved, lan, 0), DropReason::neighbour_unresolved);
}

TEST(Decide, SaysWhatItFound) {
  const auto decide = [](std::string_view source, std::string_view destination,
                         std::optional<PortIndex> port) {
    return decided(lab().state, base::parse_address(source).value(), base::parse_address(destination).value(),
                   port);
  };
  const auto forwarded = decide("172.16.0.1", "10.0.5.5", lan);
  EXPECT_EQ(forwarded.zone, onprem_zone);
  EXPECT_TRUE(forwarded.allowed);
  EXPECT_EQ(forwarded.next_hop, vnet);
  EXPECT_EQ(forwarded.member, vnet_router);
  EXPECT_EQ(forwarded.verdict.drop(), std::nullopt);
  EXPECT_EQ(decide("172.16.0.1", "10.0.5.5", std::nullopt).verdict.drop(), std::nullopt)
      << "by some port it may come";
  const auto spoofed = decide("172.16.0.1", "10.0.5.5", egress);
  EXPECT_EQ(spoofed.zone, onprem_zone);
  EXPECT_FALSE(spoofed.allowed);
  EXPECT_EQ(spoofed.verdict.drop(), DropReason::spoofed_source);
  EXPECT_EQ(decide("192.168.200.1", "10.0.5.5", std::nullopt).verdict.drop(), DropReason::spoofed_source);
  EXPECT_EQ(decide("9.9.9.9", "10.0.5.5", lan).verdict.drop(), DropReason::unknown_source);
  EXPECT_EQ(decide("172.16.0.1", "10.1.0.1", lan).next_hop, none);
  EXPECT_EQ(decide("172.16.0.1", "10.1.0.1", lan).verdict.drop(), DropReason::null_route);
  EXPECT_EQ(decide("192.168.0.1", "10.1.0.1", spoke).verdict.drop(), DropReason::no_route);
  EXPECT_EQ(decide("172.16.0.1", "10.2.0.5", lan).next_hop, subnet);
  EXPECT_EQ(decide("172.16.0.1", "10.2.0.5", lan).member, nexthop::connected_adjacency);
  EXPECT_EQ(decide("172.16.0.1", "10.2.0.5", lan).verdict.drop(), DropReason::neighbour_unresolved);
}

}  // namespace
}  // namespace sekisho::test
