// SPDX-License-Identifier: BSD-3-Clause
// Readers beside a writer. Every transaction writes its own number into all next hops and adds and withdraws
// prefixes of all lengths by it, so that the answer for any address tells which transaction gave it: a reader
// must see one that had begun when it had the answer and was not yet replaced when it asked.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>

#include "common/base/prefix.hpp"
#include "dataplane/fib/fib.hpp"
#include "tests/unit/fib/oracle.hpp"

namespace sekisho::fib {
namespace {

using testing::make_prefix;
using testing::operator""_prefix;

constexpr unsigned readers = 2;
constexpr std::uint32_t block_count = 6;

// SEKISHO_STRESS=20 lengthens the test twentyfold.
unsigned transactions() {
  const char* const factor = std::getenv("SEKISHO_STRESS");
  return 20'000U * (factor != nullptr ? static_cast<unsigned>(std::max(1, std::atoi(factor))) : 1U);
}

std::vector<base::Prefix> all_prefixes() {
  std::vector<base::Prefix> prefixes{"10.20.0.0/16"_prefix, "10.20.0.0/22"_prefix};
  for (std::uint32_t block = 0; block < block_count; ++block) {
    const std::uint32_t address = 0x0a140000 + (block << 8);
    prefixes.push_back(make_prefix(address, 24));
    for (const unsigned offset : {0U, 64U, 128U, 192U}) {
      prefixes.push_back(make_prefix(address + offset, 26));
    }
    prefixes.push_back(make_prefix(address + 77, 32));
  }
  return prefixes;
}

// Is prefix `index` there after transaction `number`? The /16 always is, the others one time in four.
bool present(std::size_t index, unsigned number) {
  std::uint64_t bits = (std::uint64_t{number} << 8 | index) * 0x9e3779b97f4a7c15ULL;
  bits = (bits ^ bits >> 32) * 0xbf58476d1ce4e5b9ULL;
  return index == 0 || bits >> 62 == 0;
}

// How many transactions can be told apart: 6 by the indexes of 8-bit entries, 700 by those of 16-bit ones.
class FibReaders : public ::testing::TestWithParam<unsigned> {};

class Expectation {
 public:
  explicit Expectation(unsigned numbers) : numbers_{numbers} {
    for (std::uint32_t address = first; address < first + block_count * 256; ++address) {
      auto& covering = covering_[address - first];
      for (std::size_t index = 0; index < prefixes_.size(); ++index) {
        if (prefixes_[index].covers(address)) {
          covering.push_back(index);
        }
      }
      std::sort(covering.begin(), covering.end(), [this](std::size_t left, std::size_t right) {
        return prefixes_[left].length > prefixes_[right].length;
      });
    }
  }

  [[nodiscard]] Value answer(std::uint32_t address, unsigned number) const {
    for (const std::size_t index : covering_[address - first]) {
      if (present(index, number)) {
        return next_hop(index, number);
      }
    }
    return no_route;
  }

  [[nodiscard]] std::vector<Route> transaction(unsigned number) const {
    std::vector<Route> changes;
    for (std::size_t index = 0; index < prefixes_.size(); ++index) {
      changes.push_back(
          {.prefix = prefixes_[index], .value = present(index, number) ? next_hop(index, number) : no_route});
    }
    return changes;
  }

  static constexpr std::uint32_t first = 0x0a140000;

 private:
  [[nodiscard]] Value next_hop(std::size_t index, unsigned number) const {
    return static_cast<Value>(1 + number % numbers_ * 40 + index);
  }

