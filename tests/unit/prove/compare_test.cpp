// SPDX-License-Identifier: BSD-3-Clause
#include "control/prove/compare.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/prefix.hpp"
#include "common/base/special_address.hpp"

namespace sekisho::prove {
namespace {

using base::Prefix;
using Told = std::tuple<std::string, std::string, std::string, std::string>;  // first, last, before, after
using Table = std::map<Prefix, std::string>;

class Written {
 public:
  explicit Written(const Table& table) {
    for (const auto& [prefix, next_hop] : table)
      table_.add({.prefix = prefix, .origin = route::Origin::user, .next_hop = names_.intern(next_hop)});
    table_.finish();
  }
  [[nodiscard]] route::Side side() const { return {table_, names_}; }

 private:
  route::Names names_;
  route::RouteTable table_;
};

auto prefix(const char* text) -> Prefix {
  return base::parse_prefix(text).value();
}
auto told(const Moved& moved) -> Told {
  return {base::address_to_string(moved.range.first), base::address_to_string(moved.range.last),
          std::string{moved.before}, std::string{moved.after}};
}
auto compare(const Table& before, const Table& after) -> std::vector<Told> {
  std::vector<Told> result;
  moved_destinations(Written{before}.side(), Written{after}.side(),
                     [&](const Moved& moved) { result.push_back(told(moved)); });
  return result;
}

TEST(Compare, JoinsWhatGoesTheSameWay) {
  EXPECT_EQ(
      compare({{prefix("10.0.0.0/8"), "a"}},
              {{prefix("10.0.0.0/9"), "b"}, {prefix("10.128.0.0/9"), "b"}, {prefix("10.0.0.1/32"), "a"}}),
      (std::vector<Told>{{"10.0.0.0", "10.0.0.0", "a", "b"}, {"10.0.0.2", "10.255.255.255", "a", "b"}}));
}

TEST(Compare, DroppedIsDropped) {
  EXPECT_TRUE(compare({}, {{prefix("0.0.0.0/0"), "None"}}).empty());
  EXPECT_EQ(compare({{prefix("8.0.0.0/8"), "a"}}, {{prefix("8.0.0.0/9"), "None"}}),
            (std::vector<Told>{{"8.0.0.0", "8.255.255.255", "a", "dropped"}}));
}

TEST(Compare, LeavesOutWhatNoTableIsAskedAbout) {
  EXPECT_EQ(compare({}, {{prefix("0.0.0.0/1"), "a"}}),
            (std::vector<Told>{{"1.0.0.0", "126.255.255.255", "dropped", "a"}}));
  EXPECT_TRUE(compare({}, {{prefix("224.0.0.0/3"), "a"}, {prefix("169.254.0.0/16"), "a"}}).empty());
}

TEST(Compare, KnowsWhoIsInAnotherZone) {
  std::vector<Told> result;
  const auto count =
      moved_sources({{"onprem", {prefix("172.16.0.0/12")}}, {"internet", {prefix("0.0.0.0/0")}}},
                    {{"onprem", {prefix("172.16.0.0/12")}}, {"vnet", {prefix("172.16.1.0/24")}}},
                    [&](const Moved& moved) { result.push_back(told(moved)); });
  ASSERT_EQ(result.size(), 5U);
  EXPECT_EQ(result[3], (Told{"172.16.1.0", "172.16.1.255", "onprem", "vnet"}));
  EXPECT_EQ(result[0], (Told{"1.0.0.0", "126.255.255.255", "internet", ""}));
  EXPECT_EQ(count, (222ULL << 24) - (1ULL << 16) - (1ULL << 20) + 256);
}

TEST(Compare, AgreesWithAskingWhereAnAnswerCanChange) {
  std::mt19937 random{3};
  const std::array<std::string, 3> names{"a", "b", "None"};
  const auto ask = [](const Table& table, std::uint32_t address) -> std::string {
    std::string result = "dropped";
    int longest = -1;
    for (const auto& [prefix, next_hop] : table)
      if (prefix.covers(address) && prefix.length > longest) {
        longest = prefix.length;
        result = next_hop == "None" ? "dropped" : next_hop;
      }
    return result;
  };
  for (int round = 0; round < 200; ++round) {
    std::array<Table, 2> tables;
    std::set<std::uint64_t> edges{0, std::uint64_t{1} << 32};
    const auto add = [&](Prefix prefix) {
      edges.insert(prefix.address);
      edges.insert(std::uint64_t{prefix.last()} + 1);
    };
    for (const auto* text : {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"})
      add(prefix(text));
    for (auto& table : tables)
      for (auto left = random() % 30; left != 0; --left) {
        Prefix one{0, static_cast<std::uint8_t>(random() % 33)};
        one.address = static_cast<std::uint32_t>(random()) & one.mask();
        table[one] = names[random() % names.size()];
        add(one);
      }
    std::uint64_t wanted = 0;
    for (auto edge = edges.begin(); std::next(edge) != edges.end(); ++edge) {
      const auto address = static_cast<std::uint32_t>(*edge);
      if (!base::special(address) && ask(tables[0], address) != ask(tables[1], address))
        wanted += *std::next(edge) - *edge;
    }
    std::uint64_t sum = 0;
    const Written before{tables[0]};
    const Written after{tables[1]};
    const auto count = moved_destinations(before.side(), after.side(), [&](const Moved& moved) {
      for (const auto address : {moved.range.first, moved.range.last}) {
        ASSERT_EQ(ask(tables[0], address), moved.before);
        ASSERT_EQ(ask(tables[1], address), moved.after);
      }
      sum += std::uint64_t{moved.range.last} - moved.range.first + 1;
    });
    ASSERT_EQ(count, wanted);
    ASSERT_EQ(sum, wanted);
  }
}

}  // namespace
}  // namespace sekisho::prove
