// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/daemons.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>

#include "tests/unit/temporary_folder.hpp"

namespace sekisho::learn {
namespace {

using namespace std::chrono_literals;

// Another process that holds a daemon's lock, as FRR's daemons do.
class FakeDaemon {
 public:
  explicit FakeDaemon(const std::filesystem::path& pid_file) {
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe(ready.data()), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int file = ::open(pid_file.c_str(), O_RDWR | O_CREAT, 0644);
      struct flock lock {};
      lock.l_type = F_WRLCK;
      lock.l_whence = SEEK_SET;
      const char done = ::fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
      [[maybe_unused]] const auto written = ::write(ready[1], &done, 1);
      ::pause();
      ::_exit(0);
    }
    char done = 0;
    EXPECT_EQ(::read(ready[0], &done, 1), 1);
    EXPECT_EQ(done, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  ~FakeDaemon() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

class Frr : public testing::Test {
 protected:
  [[nodiscard]] auto file(const std::string& daemon) const { return folder_.path() / (daemon + ".pid"); }
  test::TemporaryFolder folder_;
  Daemons daemons_{folder_.path(), {"zebra", "bgpd"}};
  const Hold::Time start_{std::chrono::hours{1}};
};

TEST_F(Frr, IsUnknownWhereItNeverRan) {
  EXPECT_EQ(daemons_.look(start_), Health::unknown);
  folder_.write("bgpd.pid", "1234\n");  // of one that is dead for long
  EXPECT_EQ(daemons_.look(start_), Health::unknown);
}

TEST_F(Frr, IsGoneOnceADaemonDies) {
  EXPECT_EQ(holder_of(file("bgpd")), 0);
  const FakeDaemon zebra{file("zebra")};
  {
    const FakeDaemon bgpd{file("bgpd")};
    EXPECT_EQ(holder_of(file("bgpd")), bgpd.pid());
    EXPECT_EQ(daemons_.look(start_), Health::well);
  }
  EXPECT_EQ(daemons_.look(start_), Health::gone);
  EXPECT_EQ(daemons_.gone(), std::vector<std::string>{"bgpd"});
}

TEST_F(Frr, DoesNotMissADaemonForEver) {
  auto zebra = std::make_unique<FakeDaemon>(file("zebra"));
  {
    const FakeDaemon bgpd{file("bgpd")};
    EXPECT_EQ(daemons_.look(start_), Health::well);
  }
  EXPECT_EQ(daemons_.look(start_ + 1s), Health::gone);
  EXPECT_EQ(daemons_.look(start_ + 10min), Health::gone);
  EXPECT_EQ(daemons_.look(start_ + 10min + 1s), Health::well);
  EXPECT_EQ(daemons_.gone(), std::vector<std::string>{"bgpd"}) << "which is said all the same";
  const FakeDaemon again{file("bgpd")};
  EXPECT_EQ(daemons_.look(start_ + 20min), Health::gone) << "it has just been started";
  EXPECT_EQ(daemons_.look(start_ + 22min), Health::well);
  zebra.reset();
  EXPECT_EQ(daemons_.look(start_ + 30min), Health::gone);
}

TEST_F(Frr, IsUnknownOnceAllOfItIsGoneForGood) {
  {
    const FakeDaemon zebra{file("zebra")};
    EXPECT_EQ(daemons_.look(start_), Health::well);
  }
  EXPECT_EQ(daemons_.look(start_ + 1s), Health::gone);
  EXPECT_EQ(daemons_.look(start_ + 20min), Health::unknown);
}

TEST_F(Frr, IsNotWellYetWhenItHasJustBeenStarted) {
  {
    const FakeDaemon zebra{file("zebra")};
    EXPECT_EQ(daemons_.look(start_), Health::well);
  }
  const FakeDaemon again{file("zebra")};
  EXPECT_EQ(daemons_.look(start_ + 1s), Health::gone);
  EXPECT_TRUE(daemons_.gone().empty());
  EXPECT_EQ(daemons_.look(start_ + 30s), Health::gone);
  EXPECT_EQ(daemons_.look(start_ + 61s), Health::well) << "after a minute it is as good as any";
}

TEST_F(Frr, IsWellWhenItHasCaughtUp) {
  {
    const FakeDaemon zebra{file("zebra")};
    EXPECT_EQ(daemons_.look(start_), Health::well);
  }
  const FakeDaemon again{file("zebra")};
  EXPECT_EQ(daemons_.look(start_ + 1s), Health::gone);
  daemons_.on_caught_up();
  EXPECT_EQ(daemons_.look(start_ + 2s), Health::well);
}

TEST_F(Frr, IsHalfDeafWhenZebraWasRestartedAlone) {
  auto zebra = std::make_unique<FakeDaemon>(file("zebra"));
  const FakeDaemon bgpd{file("bgpd")};
  const auto started = last_write_time(file("bgpd"));
  last_write_time(file("zebra"), started - 1s);
  EXPECT_EQ(daemons_.look(start_), Health::well);
  EXPECT_TRUE(daemons_.unheard().empty());
  zebra.reset();
  zebra = std::make_unique<FakeDaemon>(file("zebra"));
  last_write_time(file("zebra"), started + 1s);
  EXPECT_EQ(daemons_.look(start_ + 1s), Health::gone);
  EXPECT_EQ(daemons_.unheard(), std::vector<std::string>{"bgpd"});
}

TEST(FrrOf, Protocols) {
  EXPECT_EQ(daemons_of({186}), (std::vector<std::string>{"zebra", "bgpd"}));
  EXPECT_EQ(daemons_of({12}), std::vector<std::string>{"zebra"});
}

}  // namespace
}  // namespace sekisho::learn
