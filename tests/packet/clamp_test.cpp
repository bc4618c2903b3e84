// SPDX-License-Identifier: BSD-3-Clause
// What TCP says of its longest segment, where a port of the way clamps it. Every checksum is made anew by the slow road.
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <numeric>

#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

constexpr std::uint8_t only_syn = 0x02, only_syn_ack = 0x12, only_ack = 0x10;
constexpr const char* beyond_the_exit = "20.118.99.224";  // an EXIT route

Bytes says(std::uint16_t mss) {
  return {2, 4, static_cast<std::uint8_t>(mss >> 8), static_cast<std::uint8_t>(mss)};
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

// RFC 9293, 3.1: the sum over a pseudo-header and the segment.
std::uint16_t tcp_sum(const Packet& packet, const Bytes& segment) {
  std::uint64_t sum = (packet.source() >> 16) + (packet.source() & 0xffff) + (packet.destination() >> 16) +
                      (packet.destination() & 0xffff) + 6 + segment.size();
  for (std::size_t at = 0; at < segment.size(); ++at) {
    sum += at % 2 == 0 ? segment[at] * 256U : segment[at];
  }
  while (sum > 0xffff) {
    sum = (sum >> 16) + (sum & 0xffff);
  }
  return static_cast<std::uint16_t>(~sum);
}

// `packet`, now TCP with these flags and options (padded with their end) and some data.
Packet tcp(Packet packet, std::uint8_t flags, Bytes options, std::size_t data = 3) {
  options.resize((options.size() + 3) / 4 * 4);
  Bytes segment{0x9c,
                0x40,
                0x01,
                0xbb,
                1,
                2,
                3,
                4,
                0,
                0,
                0,
                0,
                static_cast<std::uint8_t>((5 + options.size() / 4) << 4),
                flags,
                0xff,
                0xff,
                0,
                0,
                0,
                0};
  segment.insert(segment.end(), options.begin(), options.end());
  segment.resize(segment.size() + data, 0x5a);
  const auto sum = tcp_sum(packet, segment);
  segment[16] = static_cast<std::uint8_t>(sum >> 8);
  segment[17] = static_cast<std::uint8_t>(sum);
  return packet.segment(segment);
}

// From on-premises (port lan) to the VNet (port spoke).
Packet there() {
  return packet().to("10.0.5.5");
}

class Clamp : public testing::Test {
 protected:
  Clamp() {
    state_.clamping.mtus[lan] = 1500;
    state_.clamping.mtus[spoke] = 1400;
    state_.clamping.mtus[narrow] = 600;
    lab().worker->set_state(&state_);
  }
  ~Clamp() override { lab().worker->set_state(&lab().state); }

  void clamps(PortIndex port, std::uint16_t most) {
    state_.clamping.ports |= 1U << port;
    state_.clamping.most[port] = most;
  }
  void clamps_by_mtu(PortIndex port) {
    state_.clamping.ports |= 1U << port;
    state_.clamping.by_mtu |= 1U << port;
  }

  static std::uint64_t clamped() { return lab().worker->counters().ports[lan].mss_clamped.get(); }
  static void passes(const char* why, const Packet& in, const Packet& out) {
    const auto expected = clamped() + (in.bytes() == out.bytes() ? 0 : 1);
    lab().check({why, lan, in.bytes(), Forwarded{spoke}, forwarded_to(vnet_router, out)});
    EXPECT_EQ(clamped(), expected) << why;
  }
  static void passes(const char* why, std::uint16_t in, std::uint16_t out) {
    passes(why, tcp(there(), only_syn, says(in)), tcp(there(), only_syn, says(out)));
  }

  forward::ForwardingState state_ = lab().state;
};

TEST_F(Clamp, OffByDefault) {
  passes("no port clamps", 1460, 1460);
  clamps(egress, 536);
  passes("a port that is not on the way does", 1460, 1460);
}

TEST_F(Clamp, WhatGoesByThePort) {
  clamps(spoke, 1200);
  passes("too much", 1460, 1200);
  passes("one too much", 1201, 1200);
  passes("just right", 1200, 1200);
  passes("less", 536, 536);
  passes("the most that can be said", 65535, 1200);
  passes("the answer", tcp(there(), only_syn_ack, says(1460)), tcp(there(), only_syn_ack, says(1200)));
}

TEST_F(Clamp, WhatComesByThePort) {
  clamps(lan, 1200);
  passes("too much", 1460, 1200);
}

TEST_F(Clamp, TheLeastOfBothPorts) {
  clamps(lan, 1300);
  clamps(spoke, 1250);
  passes("of two numbers", 1460, 1250);
  clamps(spoke, 1350);
  passes("the other way round", 1460, 1300);
}

TEST_F(Clamp, ByTheMtusOfTheWay) {
  clamps_by_mtu(lan);
  passes("the smaller MTU is that of the port that does not clamp", 1460, 1360);
  state_.clamping.mtus[lan] = 1280;
  passes("that of the port that does", 1460, 1240);
  clamps(spoke, 1000);
  passes("and the other port's number", 1460, 1000);
}

TEST_F(Clamp, OptionsAroundIt) {
  clamps(spoke, 1200);
  const auto with = [](const Bytes& before, const Bytes& behind, const char* why) {
    passes(why, tcp(there(), only_syn, joined({before, says(1460), behind})),
           tcp(there(), only_syn, joined({before, says(1200), behind})));
  };
  with({}, {1, 3, 3, 7}, "window scale behind");
  with({1}, {1, 1, 1}, "at an odd place: its bytes are of two words");
  with({3, 3, 7}, {0}, "at another one");
  with({8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1}, {}, "timestamps before");
  with({4, 2}, {}, "SACK permitted before");
  with(Bytes(36, 1), {}, "at the very end of the longest header");
  passes("said twice", tcp(there(), only_syn, joined({says(1460), says(1300)})),
         tcp(there(), only_syn, joined({says(1200), says(1200)})));
}

TEST_F(Clamp, NothingElseIsTouched) {
  clamps(spoke, 1200);
  const auto stays = [](const char* why, const Packet& packet) { passes(why, packet, packet); };
  stays("no SYN", tcp(there(), only_ack, says(1460)));
  stays("nothing said", tcp(there(), only_syn, {}));
  stays("behind the end of the list", tcp(there(), only_syn, joined({{0}, says(1460)})));
  stays("another option of its length", tcp(there(), only_syn, {28, 4, 5, 0xb4}));
  stays("a length that it never has", tcp(there(), only_syn, {2, 3, 5, 0xb4}));
  stays("behind an option of length 0", tcp(there(), only_syn, joined({{5, 0}, says(1460)})));
  stays("behind an option that goes beyond the header",
        tcp(there(), only_syn, joined({{5, 200}, says(1460)})));
  stays("cut", tcp(there(), only_syn, {1, 1, 2, 4}));
  stays("a later fragment", tcp(there(), only_syn, says(1460)).fragment(0x0010));
  Packet udp = tcp(there(), only_syn, says(1460));
  stays("UDP with the same bytes", udp.protocol(17));
  Bytes liar = tcp(there(), only_syn, says(1460)).bytes();
  Bytes short_header(liar.begin() + 34, liar.end());
  short_header[12] = 0x40;  // a header of 16 bytes
  stays("a header that is too short", there().segment(short_header));
  short_header[12] = 0xf0;  // of 60 bytes, of which 27 are there
  passes("one that is longer than the packet", there().segment(short_header), [&] {
    Bytes lowered = short_header;
    const std::uint16_t before = static_cast<std::uint16_t>(lowered[16] << 8 | lowered[17]);
    lowered[22] = 1200 >> 8;
    lowered[23] = 1200 & 0xff;
    const auto sum = static_cast<std::uint16_t>((before + (1460 - 1200)) % 0xffff);
    lowered[16] = static_cast<std::uint8_t>(sum >> 8);
    lowered[17] = static_cast<std::uint8_t>(sum);
    return there().segment(lowered);
  }());
  stays("cut before the flags", there().segment(Bytes(liar.begin() + 34, liar.begin() + 34 + 19)));
}

TEST_F(Clamp, AFirstFragmentSaysIt) {
  clamps(spoke, 1200);
  passes("a first fragment", tcp(there(), only_syn, says(1460)).fragment(0x2000),
         tcp(there(), only_syn, says(1200)).fragment(0x2000));
}

// Whatever the sum was: of every value that the field can have, whichever zero comes of it.
TEST_F(Clamp, TheChecksumHoldsWhateverItWas) {
  clamps(spoke, 88);
  for (unsigned mss = 89; mss <= 0xffff; mss += 977) {
    for (const Bytes& before : {Bytes{}, Bytes{1}}) {
      const auto with = [&](std::uint16_t value) {
        return tcp(there(), only_syn, joined({before, says(value)}));
      };
      passes("a value", with(static_cast<std::uint16_t>(mss)), with(88));
    }
  }
}

TEST_F(Clamp, AmongOthersOfItsBurst) {
  clamps(spoke, 1200);
  std::vector<Bytes> expected;
  for (unsigned at = 0; at < 50; ++at) {
    const auto flags = at % 5 == 0 ? only_syn : only_ack;
    lab().send(lan, tcp(there(), flags, says(1460)).bytes());
    expected.push_back(forwarded_to(vnet_router, tcp(there(), flags, says(flags == only_syn ? 1200 : 1460))));
  }
  const auto before = clamped();
  EXPECT_EQ(lab().poll(), 50U);
  EXPECT_EQ(lab().sent(spoke), expected);
  EXPECT_EQ(clamped(), before + 10);
}

TEST_F(Clamp, BeforeItIsFragmented) {
  clamps_by_mtu(narrow);
  lab().send(lan, tcp(packet().to("100.64.0.1"), only_syn, says(1460), 800).bytes());
  forward::Worker worker{lab().qsbr, {.index = 0}};  // the lab's makes no fragments
  worker.set_state(&state_);
  worker.set_queues(&lab().queues);
  EXPECT_EQ(worker.poll_once(), 1U);
  const auto fragments = lab().sent(narrow);
  ASSERT_EQ(fragments.size(), 2U);
  EXPECT_EQ(Bytes(fragments[0].begin() + 54, fragments[0].begin() + 58), says(560));
}

// What the kernel masquerades leaves by a port, too.
TEST_F(Clamp, TowardsTheExit) {
  rte_ring* const to_host = rte_ring_create("clamped", 8, SOCKET_ID_ANY, 0);
  state_.host[lan] = {.ring = to_host};
  state_.exit_mtu = 1400;
  state_.exit_port = egress;
  state_.clamping.mtus[egress] = 1400;
  clamps_by_mtu(egress);
  const Packet out = tcp(packet().to(beyond_the_exit), only_syn, says(1360));
  lab().send(lan, tcp(packet().to(beyond_the_exit), only_syn, says(1460)).bytes());
  EXPECT_EQ(lab().poll(), 1U);
  void* object = nullptr;
  ASSERT_EQ(rte_ring_dequeue(to_host, &object), 0);
  auto* const mbuf = static_cast<rte_mbuf*>(object);
  const auto* const bytes = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
  const Bytes expected = forwarded_to(gateway, out);
  EXPECT_EQ(Bytes(bytes, bytes + mbuf->data_len), Bytes(expected.begin() + 14, expected.end()));
  rte_pktmbuf_free(mbuf);
  rte_ring_free(to_host);
}

}  // namespace
}  // namespace sekisho::test
