// SPDX-License-Identifier: BSD-3-Clause
// Many packets at once: order, full queues, frames in pieces, and what is counted where.
#include <fmt/format.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

std::uint16_t id_of(const Bytes& frame) {
  return static_cast<std::uint16_t>(frame[18] * 256 + frame[19]);
}

std::uint16_t u16(unsigned number) {
  return static_cast<std::uint16_t>(number);
}

std::size_t bytes_of(const std::vector<Bytes>& frames) {
  return std::accumulate(frames.begin(), frames.end(), std::size_t{0},
                         [](std::size_t sum, const Bytes& frame) { return sum + frame.size(); });
}

TEST(Bursts, MixedVerdictsKeepTheOrderOfEachWay) {
  // Six kinds in turn: two zones, three ways out, three reasons.
  const std::vector<Packet> kinds = {packet().to("10.0.5.5"),  packet().from("10.0.5.5").to("172.16.0.1"),
                                     packet().from("9.9.9.9"), packet(),
                                     packet().to("10.1.0.1"),  packet().to("10.0.5.5").ttl(1)};
  for (const unsigned count : {1U, 2U, 63U, 64U, 65U, 128U, 200U}) {
    const Counts before = lab().counts();
    for (unsigned i = 0; i < count; ++i) {
      lab().send(lan, Packet(kinds[i % kinds.size()]).id(u16(i)).size(u16(60 + i)).bytes());
    }
    EXPECT_EQ(lab().poll(), count);
    const auto sent_of = [&](std::size_t kind) {
      return count / kinds.size() + (count % kinds.size() > kind ? 1 : 0);
    };
    const auto expect_order = [&](PortIndex port, unsigned kind) {
      const auto frames = lab().sent(port);
      ASSERT_EQ(frames.size(), sent_of(kind));
      EXPECT_EQ(lab().counts().ports[port].tx_bytes - before.ports[port].tx_bytes, bytes_of(frames));
      for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_EQ(id_of(frames[i]), i * kinds.size() + kind);
      }
    };
    expect_order(spoke, 0);
    expect_order(lan, 1);
    expect_order(egress, 3);
    auto drops = lab().counts().ports[lan].drops;
    for (const auto& [reason, value] : before.ports[lan].drops) {
      drops[reason] -= value;
    }
    EXPECT_EQ(drops["unknown_source"], sent_of(2));
    EXPECT_EQ(drops["null_route"], sent_of(4));
    EXPECT_EQ(drops["ttl_expired"], sent_of(5));
    expect_all_accounted(lab());
  }
}

TEST(Bursts, AFullQueueIsTheIngressPortsDrop) {
  const Counts before = lab().counts();
  constexpr unsigned count = 20;
  for (unsigned i = 0; i < count; ++i) {
    lab().send(lan, packet().to("100.64.0.1").id(u16(i)).size(u16(60 + i)).bytes());
    lab().send(lan, packet().to("10.0.5.5").id(u16(i)).size(u16(300 + i)).bytes());
  }
  EXPECT_EQ(lab().poll(), 2 * count);
  const auto full = static_cast<std::size_t>(DropReason::transmit_full);
  const std::string name(decide::drop_reason_texts[full].name);
  const Counts after = lab().counts();
  EXPECT_EQ(after.ports[narrow].tx_packets, before.ports[narrow].tx_packets + narrow_capacity);
  EXPECT_EQ(after.ports[spoke].tx_packets, before.ports[spoke].tx_packets + count)
      << "other ports do not suffer";
  EXPECT_EQ(after.ports[lan].drops.at(name), count - narrow_capacity);
  EXPECT_EQ(after.ports[narrow].drops, before.ports[narrow].drops);
  const auto frames = lab().sent(narrow);
  ASSERT_EQ(frames.size(), narrow_capacity);
  for (unsigned i = 0; i < narrow_capacity; ++i) {
    EXPECT_EQ(id_of(frames[i]), i) << "the first to come are the ones to go";
  }
  EXPECT_EQ(after.ports[narrow].tx_bytes - before.ports[narrow].tx_bytes, bytes_of(frames));
  const auto others = lab().sent(spoke);
  EXPECT_EQ(others.size(), count);
  EXPECT_EQ(after.ports[spoke].tx_bytes - before.ports[spoke].tx_bytes, bytes_of(others));
  expect_all_accounted(lab());
  const Packet in = packet().to("100.64.0.1");
  lab().check({"room again", lan, in.bytes(), Forwarded{narrow}, forwarded_to(narrow_router, in)});
}

