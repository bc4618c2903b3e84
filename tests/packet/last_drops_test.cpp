// SPDX-License-Identifier: BSD-3-Clause
// Which packets `show drops --last` can show: the newest of each reason, as they came.
#include <rte_mbuf.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

using forward::DroppedPacket;
using forward::LastDrops;

constexpr unsigned kept = LastDrops::kept;

// The source ports of what is noted for a reason, the oldest first.
std::vector<unsigned> source_ports(const LastDrops& drops, DropReason reason) {
  std::vector<std::pair<std::uint64_t, unsigned>> found;
  drops.read([&](const DroppedPacket& packet) {
    if (packet.reason == reason) {
      found.emplace_back(packet.at, packet.frame[34] << 8 | packet.frame[35]);
    }
  });
  std::ranges::sort(found);
  std::vector<unsigned> result;
  std::ranges::transform(found, std::back_inserter(result), [](const auto& each) { return each.second; });
  return result;
}

std::vector<unsigned> numbers(unsigned first, unsigned count) {
  std::vector<unsigned> result(count);
  for (unsigned i = 0; i < count; ++i) {
    result[i] = first + i;
  }
  return result;
}

Packet of_nobody(unsigned number) {
  return packet().from("203.0.113.7").udp(static_cast<std::uint16_t>(number), 53);
}

TEST(LastDrops, AreTheNewestOfSeveralBursts) {
  for (unsigned number = 100; number < 100 + 3 * kept; ++number) {
    lab().send(lan, of_nobody(number).bytes());
    lab().poll();
  }
  EXPECT_EQ(source_ports(lab().worker->last_drops(), DropReason::unknown_source),
            numbers(100 + 2 * kept, kept));
}

TEST(LastDrops, AreTheNewestOfOneBurst) {
  for (unsigned number = 500; number < 540; ++number) {
    lab().send(lan, of_nobody(number).bytes());
  }
  lab().poll();
  EXPECT_EQ(source_ports(lab().worker->last_drops(), DropReason::unknown_source), numbers(540 - kept, kept));
}

TEST(LastDrops, OfAReasonOutliveAFloodOfAnother) {
  for (unsigned number = 700; number < 700 + kept; ++number) {
    lab().send(lan, packet().ttl(1).udp(static_cast<std::uint16_t>(number), 53).bytes());
    lab().poll();
  }
  for (unsigned number = 0; number < 200; ++number) {
    lab().send(lan, of_nobody(number).bytes());
    lab().poll();
  }
  EXPECT_EQ(source_ports(lab().worker->last_drops(), DropReason::ttl_expired), numbers(700, kept));
}

TEST(LastDrops, AreNoForwardedPackets) {
  const auto count = [] {
    unsigned result = 0;
    lab().worker->last_drops().read([&](const DroppedPacket&) { ++result; });
    return result;
  };
  const auto before = count();
  lab().send(lan, packet().bytes());
  lab().poll();
  EXPECT_EQ(count(), before);
  (void)lab().sent(egress);
}

TEST(LastDrops, OfAPortAreForgottenWithIt) {
  lab().send(spoke, of_nobody(1).bytes());
  lab().send(lan, of_nobody(2).bytes());
  lab().poll();
  lab().worker->last_drops().forget(spoke);
  lab().worker->last_drops().read([](const DroppedPacket& packet) { EXPECT_NE(packet.port, spoke); });
  EXPECT_EQ(source_ports(lab().worker->last_drops(), DropReason::unknown_source).back(), 2U);
  lab().send(spoke, of_nobody(3).bytes());
  lab().poll();
  EXPECT_EQ(source_ports(lab().worker->last_drops(), DropReason::unknown_source).back(), 3U);
}

// Each frame consists of one byte over and over: a torn one would have two.
TEST(LastDrops, AreReadWholeWhileAWorkerNotes) {
  rte_mbuf mbuf{};
  std::array<std::uint8_t, 128> buffer{};
  mbuf.buf_addr = buffer.data();
  mbuf.pkt_len = mbuf.data_len = buffer.size();
  LastDrops drops;
  std::atomic<bool> stop{false};
  std::thread worker([&] {
    for (std::uint8_t value = 1; !stop.load(std::memory_order_relaxed); ++value) {
      buffer.fill(value);
      rte_mbuf* const frame = &mbuf;
      const DropReason reason = DropReason::no_route;
      drops.note({.port = static_cast<PortIndex>(value % 32)}, {&frame, 1}, {&reason, 1});
    }
  });
  std::map<unsigned, unsigned> seen;
  while (seen.size() < 100) {
    drops.read([&](const DroppedPacket& packet) {
      ++seen[packet.frame[0]];
      EXPECT_TRUE(
          std::ranges::all_of(packet.frame, [&](std::uint8_t byte) { return byte == packet.frame[0]; }));
      EXPECT_EQ(packet.port, packet.frame[0] % 32);
      EXPECT_EQ(packet.size, 128U);
    });
    std::this_thread::yield();
  }
  stop = true;
  worker.join();
}

}  // namespace
}  // namespace sekisho::test
