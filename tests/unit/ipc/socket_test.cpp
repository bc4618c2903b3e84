// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/socket.hpp"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

#include "common/ipc/lock.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::ipc::test {
namespace {

class SocketTest : public testing::Test {
 protected:
  struct stat listened(const Access& access) {
    const auto acceptor = listen(io_, path_, access);
    struct stat found {};
    EXPECT_EQ(lstat(path_.c_str(), &found), 0);
    return found;
  }
  std::string refused(const Access& access) {
    try {
      [[maybe_unused]] const auto acceptor = listen(io_, path_, access);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }

  sekisho::test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "socket";
  boost::asio::io_context io_;
};

TEST_F(SocketTest, IsItsOwnersAlone) {
  const auto found = listened({});
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  EXPECT_EQ(found.st_uid, geteuid());
}

TEST_F(SocketTest, GivenToAUser) {
  const auto found = listened({.user = "nobody", .group = {}});
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  EXPECT_EQ(found.st_uid, getpwnam("nobody")->pw_uid);
  EXPECT_EQ(found.st_gid, getegid());
}

TEST_F(SocketTest, OpenToAGroup) {
  const auto found = listened({.user = {}, .group = "daemon"});
  EXPECT_EQ(found.st_mode & 0777U, 0660U);
  EXPECT_EQ(found.st_uid, geteuid());
  EXPECT_EQ(found.st_gid, getgrnam("daemon")->gr_gid);
}

TEST_F(SocketTest, UnknownNamesAreSaidAndLeaveNoSocket) {
  EXPECT_NE(refused({.user = "nobody-by-that-name", .group = {}}).find("no user \"nobody-by-that-name\""),
            std::string::npos);
  EXPECT_NE(refused({.user = {}, .group = "no-such-group"}).find("no group \"no-such-group\""),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SocketTest, AForeignLockOfItsFolderKeepsNobodyFromStarting) {
  const int folder = open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(flock(folder, LOCK_EX), 0);
  EXPECT_EQ(listened({}).st_mode & 0777U, 0600U);
  close(folder);
}

TEST_F(SocketTest, LeavesNothingButTheSocket) {
  const auto acceptor = listen(io_, path_, {});
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder_.path()}) {
    EXPECT_EQ(entry.path(), path_);
    ++files;
  }
  EXPECT_EQ(files, 1U);
}

TEST_F(SocketTest, AFolderThatItMakesIsNotForOthersToList) {
  path_ = folder_.path() / "made" / "socket";
  const auto alone = listen(io_, path_, {});
  EXPECT_EQ(static_cast<unsigned>(status(path_.parent_path()).permissions()), 0700U);
  path_ = folder_.path() / "other" / "socket";
  const auto given = listen(io_, path_, {.user = {}, .group = "daemon"});
  EXPECT_EQ(static_cast<unsigned>(status(path_.parent_path()).permissions()), 0711U);
}

TEST_F(SocketTest, OneThatHangsIsNotWaitedFor) {
  boost::asio::local::stream_protocol::acceptor hung{io_, boost::asio::local::stream_protocol{}};
  hung.bind(boost::asio::local::stream_protocol::endpoint{path_.native()});
  hung.listen(1);  // and accepts nobody
  const boost::asio::local::stream_protocol::endpoint served{path_.native()};
  std::vector<boost::asio::local::stream_protocol::socket> waiting;
  do {
    waiting.emplace_back(io_, boost::asio::local::stream_protocol{});
    waiting.back().non_blocking(true);
  } while (::connect(waiting.back().native_handle(), served.data(), static_cast<socklen_t>(served.size())) ==
           0);
  const auto why = refused({});
  EXPECT_NE(why.find("another process serves it"), std::string::npos) << why;
}

TEST_F(SocketTest, ALockSaysWhoHoldsIt) {
  const auto lock = folder_.path() / "lock";
  const Lock held{lock};
  try {
    const Lock second{lock, std::chrono::milliseconds{50}};
    FAIL() << "taken twice";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string{error.what()}.find("process " + std::to_string(getpid()) + " ("), std::string::npos)
        << error.what();
  }
}

TEST_F(SocketTest, ALockThatWasLetGoOfIsTaken) {
  const auto lock = folder_.path() / "lock";
  { const Lock held{lock}; }
  EXPECT_FALSE(std::filesystem::exists(lock));
  const Lock again{lock, std::chrono::milliseconds{50}};
}

}  // namespace
}  // namespace sekisho::ipc::test
