// SPDX-License-Identifier: BSD-3-Clause
// The loop itself: it takes what comes, sleeps when nothing does, holds up no writer, and stops.
#include <chrono>
#include <functional>
#include <thread>

#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

// Waits for an event; the deadline only ends a test that has failed.
bool eventually(const std::function<bool()>& event) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!event()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class Running : public testing::Test {
 protected:
  void start(forward::Worker::Options options) {
    worker_ = std::make_unique<forward::Worker>(qsbr_, options);
    thread_ = std::thread([this] { worker_->run(); });
  }
  ~Running() override {
    if (thread_.joinable()) {
      worker_->stop();
      thread_.join();
    }
  }

  fib::Qsbr qsbr_{1};
  std::unique_ptr<forward::Worker> worker_;
  std::thread thread_;
};

TEST_F(Running, SleepsWhenIdleAndStillForwards) {
  start({.index = 0, .max_sleep_us = 100});
  ASSERT_TRUE(eventually([&] { return worker_->counters().sleeps.get() > 10; })) << "also without any state";
  worker_->set_state(&lab().state);
  worker_->set_queues(&lab().queues);
  const Packet in = packet().to("10.0.5.5");
  for (int round = 0; round < 5; ++round) {
    const auto sleeps = worker_->counters().sleeps.get();
    lab().send(lan, in.bytes());
    std::vector<Bytes> out;
    ASSERT_TRUE(eventually([&] { return !(out = lab().sent(spoke)).empty(); }));
    EXPECT_EQ(out, std::vector<Bytes>{forwarded_to(vnet_router, in)});
    ASSERT_TRUE(eventually([&] { return worker_->counters().sleeps.get() > sleeps; }));
  }
  worker_->stop();
  thread_.join();
  EXPECT_EQ(worker_->counters().ports[lan].rx.packets.get(), 5U);
  EXPECT_EQ(worker_->counters().ports[spoke].tx.packets.get(), 5U);
  EXPECT_EQ(lab().mbufs_free(), lab().mbufs_total());
}

TEST_F(Running, SpinsWhenToldTo) {
  start({.index = 0, .spin = true});
  worker_->set_state(&lab().state);
  worker_->set_queues(&lab().queues);
  ASSERT_TRUE(eventually([&] { return worker_->counters().polls.get() > 100'000; }));
  EXPECT_EQ(worker_->counters().sleeps.get(), 0U);
}

TEST_F(Running, SleepsNoSoonerThanItIsTold) {
  start({.index = 0, .sleep_after_us = 1'000'000'000});
  worker_->set_state(&lab().state);
  worker_->set_queues(&lab().queues);
  ASSERT_TRUE(eventually([&] { return worker_->counters().polls.get() > 100'000; }));
  EXPECT_EQ(worker_->counters().sleeps.get(), 0U);
}

TEST_F(Running, HoldsUpNoWriter) {
  start({.index = 0, .max_sleep_us = 1000});
  const std::vector<forward::RxQueue> no_queues;
  int reclaimed = 0;
  for (int round = 0; round < 50; ++round) {
    worker_->set_state(round % 2 == 0 ? &lab().state : nullptr);
    worker_->set_queues(round % 3 == 0 ? &no_queues : &lab().queues);
    qsbr_.retire([&] { ++reclaimed; });
    qsbr_.synchronize();  // hangs if the worker does not report, the test's timeout ends it
  }
  EXPECT_EQ(reclaimed, 50);
}

}  // namespace
}  // namespace sekisho::test
