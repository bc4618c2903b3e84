// SPDX-License-Identifier: BSD-3-Clause
// Whether a member is alive, sample by sample.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/reach/liveness.hpp"

namespace sekisho::reach {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const config::Probe probe{.type = config::Probe::Type::tcp,
                          .port = 443,
                          .through = {},
                          .path = {},
                          .interval = 500ms,
                          .timeout = 500ms,
                          .down_after = 3,
                          .up_after = 3,
                          .hold = 30s};

// A member that the kernel is content with, and its clock.
struct PulseTest : testing::Test {
  PulseTest() {
    pulse.probe_by(probe, now);
    pulse.see(true, now);
  }
  void answers(int times = 1) {
    for (int i = 0; i < times; ++i) {
      now += 500ms;
      pulse.hear({Sample::Result::answered, 300us, {}}, now);
    }
  }
  void fails(int times = 1) {
    for (int i = 0; i < times; ++i) {
      now += 500ms;
      pulse.hear({Sample::Result::failed, {}, "connection refused"}, now);
    }
  }
  void cannot_be_sent(int times = 1) {
    for (int i = 0; i < times; ++i) {
      now += 500ms;
      pulse.hear({Sample::Result::unsent, {}, "Too many open files"}, now);
    }
  }
  void pass(std::chrono::milliseconds time) { pulse.pass(now += time); }
  void die() {
    answers();
    fails(3);
    ASSERT_FALSE(pulse.is_alive());
  }

