// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "control/netlink/last_macs.hpp"

namespace sekisho::netlink {
namespace {

constexpr std::uint32_t peer_address = 0x0a090002;
constexpr base::MacAddress peer_mac = {0x02, 0x00, 0x00, 0x00, 0x09, 0x02};

TEST(LastMacs, AFailedNeighbourIsForgottenThoughItsEntryGoesLater) {
  std::map<NeighbourKey, base::MacAddress> serving;
  LastMacs macs{serving};
  const NeighbourKey key{1, peer_address};
  const Neighbour good{.state = "REACHABLE", .usable = true, .mac = peer_mac};
  const Neighbour failed{.state = "FAILED"};
  const LastMacs::Time start{};
  macs.hear(key, &good, &failed, start);
  EXPECT_EQ(serving.size(), 1u) << "that may be a removal, of which the other half is still to come";
  macs.hear(key, &failed, &failed, start + LastMacs::removal / 2);
  EXPECT_EQ(macs.settle(start + LastMacs::removal / 2), start + LastMacs::removal);
  EXPECT_EQ(serving.size(), 1u);
  EXPECT_EQ(macs.settle(start + LastMacs::removal), std::nullopt);
  EXPECT_TRUE(serving.empty());
  macs.hear(key, &failed, nullptr, start + 2 * LastMacs::removal);
  EXPECT_TRUE(serving.empty());
}

// Whoever is asked again at once must not serve for ever.
TEST(LastMacs, AFailedNeighbourThatIsAskedAgainIsForgotten) {
  std::map<NeighbourKey, base::MacAddress> serving;
  LastMacs macs{serving};
  const NeighbourKey key{1, peer_address};
  const Neighbour good{.state = "REACHABLE", .usable = true, .mac = peer_mac};
  const Neighbour failed{.state = "FAILED"};
  const Neighbour incomplete{.state = "INCOMPLETE"};
  const LastMacs::Time start{};
  macs.hear(key, &good, &failed, start);
  macs.hear(key, &failed, &incomplete, start + LastMacs::removal / 2);
  EXPECT_EQ(macs.settle(start + LastMacs::removal), std::nullopt);
  EXPECT_TRUE(serving.empty());
}

TEST(LastMacs, SecondFlushWhileItIsBeingResolved) {
  std::map<NeighbourKey, base::MacAddress> serving;
  LastMacs macs{serving};
  const NeighbourKey key{1, peer_address};
  const Neighbour good{.state = "STALE", .usable = true, .mac = peer_mac};
  const Neighbour failed{.state = "FAILED"};
  const Neighbour incomplete{.state = "INCOMPLETE"};
  const LastMacs::Time start{};
  macs.hear(key, &good, &failed, start);
  macs.hear(key, &failed, nullptr, start);
  EXPECT_EQ(serving.size(), 1u);
  macs.hear(key, nullptr, &incomplete, start);
  EXPECT_EQ(serving.size(), 1u);
  macs.hear(key, &incomplete, &failed, start);
  macs.hear(key, &failed, nullptr, start);
  EXPECT_EQ(serving.size(), 1u);
  macs.hear(key, nullptr, &good, start);
  EXPECT_TRUE(serving.empty());
}

}  // namespace
}  // namespace sekisho::netlink
