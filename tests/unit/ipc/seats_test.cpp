// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/seats.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace sekisho::ipc {
namespace {

using std::chrono::seconds;

constexpr std::chrono::steady_clock::time_point start{};

std::vector<Seat> seats(std::size_t count, bool owners, Standing standing) {
  std::vector<Seat> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back({owners, standing, start + seconds{i}});
  }
  return result;
}

TEST(Seats, EverybodyIsAdmittedWhileThereIsRoom) {
  const auto taken = seats(most_seats - owners_seats - 1, false, Standing::busy);
  EXPECT_TRUE(find_seat(taken, false).is_admitted);
  EXPECT_FALSE(find_seat(taken, false).leaves);
}

TEST(Seats, WhatOthersTakeLeavesRoomForTheOwner) {
  const auto taken = seats(most_seats - owners_seats, false, Standing::busy);
  EXPECT_FALSE(find_seat(taken, false).is_admitted);
  EXPECT_TRUE(find_seat(taken, true).is_admitted);
  EXPECT_FALSE(find_seat(taken, true).leaves);
}

TEST(Seats, WhoIsIdleLongestMakesRoom) {
  auto taken = seats(most_seats, true, Standing::idle);
  taken[0].standing = Standing::busy;
  taken[1].standing = Standing::subscribed;
  EXPECT_EQ(find_seat(taken, true).leaves, 2U);
}

TEST(Seats, ASubscriberMakesRoomBeforeNobodyDoes) {
  auto taken = seats(most_seats, true, Standing::subscribed);
  taken[0].standing = Standing::busy;
  EXPECT_EQ(find_seat(taken, true).leaves, 1U);
}

TEST(Seats, OthersNeverPushTheOwnerOut) {
  auto taken = seats(most_seats, true, Standing::idle);
  EXPECT_FALSE(find_seat(taken, false).is_admitted);
  taken[5].is_owners = false;
  EXPECT_EQ(find_seat(taken, false).leaves, 5U);
  EXPECT_EQ(find_seat(taken, true).leaves, 5U) << "another one before the owner's own";
}

TEST(Seats, WhoIsBusyStays) {
  EXPECT_FALSE(find_seat(seats(most_seats, false, Standing::busy), true).is_admitted);
}

}  // namespace
}  // namespace sekisho::ipc