  unsigned numbers_;
  std::vector<base::Prefix> prefixes_ = all_prefixes();
  std::array<std::vector<std::size_t>, block_count * 256> covering_;
};

TEST_P(FibReaders, SeeBeforeOrAfterNeverAThird) {
  ASSERT_LE(all_prefixes().size(), 40U);
  const Expectation expectation{GetParam()};
  Qsbr qsbr{readers};
  // Few more than the blocks need: tables are reused as soon as it is allowed.
  const auto fib = Fib::create(qsbr, {.max_extension_tables = 4 * block_count}).value();
  ASSERT_TRUE(fib->apply(expectation.transaction(0)));

  std::atomic<unsigned> begun{0};
  std::atomic<unsigned> done{0};
  std::atomic<bool> stop{false};
  std::atomic<unsigned> running{0};
  std::atomic<unsigned> wrong{0};
  std::atomic<unsigned> during{0};  // answers given while a transaction was being applied
  std::vector<std::thread> threads;
  for (unsigned reader = 0; reader < readers; ++reader) {
    threads.emplace_back([&, reader] {
      std::mt19937 random{reader};
      std::array<std::uint32_t, 16> addresses{};
      std::array<Value, 16> next_hops{};
      qsbr.online(reader);
      running.fetch_add(1);
      for (unsigned round = 0; !stop.load(std::memory_order_relaxed) && wrong.load() == 0; ++round) {
        for (auto& address : addresses) {
          address = Expectation::first + static_cast<std::uint32_t>(random()) % (block_count * 256);
        }
        const unsigned earliest = done.load(std::memory_order_acquire);
        fib->lookup_bulk(addresses.data(), next_hops.data(), addresses.size());
        const unsigned latest = begun.load(std::memory_order_acquire);
        for (std::size_t i = 0; i < addresses.size(); ++i) {
          bool right = false;
          for (unsigned number = earliest; number <= latest && !right; ++number) {
            right = next_hops[i] == expectation.answer(addresses[i], number);
          }
          if (!right) {
            wrong.fetch_add(1);
            ADD_FAILURE() << base::address_to_string(addresses[i]) << " gave " << next_hops[i]
                          << " between transactions " << earliest << " and " << latest;
            break;
          }
        }
        during.fetch_add(earliest != latest, std::memory_order_relaxed);
        // Seldom enough that the writer runs out of tables meanwhile.
        if (round % 64 == 0) {
          qsbr.quiescent(reader);
        }
        if (round % 4096 == 0) {
          qsbr.offline(reader);
          qsbr.online(reader);
        }
      }
      qsbr.offline(reader);
    });
  }
  while (running.load() < readers) {
    std::this_thread::yield();
  }

  unsigned waited = 0;  // transactions that were refused at first: tables waited for their grace period
  for (unsigned number = 1; number <= transactions() && waited < transactions() / 100 && wrong.load() == 0;
       ++number) {
    const auto changes = expectation.transaction(number);
    begun.store(number, std::memory_order_release);
    bool applied = fib->apply(changes).has_value();
    waited += !applied;
    while (!applied) {
      std::this_thread::yield();
      applied = fib->apply(changes).has_value();
    }
    done.store(number, std::memory_order_release);
  }
  stop.store(true);
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong.load(), 0U);
  RecordProperty("transactions", static_cast<int>(done.load()));
  EXPECT_GT(waited, 0U) << "the tables were never short: the test did not test their reuse";
  EXPECT_GT(during.load(), 0U) << "no reader was there while something changed";
  EXPECT_EQ(fib->memory().entry_bits, GetParam() > 6 ? 16U : 8U);
}

INSTANTIATE_TEST_SUITE_P(Table, FibReaders, ::testing::Values(6, 700),
                         [](const auto& numbers) { return numbers.param > 6 ? "Wide" : "Narrow"; });

// The next hop that the first transaction writes; each one after it the next.
class FibReadersOfMuch : public ::testing::TestWithParam<Value> {};

// Many entries, shortcuts and extension tables change at once: a /9, /24s and /26s inside of it, every time. Half
// of the shortcuts lead on in one transaction and answer in the next.
TEST_P(FibReadersOfMuch, SeeALargeTransactionWhole) {
  constexpr unsigned most = 200;
  constexpr unsigned at_once = 16;
  Qsbr qsbr{readers};
  const auto fib = Fib::create(qsbr, {.max_extension_tables = 600}).value();
  const Value base = GetParam();
  const auto transaction = [base](unsigned number) {
    std::vector<Route> changes{{.prefix = "10.0.0.0/9"_prefix, .value = static_cast<Value>(base + number)}};
    for (std::uint32_t i = 0; i < 256; ++i) {
      const bool there = (number + i) % 2 == 0;
      const Value next_hop = there ? changes.front().value : no_route;
      changes.push_back({.prefix = make_prefix(0x0a000000 + (i << 15), 26), .value = next_hop});
      changes.push_back({.prefix = make_prefix(0x0a000000 + (i << 15) + 256, 24), .value = next_hop});
    }
    return changes;
  };
  ASSERT_TRUE(fib->apply(transaction(0)));
  std::atomic<unsigned> begun{0};
  std::atomic<unsigned> done{0};
  std::atomic<bool> stop{false};
  std::atomic<unsigned> running{0};
  std::vector<std::thread> threads;
  for (unsigned reader = 0; reader < readers; ++reader) {
    threads.emplace_back([&, reader] {
      std::mt19937 random{reader};
      std::array<std::uint32_t, at_once> addresses{};
      std::array<Value, at_once> next_hops{};
      qsbr.online(reader);
      running.fetch_add(1);
      while (!stop.load(std::memory_order_relaxed)) {
        // Of one parity: their shortcuts lead on together or answer together.
        const std::uint32_t parity = random() % 2;
        for (auto& address : addresses) {
          const auto group = (static_cast<std::uint32_t>(random()) % 128 << 1 | parity) << 15;
          address = 0x0a000000 + group + static_cast<std::uint32_t>(random()) % 600;
        }
        const unsigned earliest = done.load(std::memory_order_acquire);
        fib->lookup_bulk(addresses.data(), next_hops.data(), at_once);
        const unsigned latest = begun.load(std::memory_order_acquire);
        for (unsigned i = 0; i < at_once; ++i) {
          const unsigned number = next_hops[i] - unsigned{base};
          if (number < earliest || number > latest) {
            ADD_FAILURE() << base::address_to_string(addresses[i]) << ": " << number << " is not from "
                          << earliest << " to " << latest;
            stop.store(true);
            break;
          }
        }
        qsbr.quiescent(reader);
      }
      qsbr.offline(reader);
    });
  }
  while (running.load() < readers) {
    std::this_thread::yield();
  }
  for (unsigned number = 1; number <= most && !stop.load(); ++number) {
    begun.store(number, std::memory_order_release);
    while (!fib->apply(transaction(number))) {
      std::this_thread::yield();
    }
    done.store(number, std::memory_order_release);
  }
  stop.store(true);
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(fib->memory().entry_bits, base + most > Narrow::max_value ? 16U : 8U);
}

// 154: the table is built anew with wider entries in the hundredth transaction, under the readers.
INSTANTIATE_TEST_SUITE_P(Table, FibReadersOfMuch, ::testing::Values(1, 154, 1000), [](const auto& base) {
  return base.param == 1 ? "Narrow" : base.param == 154 ? "Widening" : "Wide";
});

}  // namespace
}  // namespace sekisho::fib
