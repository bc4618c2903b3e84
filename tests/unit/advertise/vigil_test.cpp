// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <chrono>

#include "control/advertise/vigil.hpp"

namespace sekisho::advertise {
namespace {

using namespace std::chrono_literals;

TEST(Vigil, WithdrawsLateWhenControlIsGoneAndAtOnceWhenBothAre) {
  const Vigil::Time start{};
  Vigil vigil{start};
  vigil.dead_after(30s);
  EXPECT_TRUE(vigil.is_to_withdraw(start)) << "nobody is there";
  vigil.dataplane(true);
  EXPECT_FALSE(vigil.is_to_withdraw(start + 29s));
  EXPECT_TRUE(vigil.is_to_withdraw(start + 30s));
  vigil.control_is_there();
  EXPECT_FALSE(vigil.is_to_withdraw(start + 60s));
  vigil.dataplane(false);
  EXPECT_FALSE(vigil.is_to_withdraw(start + 60s)) << "control does";
  vigil.control_is_gone(start + 60s);
  EXPECT_TRUE(vigil.is_to_withdraw(start + 60s));
  vigil.dataplane(true);
  vigil.control_is_gone(start + 80s);
  EXPECT_TRUE(vigil.is_to_withdraw(start + 90s)) << "it has been gone since it went";
}

}  // namespace
}  // namespace sekisho::advertise
