// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/file.hpp"
#include "common/base/watch.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::base {
namespace {

TEST(ReadFile, ReadsTheKernelsOwnWhichHaveNoSize) {
  const auto version = base::read_file("/proc/version");
  ASSERT_TRUE(version) << version.error().to_string();
  EXPECT_FALSE(version->empty());
}

TEST(ReadFile, RefusesWhatIsWrittenWithoutEnd) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("routes.txt", "10.0.0.0/8 a\n");
  const auto append = [&](std::string_view /*doing*/, double /*share*/) {
    std::ofstream{file, std::ios::app} << "11.0.0.0/8 a\n";
  };
  const auto routes = base::read_file(file, base::max_bytes, append);
  ASSERT_FALSE(routes);
  EXPECT_EQ(routes.error().to_string(),
            file.string() + ": is being written: it changed each of the 5 times it was read");
}

TEST(ReadFile, TakesAFileThatIsReplacedMeanwhileWhole) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("routes.txt", "10.0.0.0/8 a\n");
  const auto replace = [&](std::string_view /*doing*/, double /*share*/) {
    std::filesystem::rename(folder.write("new.txt", "11.0.0.0/8 b\n"), file);
  };
  EXPECT_EQ(base::read_file(file, base::max_bytes, replace), "10.0.0.0/8 a\n");
}

TEST(ReadFile, TellsWhoWatchesForWhichFileItWaits) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("routes.txt", "10.0.0.0/8 a\n");
  base::Watch watch;
  std::optional<std::filesystem::path> seen;
  {
    const base::Watched watched{watch};
    ASSERT_TRUE(
        base::read_file(file, base::max_bytes, [&](std::string_view, double) { seen = watch.overdue({}); }));
  }
  EXPECT_EQ(seen, file);
  EXPECT_EQ(watch.overdue({}), std::nullopt);
}

}  // namespace
}  // namespace sekisho::base
