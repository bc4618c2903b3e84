// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/service_manager.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

#include "dataplane/fib/qsbr.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::ipc::test {
namespace {

namespace asio = boost::asio;
using asio::local::datagram_protocol;
using namespace std::chrono_literals;

// systemd's end of the notifications.
class ServiceManagerTest : public testing::Test {
 protected:
  ServiceManagerTest() { setenv("NOTIFY_SOCKET", path_.c_str(), 1); }
  ~ServiceManagerTest() override {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
  }

  // The next word, or nothing when there is none yet.
  std::string heard() {
    std::string word(100, '\0');
    boost::system::error_code none;
    socket_.non_blocking(true);
    word.resize(socket_.receive(asio::buffer(word), 0, none));
    return word;
  }
  // Runs until `done`; generous, for it is an event that is waited for.
  template <typename Done>
  bool run_until(Done done) {
    for (const auto deadline = std::chrono::steady_clock::now() + 20s; !done();) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      io_.run_for(10ms);
      io_.restart();
    }
    return true;
  }

  sekisho::test::TemporaryFolder folder_;
  std::string path_ = folder_.path() / "notify";
  asio::io_context io_;
  datagram_protocol::socket socket_{io_, datagram_protocol::endpoint{path_}};
};

TEST_F(ServiceManagerTest, IsReadyAtOnceAndBeatsForNobody) {
  bool asked = false;
  const ServiceManager manager{io_, [&](const auto&) { asked = true; }};
  EXPECT_EQ(heard(), "READY=1");
  io_.run();  // there is nothing to wait for
  EXPECT_FALSE(asked);
  EXPECT_EQ(heard(), "");
}

TEST_F(ServiceManagerTest, BeatsAgainAndAgain) {
  setenv("WATCHDOG_USEC", "20000", 1);
  const ServiceManager manager{io_, [](const auto& alive) { alive(); }};
  EXPECT_EQ(heard(), "READY=1");
  for (int beat = 0; beat < 3; ++beat) {
    EXPECT_TRUE(run_until([&] { return heard() == "WATCHDOG=1"; }));
  }
}

// As the dataplane proves it.
TEST_F(ServiceManagerTest, WorkerThatHangsHoldsUpTheBeat) {
  setenv("WATCHDOG_USEC", "20000", 1);
  fib::Qsbr qsbr{2};
  qsbr.online(0);
  qsbr.online(1);
  const ServiceManager manager{io_, [&](auto alive) { qsbr.retire(std::move(alive)); }};
  EXPECT_EQ(heard(), "READY=1");
  ASSERT_TRUE(run_until([&] { return qsbr.pending() == 1; }));
  qsbr.quiescent(0);
  qsbr.poll();
  EXPECT_EQ(heard(), "");
  qsbr.quiescent(1);
  qsbr.poll();
  EXPECT_EQ(heard(), "WATCHDOG=1");
  EXPECT_TRUE(run_until([&] { return qsbr.pending() == 1; }));  // and asks for the next
  qsbr.offline(0);
  qsbr.offline(1);
}

TEST_F(ServiceManagerTest, ProofMayComeTooLate) {
  setenv("WATCHDOG_USEC", "20000", 1);
  std::function<void()> late;
  {
    const ServiceManager manager{io_, [&](auto alive) { late = std::move(alive); }};
    ASSERT_TRUE(run_until([&] { return late != nullptr; }));
  }
  EXPECT_EQ(heard(), "READY=1");
  late();
  EXPECT_EQ(heard(), "");
}

}  // namespace
}  // namespace sekisho::ipc::test
