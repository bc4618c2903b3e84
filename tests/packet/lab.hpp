// SPDX-License-Identifier: BSD-3-Clause
// The appliance of the packet tests: the real Worker between real ethdev ports, whose cables are rte_rings
// held by the test. One for the whole program, since DPDK's ports and 32 MiB tables are not made a thousand
// times.
//
//   on-premises 172.16/12 ---+                                      +--- firewall group {a, b} --- Internet
//   8/8
//                            +--- lan [ appliance ] egress ---------+
//   VNet 10.0/16 ------------+            |  |  |
//   VNet 10.0/16 ------------------ spoke +  |  +---- stopped (does not run)
//                                            +--- narrow (MTU 600, a queue of 8)
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "dataplane/forward/worker.hpp"
#include "dataplane/forward/world.hpp"
#include "tests/packet/packet_builder.hpp"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

namespace sekisho::test {

using decide::DropReason;
using forward::PortIndex;
using forward::value_of;
using forward::ZoneIndex;
using nexthop::AdjacencyIndex;
using nexthop::NextHopIndex;

inline constexpr PortIndex lan = 0, egress = 1, spoke = 2, narrow = 3, stopped = 4;
inline constexpr unsigned running_ports = 4;
inline constexpr unsigned narrow_capacity = 8;

inline constexpr AdjacencyIndex firewall_a = nexthop::first_adjacency, firewall_b = firewall_a + 1,
                                gateway = firewall_a + 2, vnet_router = firewall_a + 3,
                                narrow_router = firewall_a + 4, dead_router = firewall_a + 5,
                                stopped_router = firewall_a + 6, first_group_member = firewall_a + 7;
inline constexpr NextHopIndex firewall{1}, onprem_gateway{2}, vnet{3}, none{4}, self{5}, down{6},
    narrow_hop{7}, stopped_hop{8}, never_set{9}, group{10}, leave{11}, subnet{12};
inline constexpr ZoneIndex onprem_zone{1}, vnet_zone{2}, internet_zone{3}, tableless_zone{4};

[[nodiscard]] Mac mac_of(AdjacencyIndex adjacency);
[[nodiscard]] Mac mac_of_port(PortIndex port);

struct Forwarded {
  PortIndex port;
};
using Verdict = std::variant<Forwarded, DropReason>;

// The whole meaning of a test: why it is there, what comes in, what happens, what goes out.
struct Record {
  std::string why;
  PortIndex in = lan;
  Bytes bytes;
  Verdict verdict;
  Bytes out;  // of a forwarded frame
};

// All that is counted about ports, as values.
struct Counts {
  struct Port {
    std::uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0, host = 0;
    std::map<std::string, std::uint64_t> drops;  // without those that are 0
    friend bool operator==(const Port&, const Port&) = default;
  };
  std::array<Port, forward::max_ports> ports;
  friend bool operator==(const Counts&, const Counts&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Counts& counts);
};

class Lab {
 public:
  Lab();
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  void send(PortIndex port, const Bytes& frame);                                            // in one segment
  void send(PortIndex port, const Bytes& frame, const std::vector<std::size_t>& segments);  // their sizes
  [[nodiscard]] rte_mbuf* make_mbuf(const Bytes& frame, const std::vector<std::size_t>& segments);
  unsigned poll();                                                           // until nothing comes
  std::vector<Bytes> sent(PortIndex port);                                   // and not yet asked for
  void set_member(AdjacencyIndex index, std::uint32_t address, bool alive);  // on port egress

  [[nodiscard]] Counts counts() const;
  [[nodiscard]] std::uint64_t drops(PortIndex port, DropReason reason) const;
  [[nodiscard]] unsigned mbufs_free() const;
  [[nodiscard]] unsigned mbufs_total() const;

  // Sends one frame and holds what happened, and all that was counted, against the record.
  void check(const Record& record);

  fib::Qsbr qsbr{2};
  nexthop::NextHopTable next_hops{qsbr};
  std::unique_ptr<fib::Fib> sources;
  std::array<std::unique_ptr<fib::Fib>, 3> tables;
  forward::ForwardingState state;
  std::vector<forward::RxQueue> queues;
  std::unique_ptr<forward::Worker> worker;

 private:
  struct Cable {
    rte_ring* to_appliance = nullptr;
    rte_ring* from_appliance = nullptr;
    std::uint16_t dpdk_port = 0;
  };
  void make_port(PortIndex port, const char* name, unsigned capacity);
  void make_tables();
  void expect_noted(const Record& record, DropReason reason) const;

  rte_mempool* pool_ = nullptr;
  std::array<Cable, running_ports> cables_;
};

// What decide() says of a ping between the two.
[[nodiscard]] inline auto decided(const forward::ForwardingState& state, std::uint32_t source,
                                  std::uint32_t destination, std::optional<PortIndex> port) {
  return decide::decide(forward::World(state, port), {.flow = {source, destination, packet::Protocol::icmp}});
}

// Made by main() once EAL runs.
[[nodiscard]] Lab& lab();

// `packet` as it leaves towards `adjacency`, by the slow road: rebuilt from its description.
[[nodiscard]] Bytes forwarded_to(AdjacencyIndex adjacency, Packet packet);

// Every counter of every frame: what came in went out, was dropped with a reason, or went to the host.
void expect_all_accounted(Lab& lab);

}  // namespace sekisho::test
