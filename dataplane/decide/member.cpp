// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/decide/member.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>
#include <utility>

#include "dataplane/decide/matching.hpp"
#include "dataplane/decide/score.hpp"

namespace sekisho::decide {
namespace {

constexpr unsigned max_ranks = 8;

// Numbers of buckets with 40 bits behind the point: the same on every machine, as floating point may not be.
using Amount = std::int64_t;
constexpr unsigned point = 40;

// Weights as small as their ratios allow: those that mean the same choose the same.
auto weights_of(const std::vector<Member>& members) -> std::array<Amount, max_members> {
  std::array<Amount, max_members> weights{};
  Amount divisor = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    weights[i] = std::max<Amount>(members[i].weight, 1);
    divisor = std::gcd(divisor, weights[i]);
  }
  for (auto& weight : weights) {
    weight /= divisor;
  }
  return weights;
}

// Of one rank: how many buckets of a group each member is due, by weight among those that a bucket has not chosen yet. What
// rounding gives to one member or takes from it in one group is made up for in the next.
class Due {
 public:
  Due(const std::array<Amount, max_members>& weights, unsigned members)
      : weights_{weights}, members_{members} {
    total_ = std::accumulate(weights.begin(), weights.begin() + members, Amount{0});
  }

  [[nodiscard]] auto quotas(std::span<const std::uint32_t> group, const std::vector<MemberMask>& taken)
      -> Matching::Quotas {
    std::array<Amount, max_members> not_theirs{};
    std::array<unsigned, max_members> room;
    room.fill(static_cast<unsigned>(group.size()));
    Amount all = 0;
    for (const auto bucket : group) {
      const Amount unit = unit_of(taken[bucket]);
      all += unit;
      for (MemberMask left = taken[bucket]; left != 0; left &= left - 1) {
        const auto member = static_cast<unsigned>(std::countr_zero(left));
        not_theirs[member] += unit;
        --room[member];
      }
    }
    Matching::Quotas quotas{};
    unsigned dealt = 0;
    for (unsigned member = 0; member < members_; ++member) {
      owed_[member] += weights_[member] * (all - not_theirs[member]);
      const Amount whole = std::clamp<Amount>(owed_[member] >> point, 0, room[member]);
      quotas[member] = static_cast<unsigned>(whole);
      owed_[member] -= whole << point;
      dealt += quotas[member];
    }
    settle(quotas, room, dealt, static_cast<unsigned>(group.size()));
    return quotas;
  }

 private:
  // What one unit of weight has of a bucket that these have chosen already.
  [[nodiscard]] Amount unit_of(MemberMask taken) const noexcept {
    Amount rest = total_;
    for (; taken != 0; taken &= taken - 1) {
      rest -= weights_[static_cast<unsigned>(std::countr_zero(taken))];
    }
    return (Amount{1} << point) / rest;
  }

  // The largest remainders get one more, until all is dealt; of equal ones the first.
  void settle(Matching::Quotas& quotas, const std::array<unsigned, max_members>& room, unsigned dealt,
              unsigned wanted) {
    const auto move = [&](unsigned member, int by) {
      quotas[member] += static_cast<unsigned>(by);
      dealt += static_cast<unsigned>(by);
      owed_[member] -= Amount{by} << point;
    };
    while (dealt != wanted) {
      unsigned best = max_members;
      for (unsigned member = 0; member < members_; ++member) {
        const bool may = dealt < wanted ? quotas[member] < room[member] : quotas[member] > 0;
        const bool better = best == max_members ||
                            (dealt < wanted ? owed_[member] > owed_[best] : owed_[member] < owed_[best]);
        best = may && better ? member : best;
      }
      move(best, dealt < wanted ? 1 : -1);
    }
  }

  const std::array<Amount, max_members>& weights_;
  unsigned members_;
  Amount total_ = 0;
  std::array<Amount, max_members> owed_{};
};

auto all_scores(const std::vector<Member>& members, unsigned buckets) -> std::vector<std::uint32_t> {
  std::vector<std::uint32_t> scores;
  scores.reserve(std::size_t{buckets} * members.size());
  for (unsigned bucket = 0; bucket < buckets; ++bucket) {
    for (const auto& member : members) {
      scores.push_back(score(member.address, bucket));
    }
  }
  return scores;
}

}  // namespace

Preferences::Preferences(std::vector<Member> members)
    : members_{std::move(members)},
      buckets_{bucket_count(members_.size())},
      ranks_{std::min(static_cast<unsigned>(members_.size()), max_ranks)},
      ranked_(std::size_t{buckets_} * ranks_) {
  assert(!members_.empty() && members_.size() <= max_members);
  assert(std::ranges::is_sorted(members_));
  const auto count = static_cast<unsigned>(members_.size());
  const auto weights = weights_of(members_);
  // The first choices are made alike in so many buckets, whatever the number of all: where it doubles, flows stay.
  const auto alike = std::min(buckets_, bucket_count(2));
  Matching first(all_scores(members_, alike), count, buckets_);
  Matching further(all_scores(members_, buckets_), count, buckets_);
  std::vector<MemberMask> taken(buckets_);
  std::vector<std::vector<std::uint32_t>> groups(1);
  groups[0].resize(buckets_);
  std::iota(groups[0].begin(), groups[0].end(), 0U);
  for (unsigned rank = 0; rank < ranks_; ++rank) {
    Due due(weights, count);
    std::vector<std::pair<std::uint32_t, unsigned>> chosen;
    for (const auto& group : groups) {
      (rank == 0 ? first : further)
          .deal(group, taken, due.quotas(group, taken), [&](std::uint32_t bucket, unsigned member) {
            ranked_[std::size_t{bucket} * ranks_ + rank] = static_cast<std::uint8_t>(member);
            chosen.emplace_back(bucket, member);
          });
    }
    for (const auto& [bucket, member] : chosen) {
      taken[bucket] |= MemberMask{1} << member;
    }
    if (rank == 0) {  // from now on among buckets of the same first choice
      groups.assign(count, {});
      for (unsigned bucket = 0; bucket < buckets_; ++bucket) {
        groups[ranked_[std::size_t{bucket} * ranks_]].push_back(bucket);
      }
    }
  }
}

unsigned Preferences::choose_behind(unsigned bucket, MemberMask living) const noexcept {
  assert(living != 0);
  unsigned best = 0;
  std::uint32_t best_score = 0;
  for (bool first = true; living != 0; living &= living - 1, first = false) {
    const auto position = static_cast<unsigned>(std::countr_zero(living));
    const Member& member = members_[position];
    const auto own = weighted_score(member.address, bucket, std::max<unsigned>(member.weight, 1));
    if (first || own > best_score) {
      best = position;
      best_score = own;
    }
  }
  return best;
}

}  // namespace sekisho::decide