  Pulse pulse;
  Time now{1h};
};

TEST_F(PulseTest, OfWhichNothingIsKnownIsAliveWithItsFirstAnswer) {
  EXPECT_FALSE(pulse.is_alive());
  EXPECT_TRUE(pulse.is_undecided());
  answers();
  EXPECT_TRUE(pulse.is_alive());
  EXPECT_EQ(pulse.round_trip(), 300us);
}

TEST_F(PulseTest, ThatNeverAnsweredHasToComeBackLikeAnyOther) {
  fails(3);
  EXPECT_FALSE(pulse.is_undecided());
  answers(3);
  EXPECT_FALSE(pulse.is_alive());
  EXPECT_EQ(pulse.hold_ends_at(), now - 1s + 30s);
}

TEST_F(PulseTest, DiesOfAsManyAsTheConfigurationSaysInARow) {
  answers();
  fails(2);
  answers();
  fails(2);
  EXPECT_TRUE(pulse.is_alive());
  EXPECT_THAT(pulse.why(), HasSubstr("2 of 3 probes lost: connection refused"));
  fails();
  EXPECT_FALSE(pulse.is_alive());
  EXPECT_EQ(pulse.why(), "probe: connection refused");
}

TEST_F(PulseTest, ComesBackAfterTheHoldThatBeganWithItsFirstAnswer) {
  die();
  answers(2);
  EXPECT_THAT(pulse.why(), HasSubstr("2 of 3"));
  EXPECT_FALSE(pulse.hold_ends_at());
  answers();
  EXPECT_FALSE(pulse.is_alive());
  pass(28999ms);
  EXPECT_FALSE(pulse.is_alive());
  pass(1ms);
  EXPECT_TRUE(pulse.is_alive());
  EXPECT_FALSE(pulse.hold_ends_at());
}

TEST_F(PulseTest, BeginsTheHoldAnewWithEachProbeThatIsLost) {
  die();
  answers(50);
  fails();
  answers(50);
  EXPECT_FALSE(pulse.is_alive());
  answers(11);
  EXPECT_TRUE(pulse.is_alive());
}

TEST_F(PulseTest, FlapsOnceHoweverOftenItsProbeDoes) {
  die();
  for (int i = 0; i < 20; ++i) {
    answers(4);
    fails(4);
    EXPECT_FALSE(pulse.is_alive());
  }
}

TEST_F(PulseTest, GoesWithItsLinkAndHasToAnswerAgain) {
  answers(10);
  pulse.see(false, now);
  EXPECT_FALSE(pulse.is_alive());
  pulse.see(true, now);
  EXPECT_FALSE(pulse.is_alive());
  answers(3);
  pass(28999ms);
  EXPECT_FALSE(pulse.is_alive());
  pass(1ms);
  EXPECT_TRUE(pulse.is_alive());
}

TEST_F(PulseTest, HearsNothingThatWasSentBeforeItsLinkWent) {
  answers();
  pulse.see(false, now);
  answers();
  pulse.see(true, now);
  EXPECT_THAT(pulse.why(), HasSubstr("not spoken yet"));
}

TEST_F(PulseTest, WhoseLinkCameLateWaitsOutNoHold) {
  pulse.see(false, now);
  pulse.see(true, now);
  answers();
  EXPECT_TRUE(pulse.is_alive());
}

TEST_F(PulseTest, IsNotToBlameForWhatThisHostCannotSend) {
  answers();
  cannot_be_sent(100);
  EXPECT_TRUE(pulse.is_alive());
  EXPECT_THAT(pulse.why(), HasSubstr("cannot be sent: Too many open files"));
  fails(2);
  EXPECT_TRUE(pulse.is_alive());
  cannot_be_sent();
  fails();
  EXPECT_FALSE(pulse.is_alive()) << "what was sent was lost three times in a row";
}

// --- Another control was there before.

TEST_F(PulseTest, ThatWasForwardedToStaysUntilItsProbesHaveSpoken) {
  pulse.inherit(true, now);
  EXPECT_TRUE(pulse.is_alive());
  fails(2);
  EXPECT_TRUE(pulse.is_alive());
  fails();
  EXPECT_FALSE(pulse.is_alive());
}

// The kernel may be asked again for the neighbour when control takes over.
TEST_F(PulseTest, ThatWasForwardedToIsAliveAsSoonAsTheKernelIsContent) {
  pulse.see(false, now);
  pulse.inherit(true, now);
  EXPECT_FALSE(pulse.is_alive());
  pulse.see(true, now);
  EXPECT_TRUE(pulse.is_alive());
}

TEST_F(PulseTest, ThatWasDownStaysDownThroughTheHold) {
  pulse.inherit(false, now);
  EXPECT_FALSE(pulse.is_undecided());
  answers(3);
  EXPECT_FALSE(pulse.is_alive());
  pass(29s);
  EXPECT_TRUE(pulse.is_alive());
}

TEST_F(PulseTest, ThatWasDownStaysSoAlsoWhenItAnsweredBeforeThisWasKnown) {
  answers();
  ASSERT_TRUE(pulse.is_alive());
  pulse.inherit(false, now);
  EXPECT_FALSE(pulse.is_alive());
}

// --- Another configuration.

TEST_F(PulseTest, ThatGetsAProbeStaysAliveUntilThatHasSpoken) {
  Pulse unprobed;
  unprobed.see(true, now);
  EXPECT_TRUE(unprobed.is_alive());
  unprobed.probe_by(probe, now);
  EXPECT_TRUE(unprobed.is_alive());
  for (int i = 0; i < 3; ++i) {
    unprobed.hear({Sample::Result::failed, {}, "timed out"}, now);
  }
  EXPECT_FALSE(unprobed.is_alive());
}

TEST_F(PulseTest, ThatLosesItsProbeIsAliveByTheKernelsWord) {
  die();
  pulse.probe_by(std::nullopt, now);
  EXPECT_TRUE(pulse.is_alive());
}

TEST_F(PulseTest, WithAnotherProbeStaysWhatItWas) {
  answers();
  auto other = probe;
  other.port = 80;
  pulse.probe_by(other, now);
  EXPECT_TRUE(pulse.is_alive());
  fails(3);
  other.port = 81;
  pulse.probe_by(other, now);
  EXPECT_FALSE(pulse.is_alive());
}

// --- All members.

struct LivenessTest : testing::Test {
  void follow(bool well, bool asking = false) {
    member.alive = well;
    member.asking = asking;
    member.why = well ? "reachable" : "link eth0 is down";
    liveness.follow(std::vector<Liveness::Followed>{{member, probe}, {other, std::nullopt}}, groups, now);
  }
  auto hear(Sample::Result result) -> bool {
    return liveness.hear(member.address, {result, 300us, "lost"}, now);
  }
  auto judged() -> Member {
    config::Config config;
    config.next_hops = {{.name = "firewall", .members = {member.address}, .probe = probe}};
    std::vector<Member> members{member};
    liveness.judge(members, config);
    return members.front();
  }

