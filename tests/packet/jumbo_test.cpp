// SPDX-License-Identifier: BSD-3-Clause
// Packets of up to 9,000 bytes, as a NIC brings them: in one buffer, or in several of the usual size. What comes out is the same.
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <numeric>

#include "dataplane/forward/capture.hpp"
#include "dataplane/packet/icmp_error.hpp"
#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

constexpr std::size_t room = RTE_MBUF_DEFAULT_DATAROOM;  // of a usual buffer, for a frame
constexpr std::uint16_t longest = 9'000;

class Jumbo : public testing::TestWithParam<bool> {
 protected:
  Jumbo() : usual_{rte_pktmbuf_pool_create("usual", 255, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY)} {
    state_.host[lan] = {.address = 0x0a000104};
    state_.icmp.limits = {.rate = 1'000'000, .rate_per_source = 1'000'000};
    state_.icmp.set(DropReason::ttl_expired, packet::IcmpError::time_exceeded);
    state_.icmp.set(DropReason::mtu_exceeded, packet::IcmpError::fragmentation_needed);
    worker_.set_state(&state_);
    worker_.set_queues(&lab().queues);
    set_mtu(longest);
  }
  ~Jumbo() override {
    set_mtu(1500);
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    for (const auto& port : worker_.counters().ports) {
      in += port.rx.packets.get() + port.generated.packets.get();
      out += port.tx.packets.get();
      for (const auto& drop : port.drops) {
        out += drop.get();
      }
    }
    EXPECT_EQ(in, out) << "rx + generated = tx + drops";
    EXPECT_EQ(lab().mbufs_free(), lab().mbufs_total());
    EXPECT_EQ(rte_mempool_avail_count(usual_), 255U);
    rte_mempool_free(usual_);
  }

  static void set_mtu(std::uint16_t mtu) {
    auto adjacency = lab().next_hops.adjacency(vnet_router);
    adjacency.mtu = mtu;
    lab().next_hops.set_adjacency(vnet_router, adjacency);
  }
  static Packet there() { return packet().to("10.0.5.5"); }

  // How it comes is the test's parameter.
  void send(const Packet& packet) {
    const Bytes frame = packet.bytes();
    if (GetParam()) {
      send_in_pieces(frame);
    } else {
      lab().send(lan, frame);
    }
    while (worker_.poll_once() != 0) {
    }
  }

  // Each buffer is full but the last, as a NIC leaves them.
  void send_in_pieces(const Bytes& frame) {
    rte_mbuf* head = nullptr;
    for (std::size_t at = 0; at < frame.size(); at += room) {
      const std::size_t size = std::min(room, frame.size() - at);
      rte_mbuf* const piece = rte_pktmbuf_alloc(usual_);
      ASSERT_NE(piece, nullptr);
      std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at), size,
                  rte_pktmbuf_append(piece, static_cast<std::uint16_t>(size)));
      ASSERT_TRUE(head == nullptr || rte_pktmbuf_chain(head, piece) == 0);
      head = head == nullptr ? piece : head;
    }
    ASSERT_EQ(rte_ring_enqueue(rte_ring_lookup("lan_in"), head), 0);
  }

  rte_mempool* usual_;
  forward::ForwardingState state_ = lab().state;
  forward::Worker worker_{lab().qsbr, {.index = 0}};
};

