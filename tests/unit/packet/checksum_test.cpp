// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/checksum.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/packet/headers.hpp"

namespace sekisho::packet::test {
namespace {

// Random headers meet the edges of the arithmetic too rarely: half of the words are drawn from these.
Bytes random_header(std::mt19937_64& random, unsigned words) {
  constexpr std::uint16_t edges[] = {0x0000, 0x0001, 0x00ff, 0x0100, 0x0101, 0x7fff,
                                     0x8000, 0xfeff, 0xff00, 0xff01, 0xfffe, 0xffff};
  Bytes header(words * 4U);
  for (std::size_t at = 0; at < header.size(); at += 2) {
    const std::uint64_t draw = random();
    set16(header, at, (draw & 1) != 0 ? edges[(draw >> 8) % std::size(edges)] : draw >> 16 & 0xffff);
  }
  header[0] = static_cast<std::uint8_t>(0x40 | words);
  set_checksum(header);
  return header;
}

TEST(Checksum, HoldsForEveryRightHeaderAndNoOther) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 1'000'000; ++round) {
    const unsigned words = round % 4 == 0 ? 5 + static_cast<unsigned>(random() % 11) : 5;
    Bytes header = random_header(random, words);
    ASSERT_TRUE(checksum_holds(header.data(), header.size()));
    // Any other value of any word is wrong, except that 0x0000 and 0xffff are both zero.
    const std::size_t at = random() % (header.size() / 2) * 2;
    const unsigned before = get16(header, at);
    const unsigned after = random() & 0xffff;
    set16(header, at, after);
    const bool same = before == after || (before % 0xffff == 0 && after % 0xffff == 0);
    ASSERT_EQ(checksum_holds(header.data(), header.size()), same) << before << " -> " << after;
  }
}

TEST(Checksum, HoldsAtAnyAlignment) {
  const Bytes header = make_header(15, 60);
  for (std::size_t offset = 0; offset < 16; ++offset) {
    Bytes memory(offset, 0xaa);
    memory.insert(memory.end(), header.begin(), header.end());
    EXPECT_TRUE(checksum_holds(memory.data() + offset, header.size()));
  }
}

TEST(DecrementTtl, EqualsFullRecomputation) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 1'000'000; ++round) {
    Bytes header = random_header(random, round % 16 == 0 ? 15 : 5);
    if (header[8] == 0) {
      header[8] = 1;
      set_checksum(header);
    }
    Bytes expected = header;
    --expected[8];
    set_checksum(expected);
    decrement_ttl(header.data());
    ASSERT_EQ(header, expected);
  }
}

// The header's sum is steered through all values by the identification field: among them both wraps.
TEST(DecrementTtl, EqualsFullRecomputationForEveryChecksum) {
  Bytes header = make_header();
  std::vector<bool> seen(0x10000);
  for (unsigned id = 0; id <= 0xffff; ++id) {
    set16(header, 4, id);
    set_checksum(header);
    seen[get16(header, 10)] = true;
    Bytes expected = header;
    --expected[8];
    set_checksum(expected);
    Bytes changed = header;
    decrement_ttl(changed.data());
    ASSERT_EQ(changed, expected) << "identification " << id;
    ASSERT_NE(get16(changed, 10), 0xffffU);
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 0xffff) << "all but 0xffff, which no sum gives";
}

// A sender that writes a zero checksum as 0xffff passes verification; the next hop's must pass, too.
TEST(DecrementTtl, TakesTheOtherZero) {
  Bytes header = make_header();
  unsigned id = 0;
  do {
    set16(header, 4, id++);
    set_checksum(header);
  } while (get16(header, 10) != 0);
  set16(header, 10, 0xffff);
  ASSERT_TRUE(checksum_holds(header.data(), header.size()));
  decrement_ttl(header.data());
  EXPECT_EQ(get16(header, 10), naive_checksum(header));
}

}  // namespace
}  // namespace sekisho::packet::test
