// SPDX-License-Identifier: BSD-3-Clause
// ICMP errors and fragments, as records: why, what comes in, what is counted, what goes out. A worker of the test's own over the
// lab's ports and tables. Bytes are compared with ones that are made from the RFCs here.
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <string>

#include "dataplane/packet/icmp_error.hpp"
#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

using packet::IcmpError;

constexpr Mac own_station{0x02, 0, 0, 0, 0xff, 1};
constexpr Mac sending_station{0x02, 0, 0, 0, 0xff, 2};
constexpr std::uint16_t mtu_of_exit = 1400;
constexpr const char* by_exit = "20.118.99.224";  // an EXIT route

std::uint16_t naive_sum(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    sum += bytes[at] * 256U + (at + 1 < bytes.size() ? bytes[at + 1] : 0U);
    sum = sum > 0xffff ? sum - 0xffff : sum;
  }
  return static_cast<std::uint16_t>(~sum);
}

// RFC 792: type, code, four bytes, and as much of the datagram as fits.
Bytes error_about(const Packet& packet, const char* from, unsigned type, unsigned code,
                  std::uint32_t rest = 0) {
  const Bytes frame = packet.bytes();
  const std::size_t length = frame[16] * 256U + frame[17];
  const std::size_t quoted = std::min<std::size_t>(length, 548);
  Bytes icmp{static_cast<std::uint8_t>(type),
             static_cast<std::uint8_t>(code),
             0,
             0,
             static_cast<std::uint8_t>(rest >> 24),
             static_cast<std::uint8_t>(rest >> 16),
             static_cast<std::uint8_t>(rest >> 8),
             static_cast<std::uint8_t>(rest)};
  icmp.insert(icmp.end(), frame.begin() + 14, frame.begin() + 14 + static_cast<std::ptrdiff_t>(quoted));
  const auto sum = naive_sum(icmp);
  icmp[2] = static_cast<std::uint8_t>(sum >> 8);
  icmp[3] = static_cast<std::uint8_t>(sum);
  const std::uint32_t to = frame[26] << 24 | frame[27] << 16 | frame[28] << 8 | frame[29];
  Bytes out = Packet()
                  .from(from)
                  .to(to)
                  .protocol(1)
                  .tos(static_cast<std::uint8_t>(0xc0 | (frame[15] & 0x1c)))
                  .id(0)
                  .fragment(0x4000)
                  .macs(sending_station, own_station)
                  .size(static_cast<std::uint16_t>(20 + icmp.size()))
                  .bytes();
  std::copy(icmp.begin(), icmp.end(), out.begin() + 34);
  out.resize(std::max<std::size_t>(out.size(), 60));
  return out;
}

class Icmp : public testing::Test {
 protected:
  Icmp() {
    state_.icmp.limits = {.rate = 1'000'000, .rate_per_source = 1'000'000};
    state_.icmp.set(DropReason::ttl_expired, IcmpError::time_exceeded);
    state_.icmp.set(DropReason::mtu_exceeded, IcmpError::fragmentation_needed);
    state_.icmp.set(DropReason::bad_options, IcmpError::parameter_problem);
    state_.icmp.set(DropReason::null_route, IcmpError::prohibited);
    state_.icmp.set(DropReason::no_route, IcmpError::net_unreachable);
    state_.icmp.set(DropReason::next_hop_down, IcmpError::net_unreachable);
    state_.host[lan] = {.ring = to_host_.ring, .address = 0x0a000104};
    state_.host[egress] = {.ring = to_host_.ring, .address = 0x0a000204};
    state_.exit_mtu = mtu_of_exit;
    worker_.set_state(&state_);
    worker_.set_queues(&lab().queues);
    worker_.set_host_queues(&host_queues_);
  }
  ~Icmp() override {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    for (const auto& port : worker_.counters().ports) {
      in += port.rx.packets.get() + port.generated.packets.get();
      out += port.tx.packets.get() + port.host.get();
      for (const auto& drop : port.drops) {
        out += drop.get();
      }
    }
    EXPECT_EQ(in, out) << "rx + generated = tx + host + drops";
    EXPECT_EQ(lab().mbufs_free(), lab().mbufs_total());
  }

