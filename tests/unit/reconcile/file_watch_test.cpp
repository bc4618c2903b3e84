// SPDX-License-Identifier: BSD-3-Clause
// Files that are written, go, and lie on a mount that hangs, while the loop goes on.
#include "control/reconcile/file_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/reconcile/mount.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::reconcile {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct FileWatchTest : testing::Test {
  ~FileWatchTest() override { mount->end(); }

  void run_until(const std::function<bool()>& happened) {
    while (!happened()) {
      io.run_for(1ms);
      io.restart();
    }
  }
  void expect_changes(const FileWatch& watch, const testing::Matcher<std::vector<std::string>>& what) {
    run_until([&] { return testing::Value(watch.changes(), what); });
  }
  // On the mount all files are alike.
  auto look_at_mount() {
    return [mount = mount](const std::filesystem::path& file) {
      mount->read(file);
      return base::Stamp{.file = file, .size = 1};
    };
  }

  static constexpr FileWatch::Pace quick{.step = 1ms, .patience = 1h};
  std::shared_ptr<test::Mount> mount = std::make_shared<test::Mount>();
  test::TemporaryFolder folder;
  boost::asio::io_context io;
};

TEST_F(FileWatchTest, SaysWhatHasChangedSinceItWasRead) {
  const auto config = folder.write("sekisho.toml", "a");
  const auto routes = folder.write("routes.txt", "a");
  FileWatch watch{io, quick};
  watch.follow({base::stamp(config), base::stamp(routes)});
  EXPECT_THAT(watch.changes(), IsEmpty());
  static_cast<void>(folder.write("routes.txt", "ab"));
  expect_changes(watch, ElementsAre(routes.string() + " has changed"));
  std::filesystem::remove(config);
  expect_changes(watch, ElementsAre(config.string() + " is missing", routes.string() + " has changed"));
}

TEST_F(FileWatchTest, SaysWhatWouldBeIncludedNow) {
  const auto config = folder.write("sekisho.toml", "a");
  const auto zone = folder.write("zone.toml", "a");
  const auto more = folder.path() / "more.toml";
  const auto looks = std::make_shared<std::atomic<int>>(0);
  FileWatch watch{io, quick};
  // By two patterns, and the configuration itself by another name than it is given.
  const auto given = folder.path() / "." / "sekisho.toml";
  watch.follow({base::stamp(given), base::stamp(zone)}, [=] {
    ++*looks;
    return std::filesystem::exists(more) ? std::vector{config, more, zone, more} : std::vector{config, zone};
  });
  run_until([&] { return *looks >= 3; });
  EXPECT_THAT(watch.changes(), IsEmpty());
  static_cast<void>(folder.write("more.toml", "a"));
  static_cast<void>(folder.write("zone.toml", "ab"));
  expect_changes(watch, ElementsAre(zone.string() + " has changed", more.string() + " is new"));
  std::filesystem::remove(more);
  expect_changes(watch, ElementsAre(zone.string() + " has changed"));
}

TEST_F(FileWatchTest, WhatIsReadAgainHasNotChanged) {
  const auto routes = folder.write("routes.txt", "a");
  FileWatch watch{io, quick};
  watch.follow({base::stamp(routes)});
  static_cast<void>(folder.write("routes.txt", "ab"));
  expect_changes(watch, ElementsAre(routes.string() + " has changed"));
  watch.follow({base::stamp(routes)});
  EXPECT_THAT(watch.changes(), IsEmpty());
  static_cast<void>(folder.write("routes.txt", "abc"));
  expect_changes(watch, ElementsAre(routes.string() + " has changed"));
}

TEST_F(FileWatchTest, AMountThatHangsIsSaidAndHoldsUpNobody) {
  FileWatch watch{io, {.step = 1ms, .patience = 1ms}, look_at_mount()};
  watch.follow({{.file = "/mnt/routes.txt", .size = 1}});
  expect_changes(watch, ElementsAre("/mnt/routes.txt does not answer"));
  // It is asked by one thread, however long it takes.
  for (int i = 0; i < 20; ++i) {
    io.run_for(1ms);
    io.restart();
  }
  EXPECT_EQ(mount->reads(), 1);
  mount->answer();
  expect_changes(watch, IsEmpty());
}

TEST_F(FileWatchTest, LooksAgainAfterEachAnswer) {
  mount->answer();
  FileWatch watch{io, quick, look_at_mount()};
  watch.follow({{.file = "/mnt/routes.txt", .size = 1}});
  run_until([&] { return mount->reads() >= 3; });
  EXPECT_THAT(watch.changes(), IsEmpty());
}

}  // namespace
}  // namespace sekisho::reconcile