INSTANTIATE_TEST_SUITE_P(Buffers, Jumbo, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Several" : "One"; });

TEST_P(Jumbo, LeavesAsItCame) {
  constexpr std::uint16_t sizes[] = {1'500, 2'033, 2'034, 2'035, 4'082, 4'083, 8'999, longest};
  for (const auto size : sizes) {
    SCOPED_TRACE(size);
    send(there().size(size));
    EXPECT_EQ(lab().sent(spoke), std::vector<Bytes>{forwarded_to(vnet_router, there().size(size))});
  }
  send(there().size(longest).options(Bytes(40, 1)));
  EXPECT_EQ(lab().sent(spoke),
            std::vector<Bytes>{forwarded_to(vnet_router, there().size(longest).options(Bytes(40, 1)))});
}

// RFC 792: the datagram's header and what follows it, wherever that lies.
TEST_P(Jumbo, IsAnsweredWithItsBeginning) {
  for (const auto& in : {there().size(longest).ttl(1), there().size(longest + 1).fragment(0x4000)}) {
    send(in);
    const auto out = lab().sent(lan);
    ASSERT_EQ(out.size(), 1U);
    const Bytes sent = in.bytes();
    ASSERT_EQ(out[0].size(), 14U + 576U);
    EXPECT_EQ(Bytes(out[0].begin() + 42, out[0].end()), Bytes(sent.begin() + 14, sent.begin() + 14 + 548));
    EXPECT_EQ(out[0][34], in.ttl() == 1 ? 11 : 3);
    EXPECT_EQ(out[0][40] * 256 + out[0][41], in.ttl() == 1 ? 0 : longest) << "the MTU";
  }
  // What is quoted begins in one buffer and ends in another.
  const Bytes sent = there().size(600).ttl(1).bytes();
  lab().send(lan, sent, {300, 314});
  while (worker_.poll_once() != 0) {
  }
  const auto out = lab().sent(lan);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(Bytes(out[0].begin() + 42, out[0].end()), Bytes(sent.begin() + 14, sent.begin() + 14 + 548));
}

// Fragments are in a buffer each, also where the port's MTU is more than a usual one takes. To an MTU of some bytes more than that
// library's check would let a fragment's header be in front of a full buffer's data.
TEST_P(Jumbo, IsDividedIntoWhatABufferTakes) {
  std::vector<std::uint16_t> mtus(40);
  std::iota(mtus.begin(), mtus.end(), static_cast<std::uint16_t>(room - 4));
  mtus.insert(mtus.end(), {1'280, 1'500, 1'774, 3'498, 4'000, 8'996});
  const Packet in = there().size(longest).id(0x4711);
  const Bytes whole = in.bytes();
  for (const std::uint16_t mtu : mtus) {
    SCOPED_TRACE(mtu);
    set_mtu(mtu);
    send(in);
    Bytes data;
    const auto out = lab().sent(spoke);
    for (const Bytes& frame : out) {
      const std::size_t length = frame[16] * 256U + frame[17];
      EXPECT_LE(length, GetParam() ? std::min<std::size_t>(mtu, room) : mtu);
      EXPECT_EQ(frame.size(), std::max<std::size_t>(length + 14, 60));
      EXPECT_EQ(data.size(), (frame[20] * 256U + frame[21]) % 0x2000 * 8) << "they follow each other";
      EXPECT_EQ(header_checksum(&frame[14], 20), frame[24] * 256 + frame[25]);
      data.insert(data.end(), frame.begin() + 34, frame.begin() + static_cast<std::ptrdiff_t>(14 + length));
    }
    EXPECT_GE(out.size(), 2U);
    EXPECT_EQ(data, Bytes(whole.begin() + 34, whole.end()));
  }
  EXPECT_EQ(worker_.counters().ports[lan].fragmented.get(), mtus.size());
}

// More than as many buffers take as a packet is divided into: its sender is told, whatever the port's MTU is.
TEST_P(Jumbo, IsTooLongForItsFragmentsBuffers) {
  constexpr std::uint16_t most = 20 + decide::max_fragments * 2'024;
  static_assert(most == 16'212);
  send_in_pieces(there().size(most).id(0x4711).bytes());
  while (worker_.poll_once() != 0) {
  }
  EXPECT_EQ(lab().sent(spoke).size(), decide::max_fragments);
  EXPECT_EQ(worker_.counters().ports[lan].fragments.get(), decide::max_fragments);
  const auto& dropped =
      worker_.counters().ports[lan].drops[static_cast<std::size_t>(DropReason::mtu_exceeded)];
  std::uint64_t count = 0;
  for (const std::uint16_t size : {std::uint16_t{most + 1}, std::uint16_t{60'000}}) {
    SCOPED_TRACE(size);
    send_in_pieces(there().size(size).id(0x4711).bytes());
    while (worker_.poll_once() != 0) {
    }
    EXPECT_TRUE(lab().sent(spoke).empty());
    EXPECT_EQ(dropped.get(), ++count);
    const auto out = lab().sent(lan);
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0][34], 3);
    EXPECT_EQ(out[0][40] * 256 + out[0][41], longest) << "the MTU";
  }
}

TEST_P(Jumbo, SaysItsLongestSegmentAsAnyOther) {
  state_.clamping.ports = state_.clamping.by_mtu = forward::PortMask{1} << spoke;
  state_.clamping.mtus[lan] = state_.clamping.mtus[spoke] = longest;
  Bytes syn{0x9c, 0x40, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 0xff, 0xff};
  syn.resize(8'000, 0x5a);
  send(there().segment(syn));
  const auto out = lab().sent(spoke);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(Bytes(out[0].begin() + 54, out[0].begin() + 58), (Bytes{2, 4, 0x23, 0x00})) << "8,960";
  EXPECT_EQ(Bytes(out[0].begin() + 58, out[0].end()), Bytes(syn.begin() + 24, syn.end()));
}

TEST_P(Jumbo, IsCapturedWhole) {
  auto capture = forward::Capture::create(
      {.snap_length = forward::Capture::longest_snap, .wanted = {true, true, true, false}});
  ASSERT_TRUE(capture);
  (*capture)->set_ports(~forward::PortMask{0});
  state_.capture = capture->get();
  const Packet in = there().size(longest);
  send(in);
  std::vector<Bytes> copies;
  (*capture)->read(10, [&](const forward::Capture::Packet& copy) {
    copies.emplace_back(copy.bytes().begin(), copy.bytes().end());
  });
  EXPECT_EQ(copies, (std::vector<Bytes>{in.bytes(), forwarded_to(vnet_router, in)}));
  EXPECT_EQ(lab().sent(spoke).size(), 1U);
}

}  // namespace
}  // namespace sekisho::test