TEST(Bursts, CountersNameZoneNextHopAndAdjacency) {
  struct Totals {
    std::uint64_t packets, bytes;
    bool operator==(const Totals&) const = default;
  };
  const auto of = [](const forward::Traffic& traffic) {
    return Totals{traffic.packets.get(), traffic.bytes.get()};
  };
  const auto added = [](Totals before, Totals after) {
    return Totals{after.packets - before.packets, after.bytes - before.bytes};
  };
  const auto& counters = lab().worker->counters();
  const auto zone = of(counters.zones[value_of(onprem_zone)]);
  const auto vnet_source = of(counters.zones[value_of(vnet_zone)]);
  const auto hop = of(counters.next_hops[value_of(vnet)]);
  const auto null_hop = of(counters.next_hops[value_of(none)]);
  const auto missing = of(counters.next_hops[fib::no_route]);
  const auto neighbour = of(counters.adjacencies[vnet_router]);
  const auto polls = counters.polls.get();
  const auto bursts = counters.bursts.get();

  lab().send(lan, packet().to("10.0.5.5").size(100).bytes());
  lab().send(lan, packet().to("10.1.0.1").size(200).bytes());                  // a route of type None
  lab().send(lan, packet().from("10.0.5.5").to("9.9.9.9").size(300).bytes());  // no route
  lab().send(lan, packet().to("10.0.5.5").size(400).bytes());
  lab().send(lan, packet().to("10.0.5.5").size(500).ttl(1).bytes());  // dies behind the lookup
  lab().send(egress, packet().to("10.0.5.5").size(600).bytes());      // spoofed: nobody's traffic
  lab().poll();
  lab().sent(spoke);

  EXPECT_EQ(added(zone, of(counters.zones[value_of(onprem_zone)])), (Totals{4, 1200 + 4 * 14}));
  EXPECT_EQ(added(vnet_source, of(counters.zones[value_of(vnet_zone)])), (Totals{1, 314}));
  EXPECT_EQ(added(hop, of(counters.next_hops[value_of(vnet)])), (Totals{3, 1000 + 3 * 14}));
  EXPECT_EQ(added(null_hop, of(counters.next_hops[value_of(none)])), (Totals{1, 214}));
  EXPECT_EQ(added(missing, of(counters.next_hops[fib::no_route])), (Totals{1, 314}));
  EXPECT_EQ(added(neighbour, of(counters.adjacencies[vnet_router])), (Totals{2, 500 + 2 * 14}));
  EXPECT_EQ(counters.bursts.get() - bursts, 2U) << "two queues had something";
  EXPECT_EQ(counters.polls.get() - polls, 2 * running_ports) << "a round with, one without";
  expect_all_accounted(lab());
}

// How many packets at once a transmit queue is given.
class Handed {
 public:
  explicit Handed(PortIndex port)
      : dpdk_port_{lab().state.ports[port].dpdk_port},
        callback_{rte_eth_add_tx_callback(dpdk_port_, 0, note, this)} {}
  Handed(const Handed&) = delete;
  Handed& operator=(const Handed&) = delete;
  ~Handed() { rte_eth_remove_tx_callback(dpdk_port_, 0, callback_); }

  [[nodiscard]] std::vector<unsigned> take() { return std::exchange(counts_, {}); }

 private:
  static std::uint16_t note(std::uint16_t, std::uint16_t, rte_mbuf**, std::uint16_t count, void* handed) {
    static_cast<Handed*>(handed)->counts_.push_back(count);
    return count;
  }

  std::uint16_t dpdk_port_;
  const rte_eth_rxtx_callback* callback_;
  std::vector<unsigned> counts_;
};

// Receives as port lan does, by several queues. Nothing is sent by it: what it receives from stands for what it would send to.
class SeveralQueues {
 public:
  static constexpr unsigned count = 3;

