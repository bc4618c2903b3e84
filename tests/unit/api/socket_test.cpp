#include "dataplane/api/socket.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/unit/control/temporary_folder.hpp"

namespace sekisho::api::test {
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
      listen(io_, path_, access);
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

}  // namespace
}  // namespace sekisho::api::test
