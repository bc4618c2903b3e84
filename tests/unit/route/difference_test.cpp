// SPDX-License-Identifier: BSD-3-Clause
#include "control/route/difference.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/prefix.hpp"

namespace sekisho::route {
namespace {

using base::Prefix;

// A table with names of its own: numbers of one mean nothing in the other.
class Written {
 public:
  Written& add(Prefix prefix, const std::string& next_hop, Origin origin = Origin::user) {
    const auto id = names_.intern(next_hop);
    table_.add({prefix, origin, NextHopType::named, id});
    return *this;
  }
  Side finish() {
    table_.finish();
    return {table_, names_};
  }

 private:
  Names names_;
  RouteTable table_;
};

using Told = std::tuple<Prefix, std::string, std::string>;

struct Result {
  Difference counts;
  std::vector<Told> changes;
};

Result differ(Side before, Side after) {
  Result result;
  result.counts = difference(before, after, [&](const Change& change) {
    result.changes.emplace_back(change.prefix, change.before ? *change.before : "",
                                change.after ? *change.after : "");
  });
  return result;
}

constexpr std::uint64_t every_address = std::uint64_t{1} << 32;

TEST(Difference, OfNothingIsNothing) {
  Written a;
  Written b;
  const auto result = differ(a.finish(), b.finish());
  EXPECT_TRUE(result.changes.empty());
  EXPECT_EQ(result.counts.addresses, 0U);
}

TEST(Difference, KnowsNextHopsByNameAndNotByNumber) {
  Written a;
  Written b;
  a.add({0, 1}, "x").add({1U << 31, 1}, "y");
  b.add({1U << 31, 1}, "y").add({0, 1}, "x");
  const auto result = differ(a.finish(), b.finish());
  EXPECT_TRUE(result.changes.empty());
  EXPECT_EQ(result.counts.addresses, 0U);
}

TEST(Difference, CountsWhatIsAddedRemovedAndChanged) {
  Written a;
  Written b;
  a.add({0, 0}, "x").add({10U << 24, 8}, "x").add({11U << 24, 8}, "y");
  b.add({0, 0}, "x").add({11U << 24, 8}, "z").add({12U << 24, 24}, "y");
  const auto result = differ(a.finish(), b.finish());
  EXPECT_EQ(
      result.changes,
      (std::vector<Told>{{{10U << 24, 8}, "x", ""}, {{11U << 24, 8}, "y", "z"}, {{12U << 24, 24}, "", "y"}}));
  EXPECT_EQ(result.counts.added, 1U);
  EXPECT_EQ(result.counts.removed, 1U);
  EXPECT_EQ(result.counts.changed, 1U);
  // 10/8 falls back to the default, which is the same next hop.
  EXPECT_EQ(result.counts.addresses, (1U << 24) + 256U);
}

TEST(Difference, ADefaultAndItsHalvesSendNothingElsewhere) {
  Written a;
  Written b;
  a.add({0, 0}, "x");
  b.add({0, 1}, "x").add({1U << 31, 1}, "x");
  const auto result = differ(a.finish(), b.finish());
  EXPECT_EQ(result.changes.size(), 3U);
  EXPECT_EQ(result.counts.addresses, 0U);
}

TEST(Difference, EveryAddressMayChange) {
  Written a;
  Written b;
  b.add({0, 1}, "x").add({1U << 31, 1}, "x").add({~0U, 32}, "x").add({0, 32}, "y");
  EXPECT_EQ(differ(a.finish(), b.finish()).counts.addresses, every_address);
}

TEST(Difference, SeesWhatIsInForceOnly) {
  Written a;
  Written b;
  a.add({10U << 24, 8}, "vnet", Origin::vnet).add({10U << 24, 24}, "bgp", Origin::bgp);
  b.add({10U << 24, 8}, "vnet", Origin::vnet).add({10U << 24, 8}, "none", Origin::system);
  EXPECT_TRUE(differ(a.finish(), b.finish()).changes.empty());
}

using Table = std::map<Prefix, std::string>;

std::optional<std::string> longest(const Table& table, std::uint32_t address) {
  std::optional<std::string> result;
  unsigned length = 0;
  for (const auto& [prefix, next_hop] : table) {
    if (prefix.covers(address) && (!result || prefix.length >= length)) {
      result = next_hop;
      length = prefix.length;
    }
  }
  return result;
}

// In a universe that is one /24, with prefixes around it; all else changes by the prefixes around alone.
TEST(Difference, AgreesWithAskingEachAddress) {
  constexpr std::uint32_t base = 0xc0000200;
  std::mt19937 random{5};
  for (int round = 0; round < 300; ++round) {
    std::array<Table, 2> tables;
    for (auto& table : tables) {
      for (auto left = random() % 40; left != 0; --left) {
        Prefix prefix{0, static_cast<std::uint8_t>(24 + random() % 9)};
        prefix.address = (base + random() % 256) & prefix.mask();
        table[prefix] = std::string(1, static_cast<char>('a' + random() % 3));
      }
    }
    if (round % 3 == 0)
      tables[1] = tables[0];
    if (!tables[1].empty() && round % 2 == 0)
      tables[1].erase(tables[1].begin());
    if (round % 5 == 0)
      tables[0][{0, 0}] = tables[1][{0, 0}] = "a";
    std::array<Written, 2> written;
    std::uint64_t changes = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      for (const auto& [prefix, next_hop] : tables[i])
        written[i].add(prefix, next_hop);
    }
    for (const auto& [prefix, next_hop] : tables[0])
      changes += !tables[1].contains(prefix) || tables[1].at(prefix) != next_hop;
    for (const auto& [prefix, next_hop] : tables[1])
      changes += !tables[0].contains(prefix);
    std::uint64_t addresses = 0;
    for (std::uint32_t i = 0; i < 256; ++i)
      addresses += longest(tables[0], base + i) != longest(tables[1], base + i);
    const auto result = differ(written[0].finish(), written[1].finish());
    ASSERT_EQ(result.counts.addresses, addresses) << "round " << round;
    ASSERT_EQ(result.counts.added + result.counts.removed + result.counts.changed, changes);
    ASSERT_EQ(result.changes.size(), changes);
    for (const auto& [prefix, before, after] : result.changes) {
      ASSERT_EQ(before, tables[0].contains(prefix) ? tables[0].at(prefix) : "");
      ASSERT_EQ(after, tables[1].contains(prefix) ? tables[1].at(prefix) : "");
    }
  }
}

// Over all lengths: the addresses where an answer can change are the first of each prefix and the one behind its last.
TEST(Difference, AgreesWithAskingWhereAnAnswerCanChange) {
  std::mt19937 random{7};
  for (int round = 0; round < 100; ++round) {
    std::array<Table, 2> tables;
    std::map<std::uint64_t, bool> edges{{0, true}, {every_address, true}};
    for (auto& table : tables) {
      for (auto left = random() % 30; left != 0; --left) {
        Prefix prefix{0, static_cast<std::uint8_t>(random() % 33)};
        prefix.address = static_cast<std::uint32_t>(random()) & prefix.mask();
        table[prefix] = std::string(1, static_cast<char>('a' + random() % 2));
        edges[prefix.address] = edges[std::uint64_t{prefix.last()} + 1] = true;
      }
    }
    std::array<Written, 2> written;
    for (std::size_t i = 0; i < 2; ++i) {
      for (const auto& [prefix, next_hop] : tables[i])
        written[i].add(prefix, next_hop);
    }
    std::uint64_t addresses = 0;
    for (auto edge = edges.begin(); std::next(edge) != edges.end(); ++edge) {
      const auto address = static_cast<std::uint32_t>(edge->first);
      if (longest(tables[0], address) != longest(tables[1], address))
        addresses += std::next(edge)->first - edge->first;
    }
    ASSERT_EQ(differ(written[0].finish(), written[1].finish()).counts.addresses, addresses);
  }
}

}  // namespace
}  // namespace sekisho::route
