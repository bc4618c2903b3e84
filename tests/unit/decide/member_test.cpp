// SPDX-License-Identifier: BSD-3-Clause
// What an operator counts on, for every number of members: even shares, by weight; a death moves only the dead one's flows.
#include "dataplane/decide/member.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

namespace sekisho::decide {
namespace {

constexpr std::uint32_t firewall = 0x0a00020a;  // 10.0.2.10, the first of the members

Preferences preferences(const std::vector<unsigned>& weights) {
  std::vector<Member> members;
  for (const unsigned weight : weights) {
    members.push_back(
        {firewall + static_cast<std::uint32_t>(members.size()), static_cast<std::uint8_t>(weight)});
  }
  return Preferences(std::move(members));
}

// Built once: most tests want them.
const Preferences& equals(unsigned count) {
  static std::map<unsigned, Preferences> built;
  const auto known = built.find(count);
  return known != built.end()
             ? known->second
             : built.emplace(count, preferences(std::vector<unsigned>(count, 1))).first->second;
}

MemberMask all_of(const Preferences& preferences) {
  return ~MemberMask{0} >> (max_members - preferences.members().size());
}

std::vector<unsigned> choices(const Preferences& preferences, MemberMask living) {
  std::vector<unsigned> chosen;
  for (unsigned bucket = 0; bucket < preferences.buckets(); ++bucket) {
    chosen.push_back(preferences.choose(bucket, living));
  }
  return chosen;
}

std::vector<unsigned> shares(const Preferences& preferences, MemberMask living) {
  std::vector<unsigned> shares(preferences.members().size());
  for (const unsigned member : choices(preferences, living)) {
    ++shares[member];
  }
  return shares;
}

// Of `of` members so many at random.
MemberMask some_dead(unsigned of, unsigned dead, std::mt19937& random) {
  std::vector<unsigned> members(of);
  std::iota(members.begin(), members.end(), 0U);
  std::ranges::shuffle(members, random);
  MemberMask living = ~MemberMask{0} >> (max_members - of);
  for (unsigned i = 0; i < dead; ++i) {
    living &= ~(MemberMask{1} << members[i]);
  }
  return living;
}

TEST(Member, BucketsAreAPowerOfTwoOfAtLeast256AMember) {
  EXPECT_EQ(bucket_count(1), 1U);
  EXPECT_EQ(bucket_count(2), 1024U);
  EXPECT_EQ(bucket_count(4), 1024U);
  EXPECT_EQ(bucket_count(5), 2048U);
  EXPECT_EQ(bucket_count(16), 4096U);
  EXPECT_EQ(bucket_count(17), 8192U);
  EXPECT_EQ(bucket_count(64), 16384U);
}

class Members : public ::testing::TestWithParam<unsigned> {};

TEST_P(Members, HaveTheirShareWithinABucketWhileAllLive) {
  const auto& some = equals(GetParam());
  for (const unsigned share : shares(some, all_of(some))) {
    EXPECT_GE(share, some.buckets() / GetParam());
    EXPECT_LE(share, some.buckets() / GetParam() + 1);
    const double fair = static_cast<double>(some.buckets()) / GetParam();
    EXPECT_NEAR(share, fair, fair / 100);
  }
}

TEST_P(Members, HaveTheirShareWithinATenthWhileUpToHalfAreDead) {
  const unsigned count = GetParam();
  const auto& some = equals(count);
  std::mt19937 random(count);
  for (int round = 0; round < 40; ++round) {
    const unsigned dead = round % 2 == 0 ? count / 2 : static_cast<unsigned>(random()) % (count / 2 + 1);
    const auto living = some_dead(count, dead, random);
    const double fair = static_cast<double>(some.buckets()) / (count - dead);
    const auto all = shares(some, living);
    for (unsigned member = 0; member < count; ++member) {
      const bool lives = (living >> member & 1) != 0;
      EXPECT_NEAR(all[member], lives ? fair : 0, lives ? fair / 10 : 0)
          << dead << " of " << count << " dead, member " << member;
    }
  }
}

TEST_P(Members, ThatDieMoveTheirOwnFlowsOnly) {
  const unsigned count = GetParam();
  const auto& some = equals(count);
  std::mt19937 random(count);
  auto living = all_of(some);
  auto before = choices(some, living);
  const auto from_the_start = before;
  for (int round = 0; round < 30; ++round) {
    const auto member = static_cast<unsigned>(random()) % count;
    const auto bit = MemberMask{1} << member;
    if ((living ^ bit) == 0) {
      continue;
    }
    const bool dies = (living & bit) != 0;
    living ^= bit;
    const auto after = choices(some, living);
    unsigned others = 0;
    unsigned dead = 0;
    for (unsigned bucket = 0; bucket < some.buckets(); ++bucket) {
      others += before[bucket] != after[bucket] && (dies ? before : after)[bucket] != member ? 1 : 0;
      dead += (living >> after[bucket] & 1) == 0 ? 1 : 0;
    }
    ASSERT_EQ(others, 0U) << "of buckets that are not its own have moved";
    ASSERT_EQ(dead, 0U) << "buckets have a dead member";
    before = after;
  }
  EXPECT_EQ(choices(some, all_of(some)), from_the_start);
}

TEST_P(Members, AreOneAfterTheOtherTheLastOneAlive) {
  const auto& some = equals(GetParam());
  for (unsigned member = 0; member < GetParam(); ++member) {
    EXPECT_EQ(shares(some, MemberMask{1} << member)[member], some.buckets());
  }
}

TEST_P(Members, HaveSharesByWeightWithinABucket) {
  std::mt19937 random(GetParam());
  std::vector<unsigned> weights;
  for (unsigned i = 0; i < GetParam(); ++i) {
    weights.push_back(1 + static_cast<unsigned>(random()) % max_weight);
  }
  const auto some = preferences(weights);
  const auto all = shares(some, all_of(some));
  const double total = std::accumulate(weights.begin(), weights.end(), 0U);
  for (unsigned member = 0; member < GetParam(); ++member) {
    EXPECT_NEAR(all[member], some.buckets() * weights[member] / total, 1) << "of weight " << weights[member];
  }
}

INSTANTIATE_TEST_SUITE_P(Upto64, Members, ::testing::Range(1U, max_members + 1));

TEST(Member, HeirsOfADeadOneInheritByWeight) {
  const auto some = preferences({1, 2, 3, 10});
  const auto living = all_of(some) & ~MemberMask{0b1000};
  const auto after = shares(some, living);
  EXPECT_NEAR(after[0], 1024 / 6.0, 3);
  EXPECT_NEAR(after[1], 1024 / 3.0, 3);
  EXPECT_NEAR(after[2], 1024 / 2.0, 3);
}

TEST(Member, WeightsOfTheSameRatiosChooseAlike) {
  const auto small = preferences({1, 2, 3});
  const auto large = preferences({33, 66, 99});
  for (MemberMask living = 1; living < 8; ++living) {
    EXPECT_EQ(choices(small, living), choices(large, living));
  }
  EXPECT_EQ(choices(preferences({7, 7, 7}), 7), choices(equals(3), 7));
}

TEST(Member, OneOfWeightZeroKeepsItsPlaceInTheOrder) {
  EXPECT_EQ(choices(preferences({1, 0, 1}), 0b101), choices(equals(3), 0b101));
}

// A reload that adds a firewall is not a death, and may move more than it must; that it moves little is what plain rendezvous
// hashing was good for. Also where the number of buckets doubles.
TEST(Member, OneMoreMovesFewFlowsBesidesItsOwn) {
  for (const unsigned count : {2U, 3U, 4U, 5U, 8U, 12U, 16U, 32U, 63U}) {
    const auto& before = equals(count);
    const auto& after = equals(count + 1);
    unsigned moved = 0;
    for (std::uint32_t hash = 0; hash < after.buckets(); ++hash) {
      moved += before.choose(before.bucket_of(hash), all_of(before)) !=
                       after.choose(after.bucket_of(hash), all_of(after))
                   ? 1
                   : 0;
    }
    EXPECT_LT(moved, after.buckets() / (count + 1) + after.buckets() / 20) << count << " members";
  }
}

TEST(Member, WeighedBehindTheEighthChoice) {
  std::vector<unsigned> weights(40, 1);
  weights[38] = 1;
  weights[39] = 3;
  const auto some = preferences(weights);
  const auto all = shares(some, MemberMask{0b11} << 38);
  EXPECT_NEAR(all[39], some.buckets() * 3 / 4, some.buckets() / 25);
}

// Two appliances of different versions stand side by side during an upgrade: these values are forever.
TEST(Member, ThePlacementIsFixedForever) {
  const auto digest = [](const Preferences& some, MemberMask living) {
    std::uint32_t sum = 0;
    for (const unsigned member : choices(some, living)) {
      sum = sum * 0x9e37'79b1 + member;
    }
    return sum;
  };
  const auto three = choices(equals(3), 0b111);
  EXPECT_EQ(std::vector(three.begin(), three.begin() + 16),
            (std::vector<unsigned>{0, 1, 2, 1, 0, 0, 0, 2, 2, 0, 0, 2, 2, 1, 0, 1}));
  EXPECT_EQ(digest(equals(3), 0b111), 1956524783U);
  EXPECT_EQ(digest(equals(3), 0b101), 2795470878U);
  EXPECT_EQ(digest(equals(64), ~MemberMask{0}), 3813234176U);
  EXPECT_EQ(digest(equals(64), ~MemberMask{0} << 40), 2934246822U);
  EXPECT_EQ(digest(preferences({2, 1, 100, 7}), 0b1111), 971177714U);
}

}  // namespace
}  // namespace sekisho::decide
