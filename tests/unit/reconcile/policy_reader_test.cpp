// SPDX-License-Identifier: BSD-3-Clause
// Reads that last, hang, fail and merge, with a reader of the test's own in the place of files.
#include "control/reconcile/policy_reader.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <atomic>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "tests/unit/reconcile/mount.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::reconcile {
namespace {

using namespace std::chrono_literals;

constexpr auto soon = 20ms;
constexpr auto never = 1h;

struct PolicyReaderTest : testing::Test {
  ~PolicyReaderTest() override { mount->end(); }

  // Says in its policy's warnings how many reads began before it.
  auto read() {
    return [mount = mount](const ReadingOrder& /*order*/) -> Reading {
      auto policy = std::make_shared<policy::Policy>();
      mount->read("/mnt/routes.txt");
      policy->warnings.push_back(std::to_string(mount->reads()));
      return {.policy = std::move(policy)};
    };
  }
  auto note() {
    return [this](const Reading& reading) {
      said.push_back(reading.policy ? (*reading.policy)->warnings.front()
                                    : reading.policy.error().to_string());
    };
  }
  void run_until(std::size_t answers) {
    while (said.size() < answers) {
      io.run_for(1ms);
      io.restart();
    }
  }

  std::shared_ptr<test::Mount> mount = std::make_shared<test::Mount>();
  boost::asio::io_context io;
  std::vector<std::string> said;
};

TEST_F(PolicyReaderTest, TheLoopGoesOnWhileFilesAreRead) {
  PolicyReader reader{io, {.config = "sekisho.toml"}, read(), never};
  reader.read(note());
  mount->wait_for_reads(1);
  bool ran = false;
  boost::asio::post(io, [&] { ran = true; });
  io.run_for(1ms);
  EXPECT_TRUE(ran);
  EXPECT_TRUE(said.empty());
  io.restart();
  mount->answer();
  run_until(1);
  EXPECT_EQ(said, std::vector<std::string>{"1"});
}

// A file may have changed since the read began that runs: who asks later gets one that begins later.
TEST_F(PolicyReaderTest, RequestsThatComeWhileFilesAreReadShareTheNextRead) {
  PolicyReader reader{io, {.config = "sekisho.toml"}, read(), never};
  reader.read(note());
  mount->wait_for_reads(1);
  for (int i = 0; i < 3; ++i) {
    reader.read(note());
  }
  mount->answer();
  run_until(4);
  EXPECT_EQ(said, (std::vector<std::string>{"1", "2", "2", "2"}));
  EXPECT_EQ(mount->reads(), 2);
}

TEST_F(PolicyReaderTest, AFileThatDoesNotAnswerIsNamedAndTheNextReadIsMade) {
  PolicyReader reader{io, {.config = "sekisho.toml"}, read(), soon};
  reader.read(note());
  run_until(1);
  EXPECT_EQ(said.back(), "/mnt/routes.txt: did not answer for 0.02 s: is its file system there?");
  // The configuration names another file now, say.
  PolicyReader::Done again = note();
  reader.read(again);
  mount->wait_for_reads(2);
  mount->answer();
  run_until(2);
  EXPECT_EQ(said.back(), "2");
}

TEST_F(PolicyReaderTest, ThreadsThatHangAreNotGatheredWithoutEnd) {
  PolicyReader reader{io, {.config = "sekisho.toml"}, read(), 1ms};
  for (std::size_t i = 1; i <= PolicyReader::most_left_behind; ++i) {
    reader.read(note());
    run_until(i);
  }
  reader.read(note());
  reader.read(note());
  run_until(PolicyReader::most_left_behind + 2);
  EXPECT_EQ(said.back(),
            "sekisho.toml: is not read: 8 earlier reads still wait for files that do not answer");
  EXPECT_EQ(mount->reads(), static_cast<int>(PolicyReader::most_left_behind));
  mount->answer();
  while (base::threads_that_read() != 0) {
    std::this_thread::sleep_for(1ms);
  }
  reader.read(note());
  run_until(PolicyReader::most_left_behind + 3);
  EXPECT_EQ(said.back(), "9");
}

// What takes long but is no file's fault: a large table being built.
TEST_F(PolicyReaderTest, ALongReadThatWaitsForNoFileIsNotGivenUp) {
  const auto slow = [](const ReadingOrder& /*order*/) -> Reading {
    std::this_thread::sleep_for(5 * soon);
    return {.policy = std::make_shared<policy::Policy>(policy::Policy{.warnings = {"built"}})};
  };
  PolicyReader reader{io, {.config = "sekisho.toml"}, slow, soon};
  reader.read(note());
  run_until(1);
  EXPECT_EQ(said, std::vector<std::string>{"built"});
}

TEST_F(PolicyReaderTest, ReadNowWaitsAndNamesTheFileThatDoesNotAnswer) {
  PolicyReader reader{io, {.config = "sekisho.toml"}, read(), soon};
  const auto hanging = reader.read_now();
  ASSERT_FALSE(hanging.policy);
  EXPECT_EQ(hanging.policy.error().file, "/mnt/routes.txt");
  mount->answer();
  EXPECT_TRUE(reader.read_now().policy);
}

TEST_F(PolicyReaderTest, GoesWhileAReadHangs) {
  {
    PolicyReader reader{io, {.config = "sekisho.toml"}, read(), never};
    reader.read(note());
    reader.read(note());
    mount->wait_for_reads(1);
  }
  mount->answer();
  while (base::threads_that_read() != 0) {
    std::this_thread::sleep_for(1ms);
  }
  io.run();
  EXPECT_TRUE(said.empty());
}

TEST_F(PolicyReaderTest, MemoryThatIsNotThereRefusesTheRead) {
  const auto greedy = [](const ReadingOrder& /*order*/) -> Reading { throw std::bad_alloc{}; };
  PolicyReader reader{io, {.config = "sekisho.toml"}, greedy, never};
  reader.read(note());
  run_until(1);
  EXPECT_EQ(said.back(), "sekisho.toml: cannot be read: out of memory");
}

TEST_F(PolicyReaderTest, ReadsFilesAndLooksAtThoseBeside) {
  const test::TemporaryFolder folder;
  const auto beside = folder.write("beside.txt", "x");
  const auto routes = folder.write("routes.txt", "10.0.0.0/8 None\n10.0.0.0/8 None\n");
  const auto config = folder.write(
      "sekisho.toml",
      "[port.lan]\ndevice = \"af_xdp:sekisho-none\"\n"
      "[zone.onprem]\nport = [\"lan\"]\nsources = [\"10.0.0.0/8\"]\nroutes = [\"routes.txt\"]\n");
  PolicyReader reader{io, {.config = config}};
  reader.look_beside({beside});
  const auto reading = reader.read_now();
  ASSERT_TRUE(reading.policy) << reading.policy.error().to_string();
  EXPECT_EQ((*reading.policy)->warnings,
            (std::vector{routes.string() + ":2: duplicate 10.0.0.0/8 in zone onprem, first at " +
                         routes.string() + ":1; the last one wins"}));
  ASSERT_EQ(reading.files.size(), 1);
  EXPECT_EQ(reading.files.front().size, 1);
  ASSERT_EQ(reading.sources.files.size(), 2);
  EXPECT_EQ(reading.sources.files.front().file, config);
  EXPECT_EQ(reading.sources.files.back().file, routes);

  std::filesystem::remove(routes);
  ASSERT_EQ(::mkfifo(routes.c_str(), 0600), 0);
  const auto refused = reader.read_now();
  ASSERT_FALSE(refused.policy);
  EXPECT_EQ(refused.policy.error().to_string(),
            routes.string() + ": is a pipe (FIFO), and only a regular file is read");
}

}  // namespace
}  // namespace sekisho::reconcile
