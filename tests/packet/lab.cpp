// SPDX-License-Identifier: BSD-3-Clause
#include "tests/packet/lab.hpp"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <span>
#include <stdexcept>

#include "common/base/prefix.hpp"
#include "tests/unit/nexthop/members.hpp"

namespace sekisho::test {
namespace {

constexpr unsigned mbuf_count = 1023;
constexpr std::uint16_t data_room = RTE_PKTMBUF_HEADROOM + 10'000;
constexpr std::uint16_t mtu = 1500;
constexpr std::uint16_t narrow_mtu = 600;

void require(bool good, const char* what) {
  if (!good) {
    throw std::runtime_error(what);
  }
}

template <typename Index>
fib::Route route(const char* prefix, Index index) {
  return {base::parse_prefix(prefix).value(), value_of(index)};
}

PortIndex port_of(AdjacencyIndex adjacency) {
  switch (adjacency) {
    case gateway:
      return lan;
    case vnet_router:
      return spoke;
    case narrow_router:
      return narrow;
    case stopped_router:
      return stopped;
    default:
      return egress;
  }
}

nexthop::Adjacency make_adjacency(AdjacencyIndex index, std::uint32_t address, bool alive) {
  nexthop::Adjacency adjacency;
  const Mac destination = mac_of(index);
  const Mac source = mac_of_port(port_of(index));
  std::copy(destination.begin(), destination.end(), adjacency.stations.begin());
  std::copy(source.begin(), source.end(), adjacency.stations.begin() + 6);
  adjacency.mtu = port_of(index) == narrow ? narrow_mtu : mtu;
  adjacency.port = port_of(index);
  adjacency.action = alive ? decide::Action::forward : decide::Action::unresolved;
  adjacency.address = address;
  return adjacency;
}

}  // namespace

Mac mac_of(AdjacencyIndex adjacency) {
  return {0x02, 0, 0, 0, 0, static_cast<std::uint8_t>(adjacency)};
}
Mac mac_of_port(PortIndex port) {
  return {0x02, 0, 0, 0, 1, port};
}

Lab::Lab() {
  pool_ = rte_pktmbuf_pool_create("packets", mbuf_count, 0, 0, data_room, SOCKET_ID_ANY);
  require(pool_ != nullptr, "no memory for packets");
  make_port(lan, "lan", 256);
  make_port(egress, "egress", 256);
  make_port(spoke, "spoke", 256);
  make_port(narrow, "narrow", narrow_capacity);
  make_tables();

  state.sources = sources.get();
  state.next_hops = &next_hops;
  state.zone(onprem_zone) = {1U << lan, tables[0].get()};
  state.zone(vnet_zone) = {1U << lan | 1U << spoke, tables[1].get()};
  state.zone(internet_zone) = {1U << egress, tables[2].get()};
  state.zone(tableless_zone) = {1U << spoke, nullptr};

  qsbr.online(0);
  worker = std::make_unique<forward::Worker>(qsbr, forward::Worker::Options{.index = 0});
  worker->set_state(&state);
  worker->set_queues(&queues);
}

Lab::~Lab() {
  worker.reset();
  qsbr.offline(0);
  for (const Cable& cable : cables_) {
    rte_eth_dev_stop(cable.dpdk_port);
    rte_eth_dev_close(cable.dpdk_port);
    rte_ring_free(cable.to_appliance);
    rte_ring_free(cable.from_appliance);
  }
  rte_mempool_free(pool_);
}

void Lab::make_port(PortIndex port, const char* name, unsigned capacity) {
  Cable& cable = cables_[port];
  const std::string text(name);
  cable.to_appliance = rte_ring_create((text + "_in").c_str(), 256, SOCKET_ID_ANY, RING_F_EXACT_SZ);
  cable.from_appliance = rte_ring_create((text + "_out").c_str(), capacity, SOCKET_ID_ANY, RING_F_EXACT_SZ);
  require(cable.to_appliance != nullptr && cable.from_appliance != nullptr, "no memory for a ring");
  const int created = rte_eth_from_rings(name, &cable.to_appliance, 1, &cable.from_appliance, 1, 0);
  require(created >= 0, "no ring port");
  cable.dpdk_port = static_cast<std::uint16_t>(created);
  const rte_eth_conf configuration{};
  require(rte_eth_dev_configure(cable.dpdk_port, 1, 1, &configuration) == 0 &&
              rte_eth_rx_queue_setup(cable.dpdk_port, 0, 256, SOCKET_ID_ANY, nullptr, pool_) == 0 &&
              rte_eth_tx_queue_setup(cable.dpdk_port, 0, 256, SOCKET_ID_ANY, nullptr) == 0 &&
              rte_eth_dev_start(cable.dpdk_port) == 0,
          "a ring port does not start");
  state.ports[port] = {cable.dpdk_port, 1};
  queues.push_back({port, cable.dpdk_port, 0});
}

void Lab::make_tables() {
  sources = fib::Fib::create(qsbr).value();
  for (auto& table : tables) {
    table = fib::Fib::create(qsbr).value();
  }
  for (AdjacencyIndex index = firewall_a; index <= stopped_router; ++index) {
    next_hops.set_adjacency(index, make_adjacency(index, 0x0a000200U + index, index != dead_router));
  }
  const auto members = [this](NextHopIndex index, std::vector<AdjacencyIndex> list) {
    next_hops.set_members(index, nexthop::test::members_of(next_hops, list));
  };
  members(firewall, {firewall_a, firewall_b});
  members(onprem_gateway, {gateway});
  members(vnet, {vnet_router});
  members(down, {dead_router});
  members(narrow_hop, {narrow_router});
  members(stopped_hop, {stopped_router});
  next_hops.set_action(none, decide::Action::drop);
  next_hops.set_action(self, decide::Action::host);
  next_hops.set_action(leave, decide::Action::exit);
  next_hops.set_action(subnet, decide::Action::connected);

  const auto fill = [](fib::Fib& table, const std::vector<fib::Route>& routes) {
    require(table.apply(routes).has_value(), "a table is refused");
  };
  fill(*sources, {route("172.16.0.0/12", onprem_zone), route("10.0.0.0/16", vnet_zone),
                  route("8.0.0.0/8", internet_zone), route("198.51.100.0/24", internet_zone),
                  route("192.168.0.0/16", tableless_zone), route("192.168.200.0/24", ZoneIndex{77}),
                  route("192.168.201.0/24", ZoneIndex{4000})});
  fill(*tables[0], {route("0.0.0.0/1", firewall), route("128.0.0.0/1", firewall), route("10.0.0.0/16", vnet),
                    route("10.1.0.0/16", none), route("10.2.0.0/16", subnet), route("192.0.2.1/32", self),
                    route("203.0.113.0/25", down), route("203.0.113.128/25", stopped_hop),
                    route("100.64.0.0/10", narrow_hop), route("198.18.0.0/15", never_set),
                    route("8.9.0.0/16", group), route("20.118.99.224/32", leave)});
  fill(*tables[1], {route("172.16.0.0/12", onprem_gateway), route("8.8.8.0/24", narrow_hop)});
  fill(*tables[2],
       {route("172.16.0.0/12", onprem_gateway), route("172.20.0.0/16", group), route("10.0.0.0/16", vnet)});
}

void Lab::send(PortIndex port, const Bytes& frame) {
  send(port, frame, {frame.size()});
}

void Lab::send(PortIndex port, const Bytes& frame, const std::vector<std::size_t>& segments) {
  require(rte_ring_enqueue(cables_[port].to_appliance, make_mbuf(frame, segments)) == 0, "cable full");
}

rte_mbuf* Lab::make_mbuf(const Bytes& frame, const std::vector<std::size_t>& segments) {
  rte_mbuf* head = nullptr;
  std::size_t at = 0;
  for (const std::size_t size : segments) {
    rte_mbuf* const mbuf = rte_pktmbuf_alloc(pool_);
    require(mbuf != nullptr, "no mbuf left");
    std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at), size,
                rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(size)));
    at += size;
    require(head == nullptr || rte_pktmbuf_chain(head, mbuf) == 0, "chain too long");
    head = head == nullptr ? mbuf : head;
  }
  require(at == frame.size(), "the segments are not the frame");
  return head;
}

