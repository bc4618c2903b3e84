// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/special_address.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sekisho::base {
namespace {

constexpr std::uint32_t fine = 0x08080808;

struct Block {
  const char* name;
  std::uint32_t first;
  std::uint32_t last;
  AddressFault as_source;
  AddressFault as_destination;
};

// The whole address space, in order.
constexpr Block blocks[] = {
    {"this network", 0x00000000, 0x00ffffff, AddressFault::martian_source, AddressFault::martian_destination},
    {"unicast", 0x01000000, 0x7effffff, AddressFault::none, AddressFault::none},
    {"loopback", 0x7f000000, 0x7fffffff, AddressFault::martian_source, AddressFault::martian_destination},
    {"unicast", 0x80000000, 0xa9fdffff, AddressFault::none, AddressFault::none},
    {"link-local", 0xa9fe0000, 0xa9feffff, AddressFault::martian_source, AddressFault::martian_destination},
    {"unicast", 0xa9ff0000, 0xdfffffff, AddressFault::none, AddressFault::none},
    {"multicast", 0xe0000000, 0xefffffff, AddressFault::martian_source, AddressFault::multicast},
    {"class E", 0xf0000000, 0xfffffffe, AddressFault::martian_source, AddressFault::martian_destination},
    {"limited broadcast", 0xffffffff, 0xffffffff, AddressFault::martian_source, AddressFault::multicast},
};

TEST(Addresses, EveryBlockAtBothEndsAndInside) {
  std::mt19937_64 random(3);
  std::uint64_t next = 0;
  for (const Block& block : blocks) {
    ASSERT_EQ(block.first, next) << "the table of the test has a gap";
    next = std::uint64_t{block.last} + 1;
    for (int round = 0; round < 1000; ++round) {
      const std::uint32_t address =
          round == 0   ? block.first
          : round == 1 ? block.last
                       : static_cast<std::uint32_t>(block.first +
                                                    random() % (std::uint64_t{block.last} - block.first + 1));
      EXPECT_EQ(check_addresses(address, fine), block.as_source) << block.name << ' ' << address;
      EXPECT_EQ(check_addresses(fine, address), block.as_destination) << block.name << ' ' << address;
    }
  }
  EXPECT_EQ(next, 0x1'0000'0000U);
}

TEST(Addresses, TheSourceIsNamedFirst) {
  EXPECT_EQ(check_addresses(0, 0xffffffff), AddressFault::martian_source) << "as DHCP does";
  EXPECT_EQ(check_addresses(0x7f000001, 0x7f000001), AddressFault::martian_source);
}

}  // namespace
}  // namespace sekisho::base
