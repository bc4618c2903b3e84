// SPDX-License-Identifier: BSD-3-Clause
// The same tables in DPDK's rte_fib: an implementation that shares nothing with ours must answer alike.
#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_fib.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane/fib/fib.hpp"
#include "tests/unit/fib/tables.hpp"

namespace sekisho::fib {
namespace {

class Reference {
 public:
  explicit Reference(std::size_t max_routes) {
    rte_fib_conf conf{};
    conf.type = RTE_FIB_DIR24_8;
    conf.default_nh = no_route;
    conf.max_routes = static_cast<int>(max_routes);
    conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
    conf.dir24_8.num_tbl8 = 32767;
    fib_.reset(rte_fib_create("reference", 0, &conf));
    if (!fib_) {
      throw std::runtime_error{"rte_fib_create"};
    }
  }

  void apply(std::span<const Route> changes) {
    for (const auto& [prefix, next_hop] : changes) {
      const int result = next_hop == no_route
                             ? rte_fib_delete(fib_.get(), prefix.address, prefix.length)
                             : rte_fib_add(fib_.get(), prefix.address, prefix.length, next_hop);
      ASSERT_EQ(result, 0) << to_string(prefix);
    }
  }

  void lookup(std::vector<std::uint32_t>& addresses, std::vector<std::uint64_t>& next_hops) {
    next_hops.resize(addresses.size());
    rte_fib_lookup_bulk(fib_.get(), addresses.data(), next_hops.data(), static_cast<int>(addresses.size()));
  }

 private:
  struct Free {
    void operator()(rte_fib* fib) const noexcept { rte_fib_free(fib); }
  };
  std::unique_ptr<rte_fib, Free> fib_;
};

class Differential : public ::testing::Test {
 protected:
  void apply(std::span<const Route> changes) {
    const auto applied = fib->apply(changes);
    ASSERT_TRUE(applied) << applied.error();
    ASSERT_NO_FATAL_FAILURE(reference->apply(changes));
  }

  // Every prefix' first and last address and their neighbours, and a million at random.
  void compare(std::span<const base::Prefix> prefixes) {
    std::vector<std::uint32_t> addresses;
    addresses.reserve(4 * prefixes.size() + 1'000'000);
    for (const base::Prefix& prefix : prefixes) {
      addresses.insert(addresses.end(),
                       {prefix.address, prefix.last(), prefix.address - 1, prefix.last() + 1});
    }
    for (int i = 0; i < 1'000'000; ++i) {
      addresses.push_back(static_cast<std::uint32_t>(random()));
    }
    std::vector<std::uint64_t> expected;
    reference->lookup(addresses, expected);
    std::vector<Value> actual(addresses.size());
    fib->lookup_bulk(addresses.data(), actual.data(), static_cast<unsigned>(addresses.size()));
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      ASSERT_EQ(actual[i], expected[i]) << base::address_to_string(addresses[i]);
    }
    ASSERT_GT(std::count_if(actual.begin(), actual.end(), [](auto next_hop) { return next_hop != no_route; }),
              0);
  }

  [[nodiscard]] Value random_next_hop() { return static_cast<Value>(1 + random() % max_value); }

  // Loads the table, changes a third of it, compares; withdraws half of it, compares.
  void run(const std::vector<base::Prefix>& table) {
    reference.reset();  // its name is free again
    reference = std::make_unique<Reference>(table.size() + 16);
    std::vector<Route> routes;
    for (const base::Prefix& prefix : table) {
      routes.push_back({.prefix = prefix, .value = random_next_hop()});
    }
    ASSERT_NO_FATAL_FAILURE(apply(routes));
    ASSERT_EQ(fib->size(), table.size());
    ASSERT_NO_FATAL_FAILURE(compare(table));

    std::shuffle(routes.begin(), routes.end(), random);
    const std::span changed = std::span{routes}.first(routes.size() / 3);
    for (Route& route : changed) {
      route.value = random_next_hop();
    }
    ASSERT_NO_FATAL_FAILURE(apply(changed));
    ASSERT_NO_FATAL_FAILURE(compare(table));

    const std::span withdrawn = std::span{routes}.last(routes.size() / 2);
    for (Route& route : withdrawn) {
      route.value = no_route;
    }
    ASSERT_NO_FATAL_FAILURE(apply(withdrawn));
    ASSERT_EQ(fib->size(), table.size() - withdrawn.size());
    ASSERT_NO_FATAL_FAILURE(compare(table));
  }

  Qsbr qsbr{1};
  std::unique_ptr<Fib> fib = Fib::create(qsbr).value();
  std::unique_ptr<Reference> reference;
  std::mt19937_64 random{8};
};

TEST_F(Differential, RandomTables) {
  for (int round = 0; round < 4; ++round) {
    fib = Fib::create(qsbr).value();
    std::vector<base::Prefix> table{{.address = 0, .length = 0}, {.address = 0, .length = 1}};
    for (int i = 0; i < 20'000; ++i) {
      base::Prefix prefix{.address = static_cast<std::uint32_t>(random()),
                          .length = static_cast<std::uint8_t>(random() % 33)};
      // Most of them in one /12, where they nest.
      if (random() % 4 != 0) {
        prefix = {.address = 0x0a100000 | (prefix.address & 0xfffff),
                  .length = static_cast<std::uint8_t>(12 + random() % 21)};
      }
      prefix.address &= prefix.mask();
      // rte_fib 22.11 mistakes the end of the space for its beginning when a nested prefix ends there; the
      // oracle's tests go there.
      if (prefix.last() != 0xffffffff) {
        table.push_back(prefix);
      }
    }
    std::sort(table.begin(), table.end());
    table.erase(std::unique(table.begin(), table.end()), table.end());
    std::shuffle(table.begin(), table.end(), random);
    ASSERT_NO_FATAL_FAILURE(run(table)) << "round " << round;
  }
}

TEST_F(Differential, GeneratedTableOfAnInternetRouter) {
  run(testing::generate_table(200'000));
}

// The real table is tested in addition, where it is at hand; the generated one stands for it elsewhere.
TEST_F(Differential, TableOfATier1Router) {
  const auto path = testing::find_data("tables/bart-tier1-2023.v4.tsv.gz");
  const auto table = path ? testing::read_table(*path) : testing::generate_table(901'899);
  RecordProperty("table", path ? path->string() : "generated");
  ASSERT_EQ(table.size(), 901'899U);
  run(table);
}

}  // namespace
}  // namespace sekisho::fib

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // One lcore, wherever we are allowed to run.
  std::vector<std::string> options{"fib_differential_test",
                                   "--no-huge",
                                   "-m",
                                   "768",
                                   "--no-shconf",
                                   "--no-pci",
                                   "--no-telemetry",
                                   "--file-prefix",
                                   "fib-differential-" + std::to_string(getpid()),
                                   "--lcores",
                                   "0@" + std::to_string(sched_getcpu())};
  std::vector<char*> pointers(options.size());
  std::transform(options.begin(), options.end(), pointers.begin(),
                 [](std::string& option) { return option.data(); });
  if (rte_eal_init(static_cast<int>(pointers.size()), pointers.data()) < 0) {
    std::fputs("the EAL could not be initialised\n", stderr);
    return 1;
  }
  const int result = RUN_ALL_TESTS();
  rte_eal_cleanup();
  return result;
}