  Member member{.port = "egress", .address = 0x0a00020a};
  Member other{.port = "egress", .address = 0x0a00020b, .alive = true};
  std::vector<Liveness::Group> groups{{member.address, other.address}};
  Liveness liveness;
  Time now{1h};
};

TEST_F(LivenessTest, AMemberIsDatedAndItsFlapsAreCounted) {
  follow(true);
  EXPECT_TRUE(judged().asking);
  EXPECT_FALSE(judged().since);
  EXPECT_TRUE(hear(Sample::Result::answered));
  follow(true);
  EXPECT_EQ(judged().since, now);
  EXPECT_TRUE(judged().alive);
  const auto up = now;
  now += 1s;
  EXPECT_FALSE(hear(Sample::Result::failed));
  EXPECT_FALSE(hear(Sample::Result::failed));
  EXPECT_TRUE(hear(Sample::Result::failed));
  EXPECT_EQ(judged().since, up) << "not before it was looked at";
  follow(true);
  EXPECT_EQ(judged().since, now);
  EXPECT_FALSE(judged().alive);
  EXPECT_EQ(judged().downs, 1U);
  EXPECT_EQ(judged().ups, 0U);
  EXPECT_EQ(liveness.wakes_at(), std::nullopt);
  EXPECT_FALSE(hear(Sample::Result::answered));
  EXPECT_FALSE(hear(Sample::Result::answered));
  EXPECT_TRUE(hear(Sample::Result::answered)) << "the hold has begun, and may be needless";
  follow(true);
  EXPECT_FALSE(judged().alive);
  EXPECT_EQ(liveness.wakes_at(), now + 30s);
  now += 30s;
  follow(true);
  EXPECT_TRUE(judged().alive);
  EXPECT_EQ(judged().ups, 1U);
}

TEST_F(LivenessTest, NobodyWaitsOutAHoldWhoseNextHopHasNoOther) {
  follow(true);
  hear(Sample::Result::answered);
  follow(true);
  other.alive = false;
  for (int i = 0; i < 3; ++i) {
    hear(Sample::Result::failed);
  }
  follow(true);
  ASSERT_FALSE(judged().alive);
  hear(Sample::Result::answered);
  hear(Sample::Result::answered);
  follow(true);
  EXPECT_FALSE(judged().alive) << "it has to be well all the same";
  EXPECT_TRUE(hear(Sample::Result::answered));
  follow(true);
  EXPECT_TRUE(judged().alive);
  EXPECT_EQ(judged().ups, 1U);
  EXPECT_FALSE(liveness.wakes_at());
}

TEST_F(LivenessTest, AHoldEndsWhenTheLastOtherMemberDies) {
  follow(true);
  hear(Sample::Result::answered);
  follow(true);
  for (int i = 0; i < 3; ++i) {
    hear(Sample::Result::failed);
  }
  follow(true);
  for (int i = 0; i < 3; ++i) {
    hear(Sample::Result::answered);
  }
  follow(true);
  ASSERT_FALSE(judged().alive);
  other.alive = false;
  follow(true);
  EXPECT_TRUE(judged().alive);
}

TEST_F(LivenessTest, WhoeverGetsNoFlowsEndsNobodysHold) {
  other.alive = false;
  groups = {{other.address}};
  follow(true);
  for (int i = 0; i < 3; ++i) {
    hear(Sample::Result::failed);
  }
  for (int i = 0; i < 3; ++i) {
    hear(Sample::Result::answered);
  }
  follow(true);
  EXPECT_FALSE(judged().alive);
}

TEST_F(LivenessTest, TheKernelsReasonIsShownWhereItIsTheReason) {
  follow(false);
  EXPECT_EQ(judged().why, "link eth0 is down");
  EXPECT_EQ(judged().since, now) << "there is nothing to wait for";
}

TEST_F(LivenessTest, WhoIsNotFollowedIsForgotten) {
  follow(true);
  hear(Sample::Result::answered);
  liveness.follow({}, {}, now);
  member.alive = true;
  EXPECT_FALSE(judged().alive);
  EXPECT_TRUE(judged().asking);
}

}  // namespace
}  // namespace sekisho::reach