  SeveralQueues() {
    for (auto& ring : rings_) {
      ring = rte_ring_create(fmt::format("several_{}", &ring - rings_.data()).c_str(), 256, SOCKET_ID_ANY, 0);
    }
    const int port = rte_eth_from_rings("several", rings_.data(), count, rings_.data(), 1, 0);
    dpdk_port_ = static_cast<std::uint16_t>(port);
    const rte_eth_conf configuration{};
    rte_eth_dev_configure(dpdk_port_, count, 1, &configuration);
    for (std::uint16_t queue = 0; queue < count; ++queue) {
      rte_eth_rx_queue_setup(dpdk_port_, queue, 256, SOCKET_ID_ANY, nullptr, nullptr);
      queues_.push_back({lan, dpdk_port_, queue});
    }
    rte_eth_tx_queue_setup(dpdk_port_, 0, 256, SOCKET_ID_ANY, nullptr);
    started_ = rte_eth_dev_start(dpdk_port_) == 0;
    lab().worker->set_queues(&queues_);
  }
  SeveralQueues(const SeveralQueues&) = delete;
  SeveralQueues& operator=(const SeveralQueues&) = delete;
  ~SeveralQueues() {
    lab().worker->set_queues(&lab().queues);
    rte_eth_dev_stop(dpdk_port_);
    rte_eth_dev_close(dpdk_port_);
    std::ranges::for_each(rings_, rte_ring_free);
  }

  [[nodiscard]] bool started() const { return started_; }
  void send(unsigned queue, const Bytes& frame) {
    ASSERT_EQ(rte_ring_enqueue(rings_[queue], lab().make_mbuf(frame, {frame.size()})), 0);
  }

 private:
  std::array<rte_ring*, count> rings_{};
  std::uint16_t dpdk_port_ = 0;
  std::vector<forward::RxQueue> queues_;
  bool started_ = false;
};

TEST(Bursts, WhatAPortsQueuesBringGoesOnTogether) {
  struct Case {
    const char* why;
    std::array<unsigned, SeveralQueues::count> waiting;
    std::vector<unsigned> handed;
  };
  const Case cases[] = {
      {"a few of each", {3, 1, 5}, {9}},
      {"one queue has nothing", {4, 0, 2}, {6}},
      {"the last one has nothing", {4, 2, 0}, {6}},
      {"no room for 32 more", {33, 1, 1}, {33, 2}},
      {"room for 32 more", {32, 32, 7}, {64, 7}},
      {"what finds no room comes with the next round", {20, 60, 5}, {64, 5, 16}},
      {"full bursts each", {64, 64, 64}, {64, 64, 64}},
  };
  SeveralQueues several;
  ASSERT_TRUE(several.started());
  Handed handed{spoke};
  for (const auto& [why, waiting, expected] : cases) {
    SCOPED_TRACE(why);
    unsigned id = 0;
    for (unsigned queue = 0; queue < several.count; ++queue) {
      for (unsigned i = 0; i < waiting[queue]; ++i) {
        several.send(queue, packet().to("10.0.5.5").id(u16(id++)).bytes());
      }
    }
    EXPECT_EQ(lab().poll(), id);
    EXPECT_EQ(handed.take(), expected);
    EXPECT_EQ(lab().sent(spoke).size(), id);
    expect_all_accounted(lab());
  }
}

struct Pieces {
  const char* why;
  std::vector<std::size_t> sizes;
  std::optional<DropReason> drop;
};

