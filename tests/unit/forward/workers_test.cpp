// SPDX-License-Identifier: BSD-3-Clause
// As many workers as there may be, each a thread that does what a worker's round does with what is shared: it takes the state, looks up a
// burst, counts it on its own and reports, now and then as one that sleeps. The writer meanwhile puts one table in the place of
// another and frees it, and somebody adds the counters up. ThreadSanitizer runs it, too.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "dataplane/forward/worker_data.hpp"

namespace sekisho::forward {
namespace {

constexpr ZoneIndex zone{1};
constexpr unsigned burst = 32;
constexpr unsigned frame_bytes = 64;
constexpr unsigned swaps = 16;

// Every address leads to `next_hop`.
struct World {
  World(fib::Qsbr& qsbr, fib::Value next_hop_) : next_hop{next_hop_}, table{fib::Fib::create(qsbr).value()} {
    const std::vector<fib::Route> halves{{{0, 1}, next_hop}, {{0x8000'0000, 1}, next_hop}};
    EXPECT_TRUE(table->apply(halves));
    state.zone(zone).table = table.get();
  }
  fib::Value next_hop;
  std::unique_ptr<fib::Fib> table;
  ForwardingState state;
};

// What one worker says that it did, without its counters.
struct Own {
  WorkerData data;
  std::uint64_t rounds = 0;
  std::uint64_t wrong = 0;
};

class Sixteen : public testing::Test {
 protected:
  void work(unsigned index) {
    Own& own = *owns_[index];
    auto& counters = own.data.counters;
    std::mt19937 random{index};
    std::array<std::uint32_t, burst> addresses;
    std::array<fib::Value, burst> found;
    qsbr_.online(index);
    started_.fetch_add(1);
    while (!stop_.load(std::memory_order_relaxed)) {
      const World* const world = world_.load(std::memory_order_acquire);
      for (auto& address : addresses) {
        address = static_cast<std::uint32_t>(random());
      }
      world->state.zone(zone).table->lookup_bulk(addresses.data(), found.data(), burst);
      for (const auto value : found) {
        own.wrong += value != world->next_hop;
      }
      counters.ports[0].rx.add(burst, burst * frame_bytes);
      counters.next_hops[found.front()].add(burst, burst * frame_bytes);
      counters.polls.add(1);
      ++own.rounds;
      if (own.rounds % 64 == index) {
        qsbr_.offline(index);
        qsbr_.online(index);
      } else {
        qsbr_.quiescent(index);
      }
      std::this_thread::yield();  // few machines have a CPU for each
    }
    qsbr_.offline(index);
  }

  std::uint64_t received() const {
    std::uint64_t all = 0;
    for (const auto& own : owns_) {
      all += own->data.counters.ports[0].rx.packets.get();
    }
    return all;
  }

  fib::Qsbr qsbr_{max_workers};
  std::vector<std::unique_ptr<Own>> owns_;
  std::atomic<const World*> world_{nullptr};
  std::atomic<unsigned> started_{0};
  std::atomic<bool> stop_{false};
};

TEST_F(Sixteen, WorkersCountAllThatTheySawWhileTablesAreSwapped) {
  auto current = std::make_unique<World>(qsbr_, 1);
  world_.store(current.get());
  std::vector<std::thread> threads;
  for (unsigned index = 0; index < max_workers; ++index) {
    owns_.push_back(std::make_unique<Own>());
  }
  for (unsigned index = 0; index < max_workers; ++index) {
    threads.emplace_back([this, index] { work(index); });
  }
  while (started_.load() < max_workers) {
    std::this_thread::yield();
  }
  unsigned freed = 0;
  std::uint64_t before = 0;
  for (unsigned swap = 1; swap <= swaps; ++swap) {
    auto next = std::make_unique<World>(qsbr_, static_cast<fib::Value>(1 + swap));
    world_.store(next.get(), std::memory_order_release);
    qsbr_.retire([&freed, old = std::shared_ptr<World>(std::move(current))] { ++freed; });
    current = std::move(next);
    if (swap % 4 == 0) {
      qsbr_.synchronize();
    } else {
      qsbr_.poll();
    }
    const auto now = received();
    EXPECT_GE(now, before) << "a counter went back";
    before = now;
  }
  qsbr_.synchronize();
  EXPECT_EQ(freed, swaps) << "a table that nobody reads any more";
  stop_.store(true);
  for (auto& thread : threads) {
    thread.join();
  }
  for (unsigned index = 0; index < max_workers; ++index) {
    const auto& [data, rounds, wrong] = *owns_[index];
    const auto& rx = data.counters.ports[0].rx;
    EXPECT_GT(rounds, 0U) << "worker " << index;
    EXPECT_EQ(wrong, 0U) << "worker " << index;
    EXPECT_EQ(data.counters.polls.get(), rounds);
    EXPECT_EQ(rx.packets.get(), rounds * burst);
    EXPECT_EQ(rx.bytes.get(), rounds * burst * frame_bytes);
    std::uint64_t led = 0;
    for (const auto& next_hop : data.counters.next_hops) {
      led += next_hop.packets.get();
    }
    EXPECT_EQ(led, rx.packets.get());
  }
}

}  // namespace
}  // namespace sekisho::forward
