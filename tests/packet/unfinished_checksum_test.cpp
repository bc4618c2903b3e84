// SPDX-License-Identifier: BSD-3-Clause
// Packets whose TCP checksum their sender left to a device: which are looked at, and what is counted.
#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

// The sum of the pseudo-header where the checksum belongs, as Linux leaves it (CHECKSUM_PARTIAL).
Bytes unfinished(const Packet& packet) {
  Bytes bytes = packet.bytes();
  constexpr std::size_t addresses = 14 + 12;
  constexpr std::size_t field = 14 + 20 + 16;
  const std::size_t length = bytes[16] * 256U + bytes[17] - 20U;
  std::uint32_t sum = 6 + static_cast<std::uint32_t>(length);
  for (std::size_t at = addresses; at < addresses + 8; at += 2) {
    sum += bytes[at] * 256U + bytes[at + 1];
  }
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  bytes[field] = static_cast<std::uint8_t>(sum >> 8);
  bytes[field + 1] = static_cast<std::uint8_t>(sum);
  return bytes;
}

Packet syn() {
  return packet().to("10.0.5.5").tcp(40'000, 80).size(40);
}

std::uint64_t counted(PortIndex port) {
  return lab().worker->counters().ports[port].unfinished_checksums.get();
}

TEST(UnfinishedChecksum, IsSeenInTheFirstPacketAfterAPause) {
  lab().poll();
  const auto before = counted(lan);
  lab().send(lan, unfinished(syn()));
  lab().poll();
  EXPECT_EQ(counted(lan), before + 1);
  EXPECT_EQ(lab().sent(spoke).size(), 1U) << "it goes its way all the same";
}

TEST(UnfinishedChecksum, IsLookedForOnceABurst) {
  lab().poll();
  const auto before = counted(lan);
  for (unsigned i = 0; i < 5; ++i) {
    lab().send(lan, unfinished(syn()));
  }
  lab().poll();
  EXPECT_EQ(counted(lan), before + 1);
  EXPECT_EQ(lab().sent(spoke).size(), 5U);
}

TEST(UnfinishedChecksum, IsLookedForBehindWhatHasNone) {
  lab().poll();
  const auto before = counted(lan);
  lab().send(lan, packet().to("10.0.5.5").protocol(47).bytes());
  lab().send(lan, packet().ether_type(0x88cc).bytes());
  lab().send(lan, unfinished(syn()));
  lab().poll();
  EXPECT_EQ(counted(lan), before + 1);
  (void)lab().sent(spoke);
}

TEST(UnfinishedChecksum, IsNoneInAPieceOfAPacketOrInAFinishedOne) {
  const auto before = counted(lan);
  const auto whole = unfinished(syn().size(1'000));
  lab().poll();
  lab().send(lan, whole, {100, whole.size() - 100});
  lab().poll();
  lab().send(lan, syn().bytes());
  lab().poll();
  EXPECT_EQ(counted(lan), before);
  (void)lab().sent(spoke);
}

}  // namespace
}  // namespace sekisho::test