TEST(Segments, AreForwardedAsTheyAre) {
  const Packet in = packet().to("10.0.5.5").options(Bytes(8, 1)).size(1000);
  const Pieces cases[] = {
      {"one", {1014}, {}},
      {"the header with its options alone", {42, 972}, {}},
      {"three", {100, 1, 913}, {}},
      {"an empty one", {100, 0, 914}, {}},
      {"the options torn", {41, 973}, DropReason::frame_too_short},
      {"the header torn", {33, 981}, DropReason::frame_too_short},
      {"the Ethernet header torn", {13, 1001}, DropReason::frame_too_short},
      {"nothing in the first", {0, 1014}, DropReason::frame_too_short},
  };
  for (const Pieces& c : cases) {
    SCOPED_TRACE(c.why);
    const auto before = c.drop ? lab().drops(lan, *c.drop) : 0;
    lab().send(lan, in.bytes(), c.sizes);
    EXPECT_EQ(lab().poll(), 1U);
    const std::vector<Bytes> nothing;
    EXPECT_EQ(lab().sent(spoke), c.drop ? nothing : std::vector<Bytes>{forwarded_to(vnet_router, in)});
    if (c.drop) {
      EXPECT_EQ(lab().drops(lan, *c.drop), before + 1);
    }
    expect_all_accounted(lab());
  }
}

// A burst is read by sixteens and by fours where it can be: one frame that cannot, at each place among others.
TEST(Segments, OneAmongFramesInOnePiece) {
  struct Odd {
    const char* why;
    Packet in;
    std::vector<std::size_t> sizes;
  };
  const Packet plain = packet().to("10.0.5.5").size(100);
  const Odd odd_ones[] = {
      {"in two pieces", plain, {60, 54}},
      {"with a trailer", Packet(plain).trailer(86), {200}},
      {"with a trailer in a piece of its own", Packet(plain).trailer(86), {114, 86}},
      {"with options", Packet(plain).options(Bytes(8, 1)), {114}},
  };
  for (const Odd& odd : odd_ones) {
    for (const unsigned count : {1U, 4U, 15U, 16U, 17U, 37U, 64U}) {
      for (unsigned place = 0; place < count; ++place) {
        SCOPED_TRACE(testing::Message() << odd.why << ", number " << place << " of " << count);
        const Counts before = lab().counts();
        const auto number = [](const Packet& one, unsigned i) { return Packet(one).id(u16(i)); };
        std::vector<Bytes> expected;
        std::size_t received = 0;
        for (unsigned i = 0; i < count; ++i) {
          const bool is_odd = i == place;
          const Packet in = is_odd ? number(odd.in, i) : number(plain, i).size(u16(60 + i));
          const Bytes frame = in.bytes();
          received += frame.size();
          lab().send(lan, frame, is_odd ? odd.sizes : std::vector{frame.size()});
          expected.push_back(forwarded_to(vnet_router, is_odd ? Packet(in).trailer(0) : in));
        }
        ASSERT_EQ(lab().poll(), count);
        ASSERT_EQ(lab().sent(spoke), expected);
        const Counts after = lab().counts();
        ASSERT_EQ(after.ports[lan].rx_bytes - before.ports[lan].rx_bytes, received);
        ASSERT_EQ(after.ports[spoke].tx_bytes - before.ports[spoke].tx_bytes, bytes_of(expected));
        ASSERT_EQ(after.ports[lan].drops, before.ports[lan].drops);
      }
    }
  }
  expect_all_accounted(lab());
}

TEST(Segments, TheTotalLengthIsHeldAgainstAllOfThem) {
  const Packet liar = packet().to("10.0.5.5").size(500).total_length(501);
  const auto before = lab().drops(lan, DropReason::bad_total_length);
  lab().send(lan, liar.bytes(), {100, 414});
  lab().poll();
  EXPECT_EQ(lab().drops(lan, DropReason::bad_total_length), before + 1);
  expect_all_accounted(lab());
}

TEST(Segments, TrailersAreCutWhereverTheyBegin) {
  const Packet plain = packet().to("10.0.5.5").size(100);
  const Bytes trailed = Packet(plain).trailer(86).bytes();
  for (const std::vector<std::size_t>& sizes : std::vector<std::vector<std::size_t>>{
           {200}, {114, 86}, {113, 1, 86}, {100, 100}, {60, 54, 1, 85}, {150, 50}, {50, 50, 50, 50}}) {
    lab().send(lan, trailed, sizes);
    EXPECT_EQ(lab().poll(), 1U);
    EXPECT_EQ(lab().sent(spoke), std::vector<Bytes>{forwarded_to(vnet_router, plain)});
    expect_all_accounted(lab());
  }
}

}  // namespace
}  // namespace sekisho::test
