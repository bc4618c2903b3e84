// SPDX-License-Identifier: BSD-3-Clause
// Policies are kept with their files as they were, found again by another process, and forgotten in their order.
#include "control/history/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/temporary_folder.hpp"

namespace sekisho::history {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

auto text_of(const std::filesystem::path& file) -> std::string {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

struct HistoryStore : testing::Test {
  static auto copy_of(const Store& store, const std::vector<std::filesystem::path>& files,
                      std::string cause = "reload") {
    std::vector<base::Stamp> stamps;
    for (const auto& file : files) {
      stamps.push_back(base::stamp(file));
    }
    return Copy::take(store.directory(), stamps, store.newest_root(), std::move(cause));
  }
  auto keep(Store& store, std::string cause = "reload") -> std::uint64_t {
    auto copy = copy_of(store, {config, routes}, std::move(cause));
    EXPECT_TRUE(copy) << copy.error();
    return store.keep(**copy, std::nullopt).value();
  }
  auto numbers(const Store& store) const {
    std::vector<std::uint64_t> result;
    for (const auto& entry : store.entries()) {
      result.push_back(entry.number);
    }
    return result;
  }
  auto folders() const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator{directory}) {
      result.push_back(entry.path().filename());
    }
    return result;
  }

  test::TemporaryFolder folder;
  std::filesystem::path directory = folder.path() / "state" / "history";
  std::filesystem::path config = folder.write("sekisho.toml", "one");
  std::filesystem::path routes = folder.write("routes.txt", "10.0.0.0/8 firewall\n");
};

TEST_F(HistoryStore, KeepsTheFilesAsTheyWereForTheNextProcess) {
  {
    auto store = Store::open(directory);
    EXPECT_THAT(store.problems(), IsEmpty());
    EXPECT_EQ(keep(store, "start"), 1U);
    folder.write("sekisho.toml", "two");
    EXPECT_EQ(keep(store), 2U);
  }
  const auto store = Store::open(directory);
  ASSERT_THAT(numbers(store), ElementsAre(1, 2));
  const auto& first = store.entries().front();
  EXPECT_EQ(first.cause, "start");
  EXPECT_THAT(first.files, ElementsAre(config, routes));
  EXPECT_GT(first.ran_unix_ms, 0U);
  EXPECT_EQ(text_of(beneath(store.root(1), config)), "one");
  EXPECT_EQ(text_of(beneath(store.root(2), config)), "two");
}

TEST_F(HistoryStore, AFileThatDoesNotChangeLiesOnTheDiskOnce) {
  auto store = Store::open(directory);
  keep(store);
  folder.write("sekisho.toml", "two");
  keep(store);
  EXPECT_TRUE(std::filesystem::equivalent(beneath(store.root(1), routes), beneath(store.root(2), routes)));
  EXPECT_FALSE(std::filesystem::equivalent(beneath(store.root(1), config), beneath(store.root(2), config)));
}

TEST_F(HistoryStore, WhatRunsAgainIsNoPolicyOfItsOwn) {
  auto store = Store::open(directory);
  EXPECT_EQ(keep(store), 1U);
  EXPECT_EQ(keep(store), 1U);
  folder.write("sekisho.toml", "two");
  EXPECT_EQ(keep(store), 2U);
  folder.write("sekisho.toml", "one");
  EXPECT_EQ(keep(store), 3U);
  EXPECT_THAT(folders(), testing::UnorderedElementsAre("1", "2", "3"));
}

TEST_F(HistoryStore, OneFileLessIsAnotherPolicy) {
  auto store = Store::open(directory);
  keep(store);
  auto copy = copy_of(store, {config});
  ASSERT_TRUE(copy);
  EXPECT_EQ(store.keep(**copy, std::nullopt), 2U);
}

TEST_F(HistoryStore, ACopyThatNobodyKeepsIsGone) {
  auto store = Store::open(directory);
  keep(store);
  { EXPECT_TRUE(copy_of(store, {config})); }
  EXPECT_THAT(folders(), ElementsAre("1"));
}

// Two reloads may share what was read.
TEST_F(HistoryStore, ACopyIsKeptOnce) {
  auto store = Store::open(directory);
  const auto copy = copy_of(store, {config});
  ASSERT_TRUE(copy);
  EXPECT_EQ(store.keep(**copy, std::nullopt), 1U);
  EXPECT_EQ(store.keep(**copy, std::nullopt), 1U);

  // What was the newest stays that one when it runs again after another.
  const auto again = copy_of(store, {config});
  ASSERT_TRUE(again);
  EXPECT_EQ(store.keep(**again, std::nullopt), 1U);
  keep(store);
  EXPECT_EQ(store.keep(**again, std::nullopt), 1U);
}

TEST_F(HistoryStore, WhatHasChangedSinceItWasReadIsNotWhatRan) {
  const auto store = Store::open(directory);
  const std::vector stamps{base::stamp(config)};
  folder.write("sekisho.toml", "longer");
  const auto copy = Copy::take(store.directory(), stamps, {}, "reload");
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error(), config.native() + " cannot be copied: it has changed since it was read");
  EXPECT_THAT(folders(), IsEmpty());
}

