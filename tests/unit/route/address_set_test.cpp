// SPDX-License-Identifier: BSD-3-Clause
#include "control/route/address_set.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bitset>
#include <cstdint>
#include <random>
#include <vector>

#include "control/route/nest.hpp"

namespace sekisho::route {
namespace {

using Range = AddressSet::Range;
using Ranges = std::vector<Range>;
constexpr std::uint32_t last = ~std::uint32_t{0};

TEST(AddressSet, JoinsWhatOverlapsOrTouches) {
  const AddressSet set{Ranges{{5, 9}, {0, 2}, {3, 3}, {8, 12}, {14, 14}, {10, 11}}};
  EXPECT_EQ(set.ranges(), (Ranges{{0, 3}, {5, 12}, {14, 14}}));
  EXPECT_EQ(set.size(), 4U + 8U + 1U);
}

TEST(AddressSet, HoldsTheWholeSpaceAndItsEnds) {
  const AddressSet all{std::array{base::Prefix{0, 0}}};
  EXPECT_EQ(all.size(), std::uint64_t{1} << 32);
  EXPECT_EQ(all.without(all), AddressSet{});
  EXPECT_EQ(all.without(AddressSet{Ranges{{0, 0}, {last, last}}}).ranges(), (Ranges{{1, last - 1}}));
  EXPECT_EQ((AddressSet{Ranges{{0, last - 1}, {last, last}}}), all);
  EXPECT_EQ(AddressSet{}.size(), 0U);
  EXPECT_TRUE(AddressSet{}.common_with(all).empty());
}

// Both ends of the space, where an overflow would show.
TEST(AddressSet, AgreesWithASetOfBits) {
  constexpr std::uint32_t side = 64;
  std::mt19937 random{11};
  const auto address = [](std::uint32_t bit) { return bit < side ? bit : last - (2 * side - 1 - bit); };
  using Bits = std::bitset<2 * side>;
  const auto draw = [&](Bits& bits) {
    Ranges ranges;
    for (auto left = random() % 12; left != 0; --left) {
      const auto base = random() % 2 * side;
      const auto a = static_cast<std::uint32_t>(base + random() % side);
      const auto b = static_cast<std::uint32_t>(base + random() % side);
      ranges.push_back({address(std::min(a, b)), address(std::max(a, b))});
      for (auto bit = std::min(a, b); bit <= std::max(a, b); ++bit)
        bits.set(bit);
    }
    return AddressSet{ranges};
  };
  for (int round = 0; round < 2000; ++round) {
    std::array<Bits, 2> bits;
    const auto a = draw(bits[0]);
    const auto b = draw(bits[1]);
    const auto expect = [&](const AddressSet& set, const Bits& wanted) {
      ASSERT_EQ(set.size(), wanted.count());
      for (std::uint32_t bit = 0; bit < 2 * side; ++bit)
        ASSERT_EQ(set.contains(address(bit)), wanted[bit]) << round << ": " << address(bit);
      for (std::size_t i = 1; i < set.ranges().size(); ++i)
        ASSERT_GT(set.ranges()[i].first, std::uint64_t{set.ranges()[i - 1].last} + 1);
    };
    expect(a, bits[0]);
    expect(a.with(b), bits[0] | bits[1]);
    expect(a.without(b), bits[0] & ~bits[1]);
    expect(a.common_with(b), bits[0] & bits[1]);
  }
}

TEST(Nest, GivesTheLongestAndTheLastOfEquals) {
  Nest<int> nest{-1};
  EXPECT_EQ(nest.value(), -1);
  EXPECT_EQ(nest.end(), all_addresses);
  nest.enter({0, 0}, 0);
  nest.enter({10U << 24, 8}, 1);
  nest.enter({10U << 24, 8}, 2);
  nest.enter({10U << 24, 32}, 3);
  EXPECT_EQ(nest.value(), 3);
  EXPECT_EQ(nest.end(), (10U << 24) + 1);
  nest.leave_before((10U << 24) + 1);
  EXPECT_EQ(nest.value(), 2);
  nest.leave_before(11U << 24);
  EXPECT_EQ(nest.value(), 0);
  nest.enter({last, 32}, 4);
  EXPECT_EQ(nest.end(), all_addresses);
  nest.leave_before(all_addresses);
  EXPECT_EQ(nest.value(), -1);
}

}  // namespace
}  // namespace sekisho::route
