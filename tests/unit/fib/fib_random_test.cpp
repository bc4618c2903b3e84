// SPDX-License-Identifier: BSD-3-Clause
// Random transactions against the oracle.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "common/base/prefix.hpp"
#include "dataplane/fib/fib.hpp"
#include "tests/unit/fib/oracle.hpp"

namespace sekisho::fib {
namespace {

using testing::make_prefix;
using testing::Oracle;
using testing::routes_of;

struct Scenario {
  const char* name;
  unsigned seed;
  std::vector<std::uint32_t> upper;  // the /16s that prefixes are drawn from; empty: the whole space
  std::vector<double> lengths;       // weight of each length from 0 to 32
  unsigned transactions;
  unsigned most_changes;  // in a transaction
  unsigned max_extension_tables;
  bool refuses;  // some of the transactions, for want of extension tables
  unsigned next_hops = 6;
};

void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.name;
}

std::vector<double> weights(std::initializer_list<std::pair<unsigned, double>> weight_of_length) {
  std::vector<double> weights(33, 0.0);
  for (const auto& [length, weight] : weight_of_length) {
    weights[length] = weight;
  }
  return weights;
}

class RandomTransactions : public ::testing::TestWithParam<Scenario> {
 protected:
  base::Prefix random_prefix() {
    auto address = static_cast<std::uint32_t>(random());
    if (const auto& upper = GetParam().upper; !upper.empty()) {
      address = upper[random() % upper.size()] << 16 | (address & 0xffff);
      // Half of them crowd in few /24s, so that long prefixes nest.
      if (random() % 2 == 0) {
        address &= 0xffff07ff;
      }
    }
    return make_prefix(address, length(random));
  }