unsigned Lab::poll() {
  unsigned total = 0;
  while (const unsigned received = worker->poll_once()) {
    total += received;
  }
  qsbr.quiescent(0);
  qsbr.poll();
  return total;
}

std::vector<Bytes> Lab::sent(PortIndex port) {
  std::vector<Bytes> frames;
  void* object = nullptr;
  while (rte_ring_dequeue(cables_[port].from_appliance, &object) == 0) {
    auto* const mbuf = static_cast<rte_mbuf*>(object);
    require(rte_mbuf_check(mbuf, 1, nullptr) == 0, "a transmitted mbuf is not sane");
    Bytes frame;
    for (const rte_mbuf* segment = mbuf; segment != nullptr; segment = segment->next) {
      const auto* const data = rte_pktmbuf_mtod(segment, const std::uint8_t*);
      frame.insert(frame.end(), data, data + segment->data_len);
    }
    rte_pktmbuf_free(mbuf);
    frames.push_back(std::move(frame));
  }
  return frames;
}

void Lab::set_member(AdjacencyIndex index, std::uint32_t address, bool alive) {
  next_hops.set_adjacency(index, make_adjacency(index, address, alive));
}

Counts Lab::counts() const {
  Counts counts;
  for (unsigned port = 0; port < forward::max_ports; ++port) {
    const forward::PortCounters& from = worker->counters().ports[port];
    Counts::Port& to = counts.ports[port];
    to.rx_packets = from.rx.packets.get();
    to.rx_bytes = from.rx.bytes.get();
    to.tx_packets = from.tx.packets.get();
    to.tx_bytes = from.tx.bytes.get();
    to.host = from.host.get();
    for (std::size_t reason = 0; reason < decide::drop_reason_count; ++reason) {
      if (const auto value = from.drops[reason].get(); value != 0) {
        to.drops[std::string(decide::drop_reason_texts[reason].name)] = value;
      }
    }
  }
  return counts;
}

