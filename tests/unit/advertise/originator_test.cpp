// SPDX-License-Identifier: BSD-3-Clause
// When routes are advertised.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "control/advertise/originator.hpp"

namespace sekisho::advertise {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

class OriginatorTest : public testing::Test {
 protected:
  OriginatorTest() { originator.follow({.withdraw_after = 2s, .advertise_after = 5s}); }
  Originator originator;
  Originator::Time start{};
};

TEST_F(OriginatorTest, LeavesWhatItFindsUntilItKnows) {
  EXPECT_EQ(originator.wish(start + 1h), Wish::leave);
  originator.judge({}, start);
  EXPECT_EQ(originator.wish(start + 4999ms), Wish::leave) << "its own restart is no event";
  EXPECT_EQ(originator.changes_at(start), start + 5s);
  EXPECT_EQ(originator.wish(start + 5s), Wish::announce);
  EXPECT_EQ(originator.changes_at(start + 5s), std::nullopt);
}

TEST_F(OriginatorTest, IsDampedBothWays) {
  originator.judge({}, start);
  ASSERT_EQ(originator.wish(start + 10s), Wish::announce);
  originator.judge({"no living member of firewall"}, start + 10s);
  EXPECT_EQ(originator.wish(start + 11999ms), Wish::announce);
  EXPECT_EQ(originator.wish(start + 12s), Wish::withdraw);
  EXPECT_THAT(originator.why_not(start + 12s), ElementsAre("no living member of firewall"));
  originator.judge({}, start + 20s);
  EXPECT_EQ(originator.wish(start + 24s), Wish::withdraw);
  EXPECT_THAT(originator.why_not(start + 24s), ElementsAre("traffic has not been forwarded for 5s yet"));
  EXPECT_EQ(originator.wish(start + 25s), Wish::announce);
  EXPECT_THAT(originator.why_not(start + 25s), IsEmpty());
}

TEST_F(OriginatorTest, WhatFlapsFasterThanItIsDampedChangesNothing) {
  originator.judge({}, start);
  ASSERT_EQ(originator.wish(start + 5s), Wish::announce);
  for (auto now = start + 10s; now < start + 20s; now += 2s) {
    originator.judge({"down"}, now);
    EXPECT_EQ(originator.wish(now + 1s), Wish::announce);
    originator.judge({}, now + 1s);
    EXPECT_EQ(originator.wish(now + 2s), Wish::announce);
  }
}

TEST_F(OriginatorTest, AVerdictAgainDoesNotBeginAnew) {
  originator.judge({"a"}, start);
  originator.judge({"b"}, start + 1s);
  EXPECT_EQ(originator.wish(start + 2s), Wish::withdraw);
}

TEST_F(OriginatorTest, WhatWasDueBeforeAVerdictHasHappened) {
  originator.judge({"down"}, start);
  originator.judge({}, start + 3s);
  EXPECT_EQ(originator.wish(start + 4s), Wish::withdraw);
}

TEST_F(OriginatorTest, NothingDampsADrain) {
  originator.judge({}, start);
  ASSERT_EQ(originator.wish(start + 5s), Wish::announce);
  originator.drain(true);
  EXPECT_EQ(originator.wish(start + 5s), Wish::withdraw);
  EXPECT_THAT(originator.why_not(start + 5s), ElementsAre("it is being drained"));
  originator.drain(false);
  EXPECT_EQ(originator.wish(start + 5s), Wish::announce);
}

}  // namespace
}  // namespace sekisho::advertise
