// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/write_whole.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/temporary_folder.hpp"

namespace sekisho::base {
namespace {

namespace fs = std::filesystem;

auto content(const fs::path& file) -> std::string {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

auto files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator{folder}, {});
}

TEST(WriteWhole, ReplacesWhatWasThere) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("a", "before, and longer");
  ASSERT_TRUE(write_whole(file, "after", {.mode = 0640, .belongs_to_folder = true, .waits_for_disk = true}));
  EXPECT_EQ(content(file), "after");
  struct stat found {};
  ASSERT_EQ(::stat(file.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0640U);
  EXPECT_EQ(files_in(folder.path()), 1);
}

// Of a folder that is another user's: whatever link lies there, nobody else's file is opened for it.
TEST(WriteWhole, FollowsNoLink) {
  const test::TemporaryFolder folder;
  const test::TemporaryFolder elsewhere;
  const auto victim = elsewhere.write("victim", "mine");
  for (const auto* name : {"a", "a.new", "a.sekisho", ".a"}) {
    fs::create_symlink(victim, folder.path() / name);
  }
  ASSERT_TRUE(write_whole(folder.path() / "a", "text"));
  EXPECT_EQ(content(victim), "mine");
  EXPECT_FALSE(fs::is_symlink(folder.path() / "a"));
  EXPECT_EQ(content(folder.path() / "a"), "text");
}

TEST(WriteWhole, AsWhatItReplaces) {
  ASSERT_EQ(::geteuid(), 0U) << "only root can give a file away: run it as scripts/test does";
  const test::TemporaryFolder folder;
  const auto file = folder.write("a", "before");
  ASSERT_EQ(::chown(file.c_str(), 4711, 4712), 0);
  ASSERT_EQ(::chmod(file.c_str(), 0620), 0);
  ASSERT_TRUE(write_whole(file, "after", {.is_as_before = true}));
  struct stat found {};
  ASSERT_EQ(::stat(file.c_str(), &found), 0);
  EXPECT_EQ(content(file), "after");
  EXPECT_EQ(found.st_uid, 4711U);
  EXPECT_EQ(found.st_gid, 4712U);
  EXPECT_EQ(found.st_mode & 07777U, 0620U);
  // A new one is as it is said to be.
  ASSERT_TRUE(write_whole(folder.path() / "b", "text", {.mode = 0644, .is_as_before = true}));
  ASSERT_EQ(::stat((folder.path() / "b").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0644U);
}

// Who may write in the folder, and may not give a file away.
TEST(WriteWhole, TakesNoFileFromItsOwner) {
  ASSERT_EQ(::geteuid(), 0U) << "only root can give a file away: run it as scripts/test does";
  const test::TemporaryFolder folder;
  const auto file = folder.write("a", "before");
  ASSERT_EQ(::chown(folder.path().c_str(), 4711, 4711), 0);
  ASSERT_EQ(::chown(file.c_str(), 4713, 4711), 0);
  ASSERT_EQ(::chmod(file.c_str(), 0664), 0);
  ASSERT_EQ(::seteuid(4711), 0);
  const auto refused = write_whole(file, "after", {.is_as_before = true});
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            file.native() +
                " cannot be written: Operation not permitted: it belongs to another user or group, "
                "to whom only root can give it back");
  EXPECT_EQ(content(file), "before");
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(WriteWhole, ToTheOwnerOfTheFolder) {
  ASSERT_EQ(::geteuid(), 0U) << "only root can give a file away: run it as scripts/test does";
  const test::TemporaryFolder folder;
  ASSERT_EQ(::chown(folder.path().c_str(), 4711, 4712), 0);
  ASSERT_TRUE(write_whole(folder.path() / "a", "text", {.belongs_to_folder = true}));
  struct stat found {};
  ASSERT_EQ(::stat((folder.path() / "a").c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, 4711U);
  EXPECT_EQ(found.st_gid, 4712U);
}

TEST(WriteWhole, AFailureLeavesNothing) {
  const test::TemporaryFolder folder;
  const auto taken = folder.path() / "a";
  fs::create_directories(taken / "b");
  EXPECT_EQ(write_whole(taken, "text").error(), taken.native() + " cannot be written: Is a directory");
  EXPECT_EQ(files_in(folder.path()), 1);
  EXPECT_EQ(write_whole("/nowhere/at-all", "text").error(),
            "/nowhere/at-all cannot be written: No such file or directory");
}

}  // namespace
}  // namespace sekisho::base
