// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/fib/qsbr.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace sekisho::fib {
namespace {

TEST(Qsbr, WithoutReadersEverythingIsSafeAtOnce) {
  Qsbr qsbr{4};
  int reclaimed = 0;
  qsbr.retire([&] { ++reclaimed; });
  EXPECT_EQ(qsbr.pending(), 1U);
  EXPECT_EQ(reclaimed, 0) << "retire() itself runs nothing";
  qsbr.poll();
  EXPECT_EQ(reclaimed, 1);
  EXPECT_EQ(qsbr.pending(), 0U);
}

TEST(Qsbr, WaitsForEveryReaderThatIsOnline) {
  Qsbr qsbr{3};
  qsbr.online(0);
  qsbr.online(2);
  int reclaimed = 0;
  qsbr.retire([&] { ++reclaimed; });
  qsbr.poll();
  EXPECT_EQ(reclaimed, 0);
  qsbr.quiescent(0);
  qsbr.poll();
  EXPECT_EQ(reclaimed, 0) << "reader 2 has not reported";
  qsbr.quiescent(2);
  qsbr.poll();
  EXPECT_EQ(reclaimed, 1);
  qsbr.offline(0);
  qsbr.offline(2);
}

TEST(Qsbr, AReportFromBeforeDoesNotCount) {
  Qsbr qsbr{1};
  qsbr.online(0);
  qsbr.quiescent(0);
  bool reclaimed = false;
  qsbr.retire([&] { reclaimed = true; });
  qsbr.poll();
  EXPECT_FALSE(reclaimed);
  qsbr.offline(0);
  qsbr.poll();
  EXPECT_TRUE(reclaimed) << "a reader that sleeps holds up nobody";
}

TEST(Qsbr, ReclaimsInOrderAndOnlyWhatIsSafe) {
  Qsbr qsbr{1};
  qsbr.online(0);
  std::vector<int> reclaimed;
  qsbr.retire([&] { reclaimed.push_back(1); });
  qsbr.retire([&] { reclaimed.push_back(2); });
  qsbr.quiescent(0);
  qsbr.retire([&] { reclaimed.push_back(3); });
  qsbr.poll();
  EXPECT_EQ(reclaimed, (std::vector{1, 2}));
  EXPECT_EQ(qsbr.pending(), 1U);
  qsbr.offline(0);
  qsbr.synchronize();
  EXPECT_EQ(reclaimed, (std::vector{1, 2, 3}));
}

TEST(Qsbr, WhatIsReclaimedMayRetireMore) {
  Qsbr qsbr{1};
  int reclaimed = 0;
  qsbr.retire([&] {
    ++reclaimed;
    qsbr.retire([&] { ++reclaimed; });
    qsbr.poll();
  });
  qsbr.poll();
  EXPECT_EQ(reclaimed, 2);
}

TEST(Qsbr, TheEndRunsWhatIsPending) {
  int reclaimed = 0;
  {
    Qsbr qsbr{2};
    qsbr.retire([&] {
      ++reclaimed;
      qsbr.retire([&] { ++reclaimed; });
    });
  }
  EXPECT_EQ(reclaimed, 2);
}

TEST(Qsbr, SynchronizeWaitsForAReaderOnAnotherThread) {
  Qsbr qsbr{1};
  std::atomic<bool> online{false};
  std::atomic<bool> stop{false};
  std::thread reader{[&] {
    qsbr.online(0);
    online.store(true);
    while (!stop.load()) {
      qsbr.quiescent(0);
      std::this_thread::yield();
    }
    qsbr.offline(0);
  }};
  while (!online.load()) {
    std::this_thread::yield();
  }
  int reclaimed = 0;
  for (int i = 0; i < 100; ++i) {
    qsbr.retire([&] { ++reclaimed; });
    qsbr.synchronize();
    EXPECT_EQ(reclaimed, i + 1);
  }
  stop.store(true);
  reader.join();
}

// Readers dereference what the writer frees: address and thread sanitizer see a grace period that is too
// short.
TEST(Qsbr, NoReaderSeesFreedMemory) {
  constexpr unsigned readers = 2;
  constexpr int alive = 0x5eca11;
  Qsbr qsbr{readers};
  std::atomic<int*> shared{new int{alive}};
  std::atomic<bool> stop{false};
  std::atomic<unsigned> running{0};
  std::vector<std::thread> threads;
  for (unsigned reader = 0; reader < readers; ++reader) {
    threads.emplace_back([&, reader] {
      qsbr.online(reader);
      running.fetch_add(1);
      for (unsigned round = 0; !stop.load(std::memory_order_relaxed); ++round) {
        EXPECT_EQ(*shared.load(std::memory_order_acquire), alive);
        qsbr.quiescent(reader);
        if (round % 64 == 0) {
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
  for (int i = 0; i < 20'000; ++i) {
    int* const old = shared.exchange(new int{alive}, std::memory_order_acq_rel);
    qsbr.retire([old] {
      *old = 0;
      delete old;
    });
    qsbr.poll();
    if (qsbr.pending() > 64) {
      qsbr.synchronize();
    }
  }
  stop.store(true);
  for (auto& thread : threads) {
    thread.join();
  }
  delete shared.load();
}

}  // namespace
}  // namespace sekisho::fib