  std::vector<Route> random_changes() {
    std::vector<Route> changes;
    const auto count = 1 + random() % GetParam().most_changes;
    for (std::size_t i = 0; i < count; ++i) {
      Route change{.prefix = random_prefix()};
      if (!known.empty() && random() % 2 == 0) {
        change.prefix = known[random() % known.size()];
      }
      // Few next hops: neighbouring entries are often equal, which is when a missing store goes unnoticed
      // elsewhere.
      change.value = random() % 5 < 2 ? no_route : static_cast<Value>(1 + random() % GetParam().next_hops);
      changes.push_back(change);
      known.push_back(change.prefix);
    }
    if (known.size() > 20'000) {
      known.erase(known.begin(), known.begin() + 10'000);
    }
    return changes;
  }

  void check(std::uint32_t address) {
    const auto expected = oracle.match(address);
    ASSERT_EQ(fib->lookup(address), expected ? expected->value : no_route)
        << base::address_to_string(address);
    if (random() % 8 == 0) {
      ASSERT_EQ(fib->longest_match(address), expected) << base::address_to_string(address);
    }
  }

  // In random order and in several transactions. What is left is as if nothing had ever been there.
  void withdraw_all(std::vector<Route> routes) {
    std::shuffle(routes.begin(), routes.end(), random);
    for (Route& route : routes) {
      route.value = no_route;
    }
    const std::span all{routes};
    for (std::size_t begin = 0; begin < all.size();) {
      const std::size_t count = std::min(all.size() - begin, 1 + random() % (1 + all.size() / 20));
      ASSERT_TRUE(fib->apply(all.subspan(begin, count)));
      begin += count;
    }
    ASSERT_EQ(fib->size(), 0U);
    ASSERT_EQ(fib->memory().extension_tables, 0U);
    for (std::uint64_t address = 0; address <= 0xffffffff; address += 256) {
      ASSERT_EQ(fib->lookup(static_cast<std::uint32_t>(address)), no_route);
    }
    // All extension tables have come back.
    std::vector<Route> hosts;
    for (std::uint32_t i = 0; i < GetParam().max_extension_tables; ++i) {
      hosts.push_back({.prefix = make_prefix(i << 9 | 1, 32), .value = 1});
    }
    ASSERT_TRUE(fib->apply(hosts));
    for (const auto& [prefix, next_hop] : hosts) {
      ASSERT_EQ(fib->lookup(prefix.address - 1), no_route);
      ASSERT_EQ(fib->lookup(prefix.address), next_hop);
      ASSERT_EQ(fib->lookup(prefix.address + 1), no_route);
    }
  }

  Qsbr qsbr{1};
  std::unique_ptr<Fib> fib =
      Fib::create(qsbr, {.max_extension_tables = GetParam().max_extension_tables}).value();
  Oracle oracle;
  std::mt19937_64 random{GetParam().seed};
  std::discrete_distribution<unsigned> length{GetParam().lengths.begin(), GetParam().lengths.end()};
  std::vector<base::Prefix> known;
};

TEST_P(RandomTransactions, AnswerAsTheOracle) {
  const std::size_t max_tables = GetParam().max_extension_tables;
  unsigned refused = 0;
  for (unsigned transaction = 0; transaction < GetParam().transactions; ++transaction) {
    const auto changes = random_changes();
    // No reader is online: every table that is not in use is free once apply() has polled.
    const std::size_t tables_free = max_tables - oracle.extension_tables();
    std::set<std::uint32_t> newly_extended;
    for (const auto& [prefix, next_hop] : changes) {
      if (prefix.length > 24 && !oracle.is_extended(prefix.address)) {
        newly_extended.insert(prefix.address & 0xffffff00);
      }
    }
    const auto undo = oracle.apply(changes);
    std::erase_if(newly_extended, [this](std::uint32_t block) { return !oracle.is_extended(block); });

    const bool applied = fib->apply(changes).has_value();
    ASSERT_EQ(applied, newly_extended.size() <= tables_free);
    if (!applied) {
      oracle.apply(undo);
      ++refused;
    }
    ASSERT_EQ(fib->memory().extension_tables, oracle.extension_tables());
    for (const auto& [prefix, next_hop] : changes) {
      const auto inside = prefix.address | (static_cast<std::uint32_t>(random()) & ~prefix.mask());
      const std::array addresses{prefix.address, prefix.last(), prefix.address - 1, prefix.last() + 1,
                                 inside};
      for (const std::size_t i : {random() % 5, random() % 5}) {
        ASSERT_NO_FATAL_FAILURE(check(addresses[i]));
      }
    }
  }
  EXPECT_EQ(refused > 0, GetParam().refuses) << refused;
  const auto routes = oracle.routes();
  EXPECT_EQ(routes_of(*fib), routes);
  EXPECT_EQ(fib->size(), routes.size());
  ASSERT_NO_FATAL_FAILURE(withdraw_all(routes));
}

INSTANTIATE_TEST_SUITE_P(
    Fib, RandomTransactions,
    ::testing::Values(
        Scenario{.name = "Dense",
                 .seed = 1,
                 .upper = {0x0000, 0x0a00, 0x0a01, 0xac10, 0xffff},
                 .lengths = weights({{12, 1},
                                     {15, 1},
                                     {16, 1},
                                     {17, 1},
                                     {18, 1},
                                     {19, 1},
                                     {20, 4},
                                     {21, 4},
                                     {22, 6},
                                     {23, 8},
                                     {24, 16},
                                     {25, 8},
                                     {26, 8},
                                     {27, 8},
                                     {28, 8},
                                     {29, 6},
                                     {30, 6},
                                     {31, 6},
                                     {32, 12}}),
                 .transactions = 6'000,
                 .most_changes = 300,
                 .max_extension_tables = 32767,
                 .refuses = false},
        Scenario{.name = "FewExtensionTables",
                 .seed = 2,
                 .upper = {0x0a00, 0x0a01},
                 .lengths = weights({{16, 1}, {20, 4}, {23, 4}, {24, 8}, {25, 8}, {26, 4}, {30, 4}, {32, 8}}),
                 .transactions = 6'000,
                 .most_changes = 20,
                 .max_extension_tables = 24,
                 .refuses = true},
        Scenario{.name = "WholeSpace",
                 .seed = 3,
                 .upper = {},
                 .lengths = std::vector<double>(33, 1.0),
                 .transactions = 60,
                 .most_changes = 1'500,
                 .max_extension_tables = 32768,
                 .refuses = false},
        // Not before some transactions have been applied in 8 bits does one of them need 16.
        Scenario{.name = "Widening",
                 .seed = 4,
                 .upper = {0x0a00, 0x0a01, 0x0a02},
                 .lengths = weights(
                     {{14, 1}, {16, 1}, {18, 2}, {20, 4}, {23, 4}, {24, 8}, {25, 8}, {28, 4}, {32, 8}}),
                 .transactions = 1'000,
                 .most_changes = 30,
                 .max_extension_tables = 1000,
                 .refuses = false,
                 .next_hops = Narrow::max_value + 1}),
    [](const auto& scenario) { return scenario.param.name; });

}  // namespace
}  // namespace sekisho::fib