  const forward::PortCounters& counted(PortIndex port) { return worker_.counters().ports[port]; }
  std::uint64_t errors(PortIndex port, IcmpError error) {
    return counted(port).icmp[static_cast<std::size_t>(error)].get();
  }
  void poll() {
    while (worker_.poll_once() != 0) {
    }
  }

  void expect_error(const std::string& why, const Packet& in, DropReason reason, IcmpError error,
                    const Bytes& out) {
    SCOPED_TRACE(why);
    const auto drops = counted(lan).drops[static_cast<std::size_t>(reason)].get();
    const auto before = errors(lan, error);
    lab().send(lan, in.bytes());
    poll();
    EXPECT_EQ(counted(lan).drops[static_cast<std::size_t>(reason)].get(), drops + 1);
    EXPECT_EQ(errors(lan, error), before + 1);
    EXPECT_EQ(lab().sent(lan), std::vector<Bytes>{out});
  }
  void expect_silence(const std::string& why, const Bytes& in) {
    SCOPED_TRACE(why);
    const auto before = counted(lan).generated.packets.get();
    lab().send(lan, in);
    poll();
    EXPECT_EQ(counted(lan).generated.packets.get(), before);
    EXPECT_TRUE(lab().sent(lan).empty());
  }
  void expect_silence(const std::string& why, const Packet& in) { expect_silence(why, in.bytes()); }

  struct Ring {
    explicit Ring(const char* name) : ring(rte_ring_create(name, 64, SOCKET_ID_ANY, 0)) {}
    ~Ring() { rte_ring_free(ring); }
    Bytes take() const {
      void* object = nullptr;
      if (rte_ring_dequeue(ring, &object) != 0) {
        return {};
      }
      auto* const mbuf = static_cast<rte_mbuf*>(object);
      const auto* const data = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
      Bytes bytes(data, data + mbuf->data_len);
      rte_pktmbuf_free(mbuf);
      return bytes;
    }
    rte_ring* ring;
  };

  forward::ForwardingState state_ = lab().state;
  Ring to_host_{"icmp_to_host"};
  Ring from_host_{"icmp_from_host"};
  std::vector<forward::HostQueue> host_queues_;
  forward::Worker worker_{lab().qsbr, {.index = 0}};
};

TEST_F(Icmp, TellsWhyAPacketGoesNoFurther) {
  const auto expired = packet().ttl(1).size(40);
  expect_error("at the end of its life", expired, DropReason::ttl_expired, IcmpError::time_exceeded,
               error_about(expired, "10.0.1.4", 11, 0));
  const auto zero = packet().ttl(0).tos(0xbb);
  expect_error("beyond it; the old TOS without ECN", zero, DropReason::ttl_expired, IcmpError::time_exceeded,
               error_about(zero, "10.0.1.4", 11, 0));
  const auto longer = packet().to("10.1.2.3").size(1500);
  expect_error("a route of type None; 548 bytes are quoted", longer, DropReason::null_route,
               IcmpError::prohibited, error_about(longer, "10.0.1.4", 3, 13));
  const auto odd = packet().to("10.1.2.3").size(61).options({1, 1, 1, 0});
  expect_error("an odd length, and options", odd, DropReason::null_route, IcmpError::prohibited,
               error_about(odd, "10.0.1.4", 3, 13));
  const auto nowhere = Packet().from("10.0.5.5").to("9.9.9.9");
  expect_error("no route", nowhere, DropReason::no_route, IcmpError::net_unreachable,
               error_about(nowhere, "10.0.1.4", 3, 0));
  const auto dead = packet().to("203.0.113.1");
  expect_error("no living member", dead, DropReason::next_hop_down, IcmpError::net_unreachable,
               error_about(dead, "10.0.1.4", 3, 0));
  const auto stays = packet().to("10.0.5.5").size(1501).fragment(0x4000);
  expect_error("too long, and not to be fragmented: the next hop's MTU", stays, DropReason::mtu_exceeded,
               IcmpError::fragmentation_needed, error_about(stays, "10.0.1.4", 3, 4, 1500));
  const auto narrower = packet().to("100.64.0.1").size(601).fragment(0x4000);
  expect_error("a smaller one", narrower, DropReason::mtu_exceeded, IcmpError::fragmentation_needed,
               error_about(narrower, "10.0.1.4", 3, 4, 600));
  const auto leaves = packet().to(by_exit).size(1401).fragment(0x4000);
  expect_error("the exit's", leaves, DropReason::mtu_exceeded, IcmpError::fragmentation_needed,
               error_about(leaves, "10.0.1.4", 3, 4, mtu_of_exit));
  const auto first = packet().ttl(1).fragment(0x2000);
  expect_error("the first fragment", first, DropReason::ttl_expired, IcmpError::time_exceeded,
               error_about(first, "10.0.1.4", 11, 0));
  auto ping = packet().ttl(1).protocol(1);
  Bytes echo = ping.bytes();
  echo[34] = 8;
  lab().send(lan, echo);
  poll();
  EXPECT_EQ(lab().sent(lan).size(), 1U) << "a ping is no error";
  const auto trailed = packet().ttl(1).size(40).trailer(20);
  expect_error("what follows the datagram is not quoted", trailed, DropReason::ttl_expired,
               IcmpError::time_exceeded, error_about(trailed, "10.0.1.4", 11, 0));
}

