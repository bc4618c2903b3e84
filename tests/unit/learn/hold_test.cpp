// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/hold.hpp"

#include <gtest/gtest.h>

namespace sekisho::learn {
namespace {

using namespace std::chrono_literals;
using Verdict = Hold::Verdict;

class Holding : public testing::Test {
 protected:
  Hold hold_{120s};
  const Hold::Time start_{std::chrono::hours{1}};
};

TEST_F(Holding, AWithdrawalIsBelievedATenthOfASecondLater) {
  hold_.on_vanished(100, start_);
  EXPECT_EQ(hold_.wakes_at(), start_ + 100ms);
  EXPECT_EQ(hold_.judge(1, Health::well, start_ + 99ms), Verdict::wait);
  EXPECT_EQ(hold_.judge(1, Health::well, start_ + 100ms), Verdict::forget);
  EXPECT_EQ(hold_.wakes_at(), std::nullopt);
}

TEST_F(Holding, WhereMostWentItIsLookedAgain) {
  hold_.on_vanished(100, start_);
  EXPECT_EQ(hold_.judge(51, Health::well, start_ + 100ms), Verdict::wait);
  EXPECT_EQ(hold_.wakes_at(), start_ + 500ms);
  EXPECT_EQ(hold_.judge(100, Health::well, start_ + 500ms), Verdict::forget);
}

TEST_F(Holding, ADaemonThatIsBeingStoppedWithdrawsWhileItRuns) {
  hold_.on_vanished(2, start_);
  EXPECT_EQ(hold_.judge(2, Health::well, start_ + 100ms), Verdict::wait);
  EXPECT_EQ(hold_.judge(2, Health::gone, start_ + 500ms), Verdict::hold);
  EXPECT_EQ(hold_.wakes_at(), start_ + 500ms + 120s);
  EXPECT_FALSE(hold_.is_over(start_ + 120s));
  EXPECT_TRUE(hold_.is_over(start_ + 500ms + 120s));
  hold_.on_released();
  EXPECT_FALSE(hold_.is_over(start_ + 500ms + 120s));
}

TEST_F(Holding, WhatGoesLaterProlongsNothing) {
  hold_.on_vanished(10, start_);
  EXPECT_EQ(hold_.judge(1, Health::gone, start_ + 100ms), Verdict::hold);
  hold_.on_vanished(9, start_ + 60s);
  EXPECT_EQ(hold_.judge(1, Health::gone, start_ + 61s), Verdict::hold);
  EXPECT_EQ(hold_.held_since(), start_ + 100ms);
  EXPECT_TRUE(hold_.is_over(start_ + 100ms + 120s));
}

TEST_F(Holding, WhatADeadDaemonTookAlongIsHeldHoweverLittle) {
  hold_.on_vanished(10'000, start_);
  EXPECT_EQ(hold_.judge(1, Health::gone, start_ + 100ms), Verdict::hold);
}

TEST_F(Holding, WithoutFrrHalfOfAtLeastTenInASecond) {
  hold_.on_vanished(20, start_);
  EXPECT_EQ(hold_.judge(10, Health::unknown, start_ + 100ms), Verdict::forget);
  hold_.on_vanished(10, start_ + 200ms);
  EXPECT_EQ(hold_.judge(1, Health::unknown, start_ + 300ms), Verdict::hold)
      << "eleven of twenty within the second";
  Hold few{120s};
  few.on_vanished(9, start_);
  EXPECT_EQ(few.judge(9, Health::unknown, start_ + 100ms), Verdict::forget);
}

TEST_F(Holding, WhatCameBackMeanwhileIsNobodysBusiness) {
  hold_.on_vanished(20, start_);
  EXPECT_EQ(hold_.judge(0, Health::gone, start_ + 10ms), Verdict::wait);
  EXPECT_EQ(hold_.wakes_at(), std::nullopt);
}

TEST_F(Holding, ZeroHoldsNothing) {
  Hold none{0ms};
  none.on_vanished(20, start_);
  EXPECT_EQ(none.judge(20, Health::gone, start_ + 100ms), Verdict::forget);
}

}  // namespace
}  // namespace sekisho::learn
