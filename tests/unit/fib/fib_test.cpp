// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/fib/fib.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/prefix.hpp"
#include "tests/unit/fib/oracle.hpp"

namespace sekisho::fib {
namespace {

using testing::make_prefix;
using testing::operator""_prefix;
using testing::operator""_address;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::routes_of;

class FibTest : public ::testing::Test {
 protected:
  void set(std::vector<Route> routes) {
    const auto applied = fib->apply(routes);
    ASSERT_TRUE(applied) << applied.error();
  }

  Qsbr qsbr{2};
  std::unique_ptr<Fib> fib = Fib::create(qsbr).value();
};

TEST_F(FibTest, AnEmptyTableHasNoRoute) {
  EXPECT_EQ(fib->lookup(0), no_route);
  EXPECT_EQ(fib->lookup(0xffffffff), no_route);
  EXPECT_EQ(fib->size(), 0U);
  EXPECT_THAT(routes_of(*fib), IsEmpty());
  EXPECT_FALSE(fib->longest_match(0));
}

TEST_F(FibTest, TheDefaultRouteCoversAll) {
  set({{"0.0.0.0/0"_prefix, 7}});
  for (const auto address : {"0.0.0.0"_address, "127.255.255.255"_address, "128.0.0.0"_address,
                             "255.255.255.255"_address, "10.1.2.3"_address}) {
    EXPECT_EQ(fib->lookup(address), 7);
  }
  set({{"0.0.0.0/0"_prefix, no_route}});
  EXPECT_EQ(fib->lookup("10.1.2.3"_address), no_route);
}

TEST_F(FibTest, TheHalvesMeetInTheMiddle) {
  set({{"0.0.0.0/1"_prefix, 1}, {"128.0.0.0/1"_prefix, 2}});
  EXPECT_EQ(fib->lookup("0.0.0.0"_address), 1);
  EXPECT_EQ(fib->lookup("127.255.255.255"_address), 1);
  EXPECT_EQ(fib->lookup("128.0.0.0"_address), 2);
  EXPECT_EQ(fib->lookup("255.255.255.255"_address), 2);
}

TEST_F(FibTest, Lengths24To32AtBothEndsOfTheSpace) {
  set({{"0.0.0.0/24"_prefix, 24},
       {"0.0.0.0/25"_prefix, 25},
       {"0.0.0.0/32"_prefix, 32},
       {"255.255.255.0/24"_prefix, 124},
       {"255.255.255.128/25"_prefix, 125},
       {"255.255.255.255/32"_prefix, 132}});
  EXPECT_EQ(fib->lookup("0.0.0.0"_address), 32);
  EXPECT_EQ(fib->lookup("0.0.0.1"_address), 25);
  EXPECT_EQ(fib->lookup("0.0.0.127"_address), 25);
  EXPECT_EQ(fib->lookup("0.0.0.128"_address), 24);
  EXPECT_EQ(fib->lookup("0.0.0.255"_address), 24);
  EXPECT_EQ(fib->lookup("0.0.1.0"_address), no_route);
  EXPECT_EQ(fib->lookup("255.255.254.255"_address), no_route);
  EXPECT_EQ(fib->lookup("255.255.255.0"_address), 124);
  EXPECT_EQ(fib->lookup("255.255.255.127"_address), 124);
  EXPECT_EQ(fib->lookup("255.255.255.128"_address), 125);
  EXPECT_EQ(fib->lookup("255.255.255.254"_address), 125);
  EXPECT_EQ(fib->lookup("255.255.255.255"_address), 132);
  EXPECT_EQ(fib->memory().extension_tables, 2U);
}

TEST_F(FibTest, WithdrawalUncoversTheParent) {
  set({{"0.0.0.0/0"_prefix, 1},
       {"10.0.0.0/8"_prefix, 8},
       {"10.1.0.0/16"_prefix, 16},
       {"10.1.2.0/24"_prefix, 24},
       {"10.1.2.64/26"_prefix, 26},
       {"10.1.2.65/32"_prefix, 32}});
  const auto address = "10.1.2.65"_address;
  const std::vector<std::pair<base::Prefix, Value>> uncovered{
      {"10.1.2.65/32"_prefix, 26}, {"10.1.2.0/24"_prefix, 26}, {"10.1.2.64/26"_prefix, 16},
      {"10.1.0.0/16"_prefix, 8},   {"0.0.0.0/0"_prefix, 8},    {"10.0.0.0/8"_prefix, no_route}};
  EXPECT_EQ(fib->lookup(address), 32);
  for (const auto& [withdrawn, next_hop] : uncovered) {
    set({{withdrawn, no_route}});
    EXPECT_EQ(fib->lookup(address), next_hop) << to_string(withdrawn);
  }
  EXPECT_EQ(fib->memory().extension_tables, 0U);
}

TEST_F(FibTest, AnExtensionTableIsFoldedBackWhenNoLongPrefixRemains) {
  set({{"10.0.0.0/8"_prefix, 8}, {"10.0.0.0/25"_prefix, 8}, {"10.0.0.128/25"_prefix, 8}});
  EXPECT_EQ(fib->memory().extension_tables, 1U) << "the prefixes decide, not their next hops";
  set({{"10.0.0.0/25"_prefix, no_route}});
  EXPECT_EQ(fib->memory().extension_tables, 1U);
  set({{"10.0.0.128/25"_prefix, no_route}});
  EXPECT_EQ(fib->memory().extension_tables, 0U);
  EXPECT_EQ(fib->lookup("10.0.0.200"_address), 8);
}

TEST_F(FibTest, AShortPrefixIsWrittenAroundTheLongOnes) {
  set({{"10.0.0.0/30"_prefix, 30}, {"10.255.0.0/16"_prefix, 16}});
  set({{"10.0.0.0/8"_prefix, 8}, {"0.0.0.0/0"_prefix, 1}});
  EXPECT_EQ(fib->lookup("10.0.0.3"_address), 30);
  EXPECT_EQ(fib->lookup("10.0.0.4"_address), 8);
  EXPECT_EQ(fib->lookup("10.254.255.255"_address), 8);
  EXPECT_EQ(fib->lookup("10.255.0.0"_address), 16);
  EXPECT_EQ(fib->lookup("11.0.0.0"_address), 1);
}

TEST_F(FibTest, TheLastOfSeveralChangesWins) {
  set({{"10.0.0.0/8"_prefix, 1},
       {"10.0.0.1/32"_prefix, 5},
       {"10.0.0.0/8"_prefix, 2},
       {"10.0.0.1/32"_prefix, no_route}});
  EXPECT_EQ(fib->lookup("10.0.0.1"_address), 2);
  EXPECT_EQ(fib->size(), 1U);
  set({{"10.0.0.0/8"_prefix, no_route}, {"10.0.0.0/8"_prefix, 3}});
  EXPECT_EQ(fib->find("10.0.0.0/8"_prefix), 3);
}

TEST_F(FibTest, WithdrawingWhatIsNotThereChangesNothing) {
  set({{"10.0.0.0/8"_prefix, 1}});
  set({{"10.0.0.0/9"_prefix, no_route}, {"10.0.0.1/32"_prefix, no_route}, {"0.0.0.0/0"_prefix, no_route}});
  EXPECT_THAT(routes_of(*fib), ElementsAre(Route{"10.0.0.0/8"_prefix, 1}));
  EXPECT_EQ(fib->lookup("10.0.0.1"_address), 1);
  EXPECT_EQ(fib->memory().extension_tables, 0U);
}

TEST_F(FibTest, TheShadowAnswers) {
  set({{"10.1.2.0/24"_prefix, 24},
       {"0.0.0.0/0"_prefix, 1},
       {"10.1.2.3/32"_prefix, 32},
       {"10.0.0.0/8"_prefix, 8}});
  EXPECT_THAT(routes_of(*fib), ElementsAre(Route{"0.0.0.0/0"_prefix, 1}, Route{"10.0.0.0/8"_prefix, 8},
                                           Route{"10.1.2.0/24"_prefix, 24}, Route{"10.1.2.3/32"_prefix, 32}));
  EXPECT_EQ(fib->size(), 4U);
  EXPECT_EQ(fib->find("10.0.0.0/8"_prefix), 8);
  EXPECT_FALSE(fib->find("10.0.0.0/9"_prefix));
  EXPECT_FALSE(fib->find("11.0.0.0/8"_prefix));
  EXPECT_EQ(fib->longest_match("10.1.2.4"_address), (Route{"10.1.2.0/24"_prefix, 24}));
  EXPECT_THAT(fib->covering("10.1.2.3"_address),
              ElementsAre(Route{"0.0.0.0/0"_prefix, 1}, Route{"10.0.0.0/8"_prefix, 8},
                          Route{"10.1.2.0/24"_prefix, 24}, Route{"10.1.2.3/32"_prefix, 32}));
  EXPECT_THAT(fib->covering("11.0.0.0"_address), ElementsAre(Route{"0.0.0.0/0"_prefix, 1}));
}

TEST_F(FibTest, BulkLookupIsLookup) {
  set({{"0.0.0.0/1"_prefix, 1}, {"10.0.0.0/30"_prefix, 30}});
  const std::vector<std::uint32_t> addresses{"10.0.0.3"_address, "10.0.0.4"_address, "200.0.0.0"_address};
  std::vector<Value> next_hops(4, 99);
  fib->lookup_bulk(addresses.data(), next_hops.data(), 3);
  EXPECT_THAT(next_hops, ElementsAre(30, 1, no_route, 99));
}

TEST_F(FibTest, TheHighestNextHopIndexIsNotMistakenForAnExtension) {
  set({{"10.0.0.0/24"_prefix, max_value}, {"10.0.1.1/32"_prefix, max_value}});
  EXPECT_EQ(fib->lookup("10.0.0.77"_address), max_value);
  EXPECT_EQ(fib->lookup("10.0.1.1"_address), max_value);
  EXPECT_EQ(fib->lookup("10.0.1.2"_address), no_route);
}

TEST_F(FibTest, RefusesWholeWhatIsMalformed) {
  set({{"10.0.0.0/8"_prefix, 1}});
  for (const Route& bad : {Route{base::Prefix{0x0a000001, 24}, 2}, Route{base::Prefix{0x0a000000, 33}, 2},
                           Route{base::Prefix{0x0a000000, 255}, 2},
                           Route{"10.0.0.0/24"_prefix, max_value + 1}, Route{"10.0.0.0/24"_prefix, 0xffff}}) {
    const auto applied = fib->apply(std::vector{Route{"11.0.0.0/8"_prefix, 1}, bad});
    ASSERT_FALSE(applied);
    EXPECT_THAT(applied.error(), HasSubstr("10.0.0."));
    EXPECT_THAT(routes_of(*fib), ElementsAre(Route{"10.0.0.0/8"_prefix, 1}));
    EXPECT_EQ(fib->lookup("11.0.0.0"_address), no_route);
  }
}

TEST_F(FibTest, RefusesMoreExtensionTablesThanAnEntryCanName) {
  EXPECT_FALSE(Fib::create(qsbr, {.max_extension_tables = 32769}));
  EXPECT_TRUE(Fib::create(qsbr, {.max_extension_tables = 32768}));
}

TEST_F(FibTest, EveryExtensionTableCanBeUsed) {
  fib = Fib::create(qsbr, {.max_extension_tables = 32768}).value();
  std::vector<Route> routes;
  for (std::uint32_t i = 0; i < 32768; ++i) {
    routes.push_back({base::Prefix{i << 8 | (i & 0xff), 32}, static_cast<Value>(1 + i % max_value)});
  }
  set(routes);
  for (std::uint32_t i = 0; i < 32768; ++i) {
    ASSERT_EQ(fib->lookup(i << 8 | (i & 0xff)), 1 + i % max_value);
    ASSERT_EQ(fib->lookup(i << 8 | ((i + 1) & 0xff)), no_route);
  }
  EXPECT_FALSE(fib->apply(std::vector{Route{"200.0.0.1/32"_prefix, 1}}));
}

TEST_F(FibTest, RefusesWholeWhenExtensionTablesDoNotSuffice) {
  fib = Fib::create(qsbr, {.max_extension_tables = 2}).value();
  set({{"10.0.0.0/8"_prefix, 8}, {"10.0.0.0/25"_prefix, 25}});
  const auto before = routes_of(*fib);
  const auto applied = fib->apply(std::vector{
      Route{"10.0.0.0/8"_prefix, 9}, Route{"10.0.0.0/25"_prefix, no_route}, Route{"10.0.1.0/25"_prefix, 1},
      Route{"10.0.2.0/25"_prefix, 2}, Route{"0.0.0.0/0"_prefix, 1}});
  ASSERT_FALSE(applied) << "the table that is given up in the same transaction is not free yet";
  EXPECT_THAT(applied.error(), HasSubstr("2 more extension tables"));
  EXPECT_THAT(applied.error(), HasSubstr("1 of 2 are free"));
  EXPECT_EQ(routes_of(*fib), before);
  EXPECT_EQ(fib->size(), 2U);
  EXPECT_EQ(fib->lookup("10.0.0.1"_address), 25);
  EXPECT_EQ(fib->lookup("10.0.1.1"_address), 8);
  EXPECT_EQ(fib->lookup("11.0.0.1"_address), no_route);
  EXPECT_EQ(fib->memory().extension_tables, 1U);
  set({{"10.0.1.0/25"_prefix, 1}});
  EXPECT_EQ(fib->lookup("10.0.1.1"_address), 1);
}

TEST_F(FibTest, ATableWithoutExtensionTablesHoldsPrefixesUpTo24) {
  fib = Fib::create(qsbr, {.max_extension_tables = 0}).value();
  set({{"10.0.0.0/24"_prefix, 24}});
  EXPECT_FALSE(fib->apply(std::vector{Route{"10.0.0.0/25"_prefix, 25}}));
  EXPECT_EQ(fib->lookup("10.0.0.0"_address), 24);
}

TEST_F(FibTest, AnExtensionTableIsReusedOnlyAfterAGracePeriod) {
  fib = Fib::create(qsbr, {.max_extension_tables = 1}).value();
  set({{"10.0.0.0/25"_prefix, 1}});
  qsbr.online(0);
  set({{"10.0.0.0/25"_prefix, no_route}});
  EXPECT_EQ(fib->memory().extension_tables, 0U);
  EXPECT_FALSE(fib->apply(std::vector{Route{"10.0.1.0/25"_prefix, 2}}))
      << "reader 0 may still look at the table";
  EXPECT_EQ(fib->size(), 0U);
  qsbr.quiescent(0);
  set({{"10.0.1.0/25"_prefix, 2}});
  EXPECT_EQ(fib->lookup("10.0.1.1"_address), 2);
  EXPECT_EQ(fib->lookup("10.0.1.128"_address), no_route);
  EXPECT_EQ(fib->lookup("10.0.0.1"_address), no_route);
  qsbr.offline(0);
}

TEST_F(FibTest, TheTableMayEndBeforeTheGracePeriodOfItsExtensionTables) {
  qsbr.online(0);
  set({{"10.0.0.0/25"_prefix, 1}});
  set({{"10.0.0.0/25"_prefix, no_route}});
  EXPECT_EQ(qsbr.pending(), 1U);
  fib.reset();
  qsbr.offline(0);
  qsbr.poll();
  EXPECT_EQ(qsbr.pending(), 0U);
}

TEST_F(FibTest, WhatIsEqualIsNotTouched) {
  const std::vector<Route> routes{
      {"10.0.0.0/8"_prefix, 8}, {"10.0.0.0/25"_prefix, 25}, {"10.0.1.0/24"_prefix, 24}};
  set(routes);
  set(routes);
  EXPECT_EQ(qsbr.pending(), 0U);
  EXPECT_EQ(fib->size(), 3U);
  EXPECT_EQ(fib->memory().extension_tables, 1U);
}

TEST_F(FibTest, MemorySaysWhatIsInUse) {
  const auto empty = fib->memory();
  constexpr std::size_t narrow = (std::size_t{1} << 24) + (std::size_t{1} << 18);
  EXPECT_EQ(empty.table_bytes, narrow);
  EXPECT_EQ(empty.entry_bits, 8U);
  EXPECT_EQ(empty.max_extension_tables, 32767U);
  std::vector<Route> routes;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    routes.push_back({base::Prefix{0x0a000000 + (i << 8), 24}, 1});
  }
  routes.push_back({"10.0.0.0/25"_prefix, 1});
  set(routes);
  EXPECT_EQ(fib->memory().table_bytes, narrow + 256);
  EXPECT_GE(fib->memory().shadow_bytes - empty.shadow_bytes, 10'001U * 8);
  EXPECT_LE(fib->memory().shadow_bytes - empty.shadow_bytes, 10'001U * 32);
  set({{"10.0.0.0/24"_prefix, Narrow::max_value + 1}});
  EXPECT_EQ(fib->memory().table_bytes, 2 * (narrow + 256));
}

TEST_F(FibTest, EntriesGrowWiderWithTheNextHopIndexes) {
  set({{"0.0.0.0/0"_prefix, Narrow::max_value}, {"10.0.0.0/25"_prefix, 2}});
  EXPECT_EQ(fib->memory().entry_bits, 8U);
  EXPECT_EQ(fib->lookup("9.255.255.255"_address), Narrow::max_value);
  set({{"10.0.1.0/24"_prefix, Narrow::max_value + 1}});
  EXPECT_EQ(fib->memory().entry_bits, 16U);
  EXPECT_EQ(fib->lookup("9.255.255.255"_address), Narrow::max_value);
  EXPECT_EQ(fib->lookup("10.0.0.127"_address), 2);
  EXPECT_EQ(fib->lookup("10.0.0.128"_address), Narrow::max_value);
  EXPECT_EQ(fib->lookup("10.0.1.1"_address), Narrow::max_value + 1);
}

TEST_F(FibTest, EntriesGrowWiderWithTheExtendedBlocks) {
  std::vector<Route> hosts;
  for (std::uint32_t i = 0; i < 1025; ++i) {
    hosts.push_back({make_prefix(0x0a000000 + (i << 8), 32), 7});
  }
  set({hosts.begin(), hosts.end() - 1});
  EXPECT_EQ(fib->memory().entry_bits, 8U);
  set({hosts.back()});
  EXPECT_EQ(fib->memory().entry_bits, 16U);
  EXPECT_EQ(fib->memory().extension_tables, 1025U);
  for (const Route& host : hosts) {
    ASSERT_EQ(fib->lookup(host.prefix.address), 7);
    ASSERT_EQ(fib->lookup(host.prefix.address + 1), no_route);
  }
}

TEST_F(FibTest, ARefusedWideningChangesNothing) {
  fib = Fib::create(qsbr, {.max_extension_tables = 1}).value();
  set({{"10.0.0.0/25"_prefix, 1}});
  const auto refused =
      fib->apply(std::vector<Route>{{"10.0.1.0/25"_prefix, 1}, {"11.0.0.0/8"_prefix, Narrow::max_value + 1}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), ::testing::HasSubstr("extension tables"));
  EXPECT_EQ(fib->memory().entry_bits, 8U);
  EXPECT_EQ(fib->lookup("11.0.0.1"_address), no_route);
  EXPECT_EQ(fib->lookup("10.0.0.1"_address), 1);
  EXPECT_EQ(fib->size(), 1U);
}

}  // namespace
}  // namespace sekisho::fib