// RFC 1812, 4.3.2.7.
// RFC 792: the pointer is in the first of the four bytes.
TEST_F(Icmp, TellsWhatIsWrongWithTheOptions) {
  const auto expect = [this](const char* why, Bytes options, unsigned at) {
    const auto in = packet().options(std::move(options)).size(80);
    expect_error(why, in, DropReason::bad_options, IcmpError::parameter_problem,
                 error_about(in, "10.0.1.4", 12, 0, at << 24));
  };
  expect("a length of nothing", {1, 222, 0, 0}, 22);
  expect("a length beyond the header", {222, 9, 0, 0}, 21);
  expect("a record route with room for half an address", {7, 5, 4, 0, 0, 0, 0, 0}, 22);
  expect_silence("an obsolete one", packet().options({136, 4, 0, 0}));
  expect_silence("a source route", packet().options({131, 3, 4, 0}));
}

TEST_F(Icmp, SaysNothingWhereItMustNot) {
  for (const unsigned type : {3U, 4U, 5U, 11U, 12U, 19U, 200U}) {
    expect_silence("an ICMP error, or what might be one: " + std::to_string(type),
                   packet().ttl(1).icmp_error(type, packet()));
  }
  expect_silence("a fragment that is not the first", packet().ttl(1).fragment(1));
  expect_silence("the last one", packet().ttl(1).fragment(0x0fff));
  expect_silence("ICMP without a type", packet().ttl(1).protocol(1).size(20));
  expect_silence("a link broadcast",
                 packet().ttl(1).macs({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, sending_station));
  expect_silence("multicast", packet().ttl(1).to("224.0.0.5"));
  expect_silence("limited broadcast", packet().ttl(1).to("255.255.255.255"));
  expect_silence("a martian source", packet().ttl(1).from("127.0.0.1"));
  expect_silence("none at all", packet().ttl(1).from("0.0.0.0"));
  expect_silence("class E", packet().ttl(1).from("240.0.0.1"));
  expect_silence("a spoofed source, unless it is configured", packet().from("8.8.8.8"));
  expect_silence("a source of no zone", packet().from("9.9.9.9"));
  expect_silence("a wrong checksum", packet().ttl(1).checksum(1));
  state_.host[lan].address = 0;
  expect_silence("a port without an address", packet().ttl(1));
  state_.icmp = {};
  state_.host[lan].address = 0x0a000104;
  expect_silence("unless it is configured", packet().ttl(1));
}

TEST_F(Icmp, SaysNoMoreThanItsLimits) {
  state_.icmp.limits = {.rate = 1'000'000, .rate_per_source = 3, .source_length = 24};
  for (unsigned i = 0; i < 10; ++i) {
    lab().send(lan, packet().ttl(1).from(0xac10'0001 + i).bytes());
  }
  poll();
  EXPECT_EQ(lab().sent(lan).size(), 3U) << "of a source prefix";
  EXPECT_EQ(counted(lan).icmp_limited.get(), 7U);
  lab().send(lan, packet().ttl(1).from("172.17.9.1").bytes());
  poll();
  EXPECT_EQ(lab().sent(lan).size(), 1U) << "another is not held for it";
  state_.icmp.limits = {.rate = 5, .rate_per_source = 1'000'000, .source_length = 32};
  forward::Worker fresh{lab().qsbr, {.index = 0}};
  fresh.set_state(&state_);
  fresh.set_queues(&lab().queues);
  for (unsigned i = 0; i < 20; ++i) {
    lab().send(lan, packet().ttl(1).from(0xac10'0001 + i * 256).bytes());
  }
  while (fresh.poll_once() != 0) {
  }
  EXPECT_EQ(lab().sent(lan).size(), 5U) << "of a worker";
}

TEST_F(Icmp, AFullPortLosesErrorsByName) {
  state_.host[narrow] = {.ring = nullptr, .address = 0x0a000304};
  state_.zone(onprem_zone).ports |= 1U << narrow;
  for (unsigned i = 0; i < narrow_capacity + 4; ++i) {
    lab().send(narrow, packet().ttl(1).bytes());
  }
  poll();
  EXPECT_EQ(lab().sent(narrow).size(), narrow_capacity);
  EXPECT_EQ(counted(narrow).drops[static_cast<std::size_t>(DropReason::transmit_full)].get(), 4U);
}

TEST_F(Icmp, WhatCameByTheExitIsToldThroughIt) {
  auto port = lab().queues[egress];
  port.generated = true;
  host_queues_ = {{.port = port, .ring = from_host_.ring, .judged = true}};
  const Packet reply = Packet().from("8.8.8.8").to("172.16.0.1").ttl(1);
  lab().send(lan, Packet(reply).ether_type(0x0806).bytes());
  state_.host[lan].companion = true;
  worker_.poll_once();
  void* object = nullptr;
  ASSERT_EQ(rte_ring_dequeue(to_host_.ring, &object), 0);
  const Bytes bytes = reply.bytes();
  std::copy(bytes.begin(), bytes.end(), rte_pktmbuf_mtod(static_cast<rte_mbuf*>(object), std::uint8_t*));
  ASSERT_EQ(rte_ring_enqueue(from_host_.ring, object), 0);
  poll();
  const Bytes error = error_about(reply, "172.16.0.1", 11, 0);
  Bytes told = to_host_.take();
  told.resize(error.size() - 14);
  EXPECT_EQ(told, Bytes(error.begin() + 14, error.end()))
      << "from whom the packet was for: the kernel translates it";
  EXPECT_TRUE(lab().sent(egress).empty());
}

// The pieces of a datagram put together again.
Bytes joined(const std::vector<Bytes>& frames) {
  Bytes data;
  for (const auto& frame : frames) {
    const std::size_t header = 14 + (frame[14] & 0x0fU) * 4;
    const std::size_t length = frame[16] * 256U + frame[17];
    const std::size_t offset = (frame[20] * 256U + frame[21]) % 0x2000 * 8;
    data.resize(std::max(data.size(), offset + length + 14 - header));
    std::copy(frame.begin() + static_cast<std::ptrdiff_t>(header),
              frame.begin() + 14 + static_cast<std::ptrdiff_t>(length),
              data.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  return data;
}

TEST_F(Icmp, FragmentsWhatMayBe) {
  const Packet in = packet().to("100.64.0.1").size(1501).tos(0x2e).id(0x7777).trailer(9);
  const Bytes whole = in.bytes();
  lab().send(lan, whole);
  poll();
  const auto out = lab().sent(narrow);
  ASSERT_EQ(out.size(), 3U);
  unsigned offset = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool last = i + 1 == out.size();
    const std::uint16_t length = last ? 1501 - 2 * 576 : 596;
    const Bytes header = Packet(in)
                             .size(length)
                             .trailer(0)
                             .ttl(63)
                             .fragment(static_cast<std::uint16_t>(offset / 8 | (last ? 0U : 0x2000U)))
                             .macs(mac_of(narrow_router), mac_of_port(narrow))
                             .bytes();
    EXPECT_EQ(out[i].size(), 14U + length);
    EXPECT_TRUE(std::equal(header.begin(), header.begin() + 34, out[i].begin())) << "fragment " << i;
    offset += length - 20U;
  }
  EXPECT_EQ(joined(out), Bytes(whole.begin() + 34, whole.end() - 9));
  EXPECT_EQ(counted(lan).fragmented.get(), 1U);
  EXPECT_EQ(counted(lan).fragments.get(), 3U);
  EXPECT_EQ(counted(narrow).generated.packets.get(), 2U);
  EXPECT_EQ(counted(narrow).tx.packets.get(), 3U);
  EXPECT_EQ(worker_.counters().adjacencies[narrow_router].packets.get(), 3U);
}

TEST_F(Icmp, AFragmentIsFragmentedAgain) {
  const Packet in = packet().to("100.64.0.1").size(1000).fragment(0x2000 | 100);
  const Bytes whole = in.bytes();
  lab().send(lan, whole);
  poll();
  const auto out = lab().sent(narrow);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0][20] * 256U + out[0][21], 0x2000U | 100);
  EXPECT_EQ(out[1][20] * 256U + out[1][21], 0x2000U | (100 + 576 / 8)) << "more follow, as before";
}

// Payload of the sender's would become the header of a first fragment, or of a whole datagram.
TEST_F(Icmp, AnOffsetDoesNotRunOverIntoTheFlags) {
  for (const std::uint16_t flags : {std::uint16_t{0x1fb8}, std::uint16_t{0x3fb8}}) {
    lab().send(lan, packet().to("100.64.0.1").size(1000).fragment(flags).bytes());
    poll();
    EXPECT_TRUE(lab().sent(narrow).empty());
  }
  EXPECT_EQ(counted(lan).drops[static_cast<std::size_t>(DropReason::mtu_exceeded)].get(), 2U);
}

// RFC 791, 3.1: an option whose first bit is set is copied into all fragments, another stays with the first.
TEST_F(Icmp, OptionsGoWhereTheyBelong) {
  const Packet in = packet().to("100.64.0.1").size(1000).options({0x94, 4, 0, 0, 7, 3, 4, 0});
  lab().send(lan, in.bytes());
  poll();
  const auto out = lab().sent(narrow);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0][14], 0x47);
  EXPECT_EQ(Bytes(out[0].begin() + 34, out[0].begin() + 42), (Bytes{0x94, 4, 0, 0, 7, 3, 4, 0}));
  EXPECT_EQ(out[1][14], 0x46);
  EXPECT_EQ(Bytes(out[1].begin() + 34, out[1].begin() + 38), (Bytes{0x94, 4, 0, 0}));
  const Bytes data = in.bytes();
  EXPECT_EQ(joined(out), Bytes(data.begin() + 42, data.end()));
}

TEST_F(Icmp, FragmentsThroughTheExit) {
  const Packet in = packet().to(by_exit).size(1500);
  const Bytes whole = in.bytes();
  lab().send(lan, whole);
  poll();
  std::vector<Bytes> out;
  for (Bytes piece = to_host_.take(); !piece.empty(); piece = to_host_.take()) {
    Bytes frame(14);
    frame.insert(frame.end(), piece.begin(), piece.end());
    EXPECT_LE(piece.size(), mtu_of_exit);
    out.push_back(std::move(frame));
  }
  EXPECT_EQ(out.size(), 2U);
  EXPECT_EQ(joined(out), Bytes(whole.begin() + 34, whole.end()));
  EXPECT_EQ(counted(lan).host.get(), 2U);
  EXPECT_EQ(counted(lan).generated.packets.get(), 1U);
}

TEST_F(Icmp, FragmentsThatFindNoRoomAreCounted) {
  for (unsigned i = 0; i < 4; ++i) {
    lab().send(lan, packet().to("100.64.0.1").size(1500).bytes());
  }
  poll();
  EXPECT_EQ(lab().sent(narrow).size(), narrow_capacity);
  EXPECT_EQ(counted(lan).drops[static_cast<std::size_t>(DropReason::transmit_full)].get(),
            12 - narrow_capacity);
}

TEST_F(Icmp, ShortAndLongPacketsOfABurst) {
  for (unsigned i = 0; i < 20; ++i) {
    lab().send(lan, packet().to("10.0.5.5").size(i % 3 == 0 ? 1600 : 100).ttl(i % 5 == 0 ? 1 : 9).bytes());
  }
  poll();
  EXPECT_EQ(lab().sent(lan).size(), 4U);
  EXPECT_EQ(lab().sent(spoke).size(), 11U + 2 * 5U);
}

}  // namespace
}  // namespace sekisho::test
