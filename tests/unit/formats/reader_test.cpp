// SPDX-License-Identifier: BSD-3-Clause
// Files of any kind: what is a file of routes and what is none, large ones, those of the Internet, and those that change meanwhile.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/prefix.hpp"
#include "control/config/config.hpp"
#include "control/formats/compression.hpp"
#include "control/formats/reader.hpp"
#include "control/formats/service_tags.hpp"
#include "tests/unit/formats/files.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {
namespace {

TEST(ReadText, RefusesWhatIsNoFile) {
  const test::TemporaryFolder folder;
  const auto missing = read_routes(folder.path() / "missing.txt");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().to_string(),
            (folder.path() / "missing.txt").string() + ": cannot be opened: No such file or directory");
  const auto directory = read_routes(folder.path());
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().to_string(), folder.path().string() + ": is a directory");
}

TEST(ReadFile, StopsAtTheLimit) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("file", "0123456789");
  EXPECT_EQ(base::read_file(file, 10), "0123456789");
  const auto refused = base::read_file(file, 9);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().to_string(), file.string() + ": holds more than 9 bytes");
  // Without room for it: what is too large is not read first.
  const auto sparse = folder.path() / "sparse";
  std::ofstream{sparse}.put('x');
  std::filesystem::resize_file(sparse, std::uintmax_t{1} << 40);
  const auto huge = read_routes(sparse);
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().to_string(), sparse.string() + ": holds more than 1073741824 bytes");
}

TEST(ReadFile, RefusesWhatIsNoRegularFileWithoutWaitingForIt) {
  const test::TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto link = folder.path() / "link";
  std::filesystem::create_symlink(pipe, link);
  const auto socket = folder.path() / "socket";
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  socket.native().copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  for (const auto& [file, kind] :
       std::vector<std::pair<std::filesystem::path, std::string>>{{pipe, "a pipe (FIFO)"},
                                                                  {link, "a pipe (FIFO)"},
                                                                  {socket, "a socket"},
                                                                  {"/dev/zero", "a device"},
                                                                  {"/dev/null", "a device"},
                                                                  {folder.path(), "a directory"}}) {
    const auto refused = read_routes(file);
    ASSERT_FALSE(refused) << file;
    EXPECT_TRUE(refused.error().to_string().starts_with(file.string() + ": is " + kind))
        << refused.error().to_string();
    EXPECT_FALSE(read_service_tags(file)) << file;
    EXPECT_FALSE(config::read(file)) << file;
  }
  ::close(listener);
}

TEST(ReadFile, ReadsAgainWhatIsWrittenMeanwhile) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("routes.txt", std::string(1 << 20, '\n') + "10.0.0.0/8 a\n");
  bool first = true;
  // In place, and of the same size: only its time tells.
  const auto rewrite = [&](std::string_view /*doing*/, double /*share*/) {
    if (std::exchange(first, false)) {
      static_cast<void>(folder.write("routes.txt", "10.9.0.0/16 b\n" + std::string((1 << 20) - 1, '\n')));
      std::filesystem::last_write_time(file,
                                       std::filesystem::last_write_time(file) + std::chrono::seconds{1});
    }
  };
  const auto routes = read_routes(file, {.progress = rewrite});
  ASSERT_TRUE(routes) << routes.error().to_string();
  EXPECT_EQ(describe(*routes), std::vector<std::string>{"1 10.9.0.0/16 b"});
}

TEST(ReadRoutes, TellsItsProgress) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("routes.bz2", bzip2("10.0.0.0/8 a\n"));
  std::vector<std::string> doings;
  const auto result = read_routes(file, {.progress = [&](std::string_view doing, double share) {
                                    EXPECT_GE(share, 0);
                                    EXPECT_LE(share, 1);
                                    doings.emplace_back(doing);
                                  }});
  ASSERT_TRUE(result) << result.error().to_string();
  const auto repeated = std::ranges::unique(doings);
  doings.erase(repeated.begin(), repeated.end());
  EXPECT_EQ(doings, (std::vector<std::string>{"reading", "decompressing"}));
}

// A table of the size of the Internet's; every line must arrive.
TEST(ReadText, ReadsALargeTable) {
  constexpr unsigned count = 900'000;
  std::string text;
  for (unsigned i = 0; i < count; ++i)
    text += base::to_string({(1U << 24) + (i << 8), 24}) + "\thop-" + std::to_string(i % 16) + "\n";
  const test::TemporaryFolder folder;
  const auto result = read_routes(folder.write("large.gz", gzip(text)));
  ASSERT_TRUE(result) << result.error().to_string();
  ASSERT_EQ(result->routes.size(), count);
  EXPECT_EQ(result->next_hops.size(), 16U);
  for (unsigned i = 0; i < count; ++i) {
    const auto& route = result->routes[i];
    ASSERT_EQ(route.prefix, (base::Prefix{(1U << 24) + (i << 8), 24}));
    ASSERT_EQ(route.line, i + 1);
    ASSERT_EQ(to_string(result->next_hops[route.next_hop]), "hop-" + std::to_string(i % 16));
  }
}

// Tables of the real Internet stand beside the source tree on some machines. Where they do, they must be
// readable.
TEST(ReadText, ReadsTheTablesOfTheInternet) {
  const char* given = std::getenv("SEKISHO_DATA");
  const auto folder = given != nullptr ? std::filesystem::path{given}
                                       : std::filesystem::path{SEKISHO_FIXTURES} / "../../../shared/data";
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator{folder / "tables", code}) {
    if (!entry.path().string().ends_with(".tsv.gz"))
      continue;
    const auto result = read_routes(entry.path());
    ASSERT_TRUE(result) << result.error().to_string();
    const auto text = formats::inflate(*base::read_file(entry.path()), entry.path());
    ASSERT_TRUE(text);
    const auto comments = std::ranges::count(*text, '#');
    EXPECT_EQ(result->routes.size() + static_cast<std::size_t>(comments),
              static_cast<std::size_t>(std::ranges::count(*text, '\n')))
        << entry.path();
    EXPECT_GT(result->routes.size(), 1000U);
  }
}

}  // namespace
}  // namespace sekisho::formats