std::uint64_t Lab::drops(PortIndex port, DropReason reason) const {
  return worker->counters().ports[port].drops[static_cast<std::size_t>(reason)].get();
}

unsigned Lab::mbufs_free() const {
  return rte_mempool_avail_count(pool_);
}
unsigned Lab::mbufs_total() const {
  return mbuf_count;
}

std::ostream& operator<<(std::ostream& out, const Counts& counts) {
  for (unsigned port = 0; port < counts.ports.size(); ++port) {
    const Counts::Port& at = counts.ports[port];
    if (at != Counts::Port{}) {
      out << "\n  port " << port << ": rx " << at.rx_packets << '/' << at.rx_bytes << " tx " << at.tx_packets
          << '/' << at.tx_bytes << " host " << at.host;
      for (const auto& [reason, value] : at.drops) {
        out << ' ' << reason << ' ' << value;
      }
    }
  }
  return out;
}

void Lab::check(const Record& record) {
  SCOPED_TRACE(record.why);
  Counts expected = counts();
  ++expected.ports[record.in].rx_packets;
  expected.ports[record.in].rx_bytes += record.bytes.size();
  std::array<std::vector<Bytes>, running_ports> out;
  if (const auto* forwarded = std::get_if<Forwarded>(&record.verdict)) {
    ++expected.ports[forwarded->port].tx_packets;
    expected.ports[forwarded->port].tx_bytes += record.out.size();
    out[forwarded->port].push_back(record.out);
  } else {
    const auto reason = static_cast<std::size_t>(std::get<DropReason>(record.verdict));
    ++expected.ports[record.in].drops[std::string(decide::drop_reason_texts[reason].name)];
  }
  send(record.in, record.bytes);
  EXPECT_EQ(poll(), 1U);
  EXPECT_EQ(counts(), expected);
  for (PortIndex port = 0; port < running_ports; ++port) {
    EXPECT_EQ(sent(port), out[port]) << "port " << unsigned{port};
  }
  if (const auto* reason = std::get_if<DropReason>(&record.verdict)) {
    expect_noted(record, *reason);
  }
  expect_all_accounted(*this);
}

// The newest drop of that reason is this frame; what a device did not take had its new header already.
void Lab::expect_noted(const Record& record, DropReason reason) const {
  std::optional<forward::DroppedPacket> newest;
  worker->last_drops().read([&](const forward::DroppedPacket& packet) {
    if (packet.reason == reason && (!newest || newest->at < packet.at)) {
      newest = packet;
    }
  });
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->port, record.in);
  EXPECT_EQ(newest->size, record.bytes.size());
  if (reason != DropReason::transmit_full) {
    EXPECT_TRUE(std::ranges::equal(newest->bytes(), std::span(record.bytes).first(newest->bytes().size())));
  }
}

Bytes forwarded_to(AdjacencyIndex adjacency, Packet packet) {
  packet.ttl(static_cast<std::uint8_t>(packet.ttl() - 1));
  packet.macs(mac_of(adjacency), mac_of_port(port_of(adjacency)));
  return packet.bytes();
}

void expect_all_accounted(Lab& lab) {
  std::uint64_t received = 0;
  std::uint64_t ended = 0;
  std::uint64_t transmitted = 0;
  std::uint64_t transmitted_bytes = 0;
  const Counts counts = lab.counts();
  for (const Counts::Port& port : counts.ports) {
    received += port.rx_packets;
    ended += port.tx_packets + port.host;
    transmitted += port.tx_packets;
    transmitted_bytes += port.tx_bytes;
    for (const auto& [reason, value] : port.drops) {
      ended += value;
    }
  }
  EXPECT_EQ(received, ended);
  for (const forward::Traffic& adjacency : lab.worker->counters().adjacencies) {
    transmitted -= adjacency.packets.get();
    transmitted_bytes -= adjacency.bytes.get();
  }
  EXPECT_EQ(transmitted, 0U) << "packets transmitted, but not to an adjacency";
  EXPECT_EQ(transmitted_bytes, 0U);
  std::uint64_t by_zone = 0;
  std::uint64_t by_next_hop = 0;
  for (const forward::Traffic& zone : lab.worker->counters().zones) {
    by_zone += zone.packets.get();
  }
  for (const forward::Traffic& next_hop : lab.worker->counters().next_hops) {
    by_next_hop += next_hop.packets.get();
  }
  EXPECT_EQ(by_zone, by_next_hop) << "nothing is lost between spoof test and destination lookup";
  EXPECT_EQ(lab.mbufs_free(), lab.mbufs_total());
}

}  // namespace sekisho::test
