// SPDX-License-Identifier: BSD-3-Clause
// What an operator has said is there after a restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "control/reconcile/kept_state.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::reconcile {
namespace {

TEST(KeptState, IsThereAfterwards) {
  const test::TemporaryFolder folder;
  auto state = KeptState::open(folder.path()).value();
  EXPECT_TRUE(state.get("a").is_null());
  ASSERT_TRUE(state.set("a", 7));
  ASSERT_TRUE(state.set("b", {"x", "y"}));
  ASSERT_TRUE(state.set("b", nullptr));
  const auto again = KeptState::open(folder.path()).value();
  EXPECT_EQ(again.get("a"), 7);
  EXPECT_TRUE(again.get("b").is_null());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder.path()}, {}), 1);
}

TEST(KeptState, WhatIsNotOursIsRefused) {
  const test::TemporaryFolder folder;
  for (const auto* text : {"", "[1]", "{\"a\": ", "nonsense"}) {
    const auto file = folder.write("control.json", text);
    EXPECT_EQ(KeptState::open(folder.path()).error(), file.native() + " is not a JSON object") << text;
  }
}

TEST(KeptState, WhatCannotBeWrittenChangesNothing) {
  KeptState state{"/nowhere/at-all"};
  EXPECT_EQ(state.set("a", 7).error(),
            "/nowhere/at-all/control.json cannot be written: No such file or directory");
  EXPECT_TRUE(state.get("a").is_null());
}

}  // namespace
}  // namespace sekisho::reconcile