TEST_F(HistoryStore, AFileThatWasMissingIsMissingAgain) {
  auto store = Store::open(directory);
  keep(store);
  std::filesystem::remove(routes);
  const auto keep_without = [&] {
    auto copy = copy_of(store, {config, routes});
    EXPECT_TRUE(copy) << copy.error();
    return store.keep(**copy, std::nullopt).value();
  };
  EXPECT_EQ(keep_without(), 2U);
  EXPECT_EQ(keep_without(), 2U);
  EXPECT_THAT(store.find(2)->files, ElementsAre(config));
  EXPECT_FALSE(std::filesystem::exists(beneath(store.root(2), routes)));
}

// A table of the subnet's that only checks want to see, say.
TEST_F(HistoryStore, WhatCouldNotBeReadMadeNoPolicyAndIsLeftOut) {
  auto store = Store::open(directory);
  const auto folder_instead = folder.path() / "subnet.json";
  std::filesystem::create_directory(folder_instead);
  const auto copy = copy_of(store, {config, folder_instead});
  ASSERT_TRUE(copy) << copy.error();
  EXPECT_THAT((*copy)->entry().files, ElementsAre(config));
}

TEST_F(HistoryStore, TheOldestGoButForThoseThatMayRunAgain) {
  auto store = Store::open(directory);
  keep(store);
  ASSERT_TRUE(store.set_pin(Pin{.policy = 1}));
  for (std::size_t i = 0; i < Store::most; ++i) {
    folder.write("sekisho.toml", std::to_string(i));
    auto copy = copy_of(store, {config});
    ASSERT_TRUE(store.keep(**copy, 2));
  }
  EXPECT_EQ(store.entries().size(), Store::most);
  EXPECT_NE(store.find(1), nullptr);
  EXPECT_NE(store.find(2), nullptr);
  EXPECT_EQ(store.find(3), nullptr);
  EXPECT_EQ(folders().size(), Store::most + 1);  // and the pin
}

TEST_F(HistoryStore, APinIsThereForTheNextProcess) {
  auto store = Store::open(directory);
  keep(store);
  const Pin pin{.policy = 1, .is_trial = true};
  ASSERT_TRUE(store.set_pin(pin));
  EXPECT_EQ(Store::open(directory).pin(), pin);
  ASSERT_TRUE(store.set_pin(std::nullopt));
  EXPECT_EQ(Store::open(directory).pin(), std::nullopt);
}

TEST_F(HistoryStore, WhatCannotBeReadIsSaidAndIsNotThere) {
  {
    auto store = Store::open(directory);
    keep(store);
    folder.write("sekisho.toml", "two");
    keep(store);
    ASSERT_TRUE(store.set_pin(Pin{.policy = 7}));
  }
  folder.write("state/history/2/entry.json", "{\"cause\": 2}");
  auto store = Store::open(directory);
  EXPECT_THAT(numbers(store), ElementsAre(1));
  EXPECT_EQ(store.pin(), std::nullopt);
  EXPECT_THAT(store.problems(), ElementsAre(HasSubstr("2/entry.json: is no entry of the history"),
                                            HasSubstr("starts-with.json: policy 7 is not in the history")));
  EXPECT_THAT(folders(), testing::UnorderedElementsAre("1", "2", "starts-with.json"));

  // What could not be read may be pinned: its number is nobody else's.
  EXPECT_EQ(keep(store), 3U);

  folder.write("state/history/starts-with.json", "7");
  EXPECT_THAT(Store::open(directory).problems(), testing::Contains(HasSubstr("does not name a policy")));
}

// Of a process that was killed; and not of one that is copying while another looks.
TEST_F(HistoryStore, WhatNobodyKeptIsRemovedByWhoOwnsTheHistory) {
  std::filesystem::create_directories(directory / "new.abcdef" / "root");
  const auto store = Store::open(directory);
  EXPECT_THAT(folders(), ElementsAre("new.abcdef"));
  store.remove_unfinished();
  EXPECT_THAT(folders(), IsEmpty());
}

TEST_F(HistoryStore, TheGuardClosesForWhatWillBeStarted) {
  const auto state = directory.parent_path();
  EXPECT_EQ(configuration_that_starts(state, config).config, config);
  auto store = Store::open(directory);
  keep(store);
  EXPECT_EQ(configuration_that_starts(state, config).config, config);
  EXPECT_EQ(configuration_that_starts(state, config).root, "");
  ASSERT_TRUE(store.set_pin(Pin{.policy = 1}));
  folder.write("sekisho.toml", "two");
  const auto starting = configuration_that_starts(state, config);
  EXPECT_EQ(text_of(starting.config), "one");
  EXPECT_EQ(starting.config, beneath(starting.root, config));
}

}  // namespace
}  // namespace sekisho::history
