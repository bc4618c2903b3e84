// SPDX-License-Identifier: BSD-3-Clause
// What is learned, from the kernel's routes to whoever takes it: which of it, and how fast.
#include "control/learn/learner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/namespace.hpp"

namespace sekisho::learn {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class LearnerTest : public test::InNamespace {
 protected:
  static void add_route(const std::string& prefix) {
    test::run("ip route add blackhole " + prefix + " table 100 proto 186");
  }
  const Settings settings_{.learning = {}, .frr = "nobody"};
};

TEST_F(LearnerTest, PublishesWhatTheKernelHas) {
  std::vector<Learner::Snapshot> published;
  Learner learner{io, [&](Learner::Snapshot snapshot) { published.push_back(std::move(snapshot)); }};
  learner.learn(settings_);
  const auto first = learner.wait_for_first(10s);
  ASSERT_TRUE(first) << first.error();
  EXPECT_TRUE((*first)->routes.empty());
  add_route("192.0.2.0/24");
  ASSERT_TRUE(until([&] { return !published.empty() && published.back()->routes.size() == 1; }));
}

TEST_F(LearnerTest, WhatAnEarlierCallLedToIsPublishedNoMore) {
  std::size_t published = 0;
  Learner learner{io, [&](const Learner::Snapshot&) { ++published; }};
  learner.learn(settings_);
  ASSERT_TRUE(learner.wait_for_first(10s));  // it is on its way to the io_context
  learner.learn(std::nullopt);
  io.poll();
  EXPECT_EQ(published, 0U);
  learner.learn(settings_);
  EXPECT_TRUE(until([&] { return published == 1; }));
}

// Whoever reads the log must not be told that routes are back which were given up.
TEST_F(LearnerTest, WhatIsGivenUpIsNotSaidToBeBack) {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  std::vector<Learner::Snapshot> published;
  {
    Learner learner{io, [&](Learner::Snapshot snapshot) { published.push_back(std::move(snapshot)); }};
    auto settings = settings_;
    settings.learning.hold = 300ms;
    learner.learn(settings);
    const auto count = [&](std::size_t routes, std::size_t held) {
      return until([&] {
        return !published.empty() && published.back()->routes.size() == routes &&
               std::ranges::count_if(published.back()->routes, &route::LearnedRoute::held) ==
                   static_cast<std::ptrdiff_t>(held);
      });
    };
    // The second time it is held as long as the first: the hold of before has ended.
    for (int round = 0; round != 2; ++round) {
      for (int number = 0; number != 20; ++number) {
        add_route("192.0.2." + std::to_string(number) + "/32");
      }
      ASSERT_TRUE(count(20, 0));
      test::run("ip route flush table 100");
      ASSERT_TRUE(count(20, 20));
      ASSERT_TRUE(count(0, 0));
    }
  }
  spdlog::set_default_logger(before);
  EXPECT_THAT(log.str(),
              testing::HasSubstr("20 learned routes that were held are not back, and are given up"));
  EXPECT_THAT(log.str(), testing::Not(testing::HasSubstr("are back")));
}

// Three quarters of its time are left to whoever takes it, whose work begins when publish() has returned.
TEST_F(LearnerTest, IsNoFasterThanTheWorkThatItMakes) {
  std::vector<Clock::time_point> published;
  Learner learner{io, [&](const Learner::Snapshot&) {
                    published.push_back(Clock::now());
                    boost::asio::post(io, [] { std::this_thread::sleep_for(100ms); });
                  }};
  learner.learn(settings_);
  ASSERT_TRUE(until([&] { return published.size() == 1; }));
  add_route("192.0.2.0/24");
  ASSERT_TRUE(until([&] { return published.size() == 2; }));
  add_route("198.51.100.0/24");
  ASSERT_TRUE(until([&] { return published.size() == 3; }));
  EXPECT_GE(published[2] - published[1], 450ms);
}

}  // namespace
}  // namespace sekisho::learn
