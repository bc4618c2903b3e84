// SPDX-License-Identifier: BSD-3-Clause
// Events reach whoever follows, however slowly he reads, and the hook, however it behaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "control/events/event.hpp"
#include "control/events/feed.hpp"
#include "control/events/hook.hpp"
#include "tests/unit/temporary_folder.hpp"
#include "tests/unit/until.hpp"

namespace sekisho::events {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

Event event(const std::string& kind, const std::string& sentence) {
  return {.kind = kind, .sentence = sentence, .details = {{"x", 1}}, .unix_ms = 1'000'000'001'234};
}

TEST(Event, AsJson) {
  EXPECT_EQ(to_json(event("member", "m")).dump(),
            R"({"time":"2001-09-09T01:46:41.234Z","event":"member","x":1,"sentence":"m"})");
}

// What a subscription has given so far.
struct Reader {
  explicit Reader(std::shared_ptr<Subscription> from) : subscription(std::move(from)) {}
  void ask() {
    subscription->next([this](const Subscription::Page& page) {
      ++pages;
      lost += page.lost;
      for (const auto& each : page.events) {
        read.push_back(each->sentence);
      }
    });
  }
  std::shared_ptr<Subscription> subscription;
  std::size_t pages = 0;
  std::size_t lost = 0;
  std::vector<std::string> read;
};

TEST(Feed, GivesEachToEverybody) {
  Feed feed;
  Reader quick{feed.subscribe()};
  Reader late{feed.subscribe()};
  quick.ask();
  feed.publish(event("a", "1"));
  feed.publish(event("a", "2"));
  EXPECT_THAT(quick.read, ElementsAre("1"));
  quick.ask();
  late.ask();
  EXPECT_THAT(quick.read, ElementsAre("1", "2"));
  EXPECT_THAT(late.read, ElementsAre("1", "2"));
  EXPECT_EQ(late.pages, 1U);
}

TEST(Feed, ABeatIsAnEmptyPage) {
  Feed feed;
  Reader reader{feed.subscribe()};
  feed.beat();
  EXPECT_EQ(reader.pages, 0U);
  reader.ask();
  feed.beat();
  EXPECT_EQ(reader.pages, 1U);
  feed.publish(event("a", "kept"));
  reader.ask();
  EXPECT_THAT(reader.read, ElementsAre("kept"));
}

TEST(Feed, WhoReadsSlowlyLosesTheOldestAndHearsOfIt) {
  Feed feed;
  Reader slow{feed.subscribe()};
  for (std::size_t i = 0; i != Subscription::most + 5; ++i) {
    feed.publish(event("a", std::to_string(i)));
  }
  slow.ask();
  EXPECT_EQ(slow.lost, 5U);
  ASSERT_EQ(slow.read.size(), Subscription::most);
  EXPECT_EQ(slow.read.front(), "5");
  EXPECT_EQ(slow.read.back(), std::to_string(Subscription::most + 4));
}

TEST(Feed, EndsWithItsReader) {
  Feed feed;
  auto reader = std::make_optional<Reader>(feed.subscribe());
  reader->ask();
  reader.reset();
  feed.publish(event("a", "nobody reads it"));
}

class HookTest : public testing::Test {
 protected:
  HookTest() {
    before = spdlog::default_logger();
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  }
  ~HookTest() override { spdlog::set_default_logger(before); }

  void use(const std::string& body) {
    const auto file = folder.write("hook", "#!/bin/sh\n" + body + "\n");
    ::chmod(file.c_str(), 0755);
    hook.use(file);
  }
  bool until(const std::function<bool()>& happened) { return test::run_until(io, happened); }
  std::string said() const {
    std::ifstream in{folder.path() / "said"};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  bool logged(const std::string& text) {
    return until([&] { return log.str().find(text) != std::string::npos; });
  }

  test::TemporaryFolder folder;
  std::ostringstream log;
  std::shared_ptr<spdlog::logger> before;
  boost::asio::io_context io;
  Hook hook{io, 300ms};
};

TEST_F(HookTest, GetsTheEventOnItsInput) {
  use("cat >" + (folder.path() / "said").native());
  hook.tell(event("member", "m"));
  EXPECT_TRUE(until([&] { return said() == to_json(event("member", "m")).dump() + "\n"; })) << said();
  EXPECT_EQ(log.str(), "");
}

TEST_F(HookTest, OneAtATimeInOrder) {
  const auto file = (folder.path() / "said").native();
  use("echo begin >>" + file + "; cat >/dev/null; echo end >>" + file);
  for (int i = 0; i != 3; ++i) {
    hook.tell(event("member", "m"));
  }
  EXPECT_TRUE(until([&] { return said() == "begin\nend\nbegin\nend\nbegin\nend\n"; })) << said();
}

TEST_F(HookTest, OneThatHangsIsKilledWithAllThatItStarted) {
  const auto file = (folder.path() / "said").native();
  use("sleep 1000 & echo $! >" + file + "; wait");
  hook.tell(event("member", "m"));
  EXPECT_TRUE(logged("was killed: it had not ended in time"));
  const auto child = std::stoi(said());
  EXPECT_TRUE(until([&] {
    std::ifstream status{"/proc/" + std::to_string(child) + "/stat"};
    std::string text{std::istreambuf_iterator<char>{status}, {}};
    return text.empty() || text.find(") Z ") != std::string::npos;
  }));
}

TEST_F(HookTest, WhatItPrintsIsReadAndForgotten) {
  use("head -c 5000000 /dev/zero; echo done >" + (folder.path() / "said").native());
  hook.tell(event("member", "m"));
  EXPECT_TRUE(until([&] { return said() == "done\n"; }));
  EXPECT_LT(log.str().size(), 1000U);
}

TEST_F(HookTest, OneThatFailsIsSaid) {
  use("echo 'no route to the pager' >&2; exit 3");
  hook.tell(event("member", "m"));
  EXPECT_TRUE(logged("ended with exit status 3: \"no route to the pager\"")) << log.str();
}

TEST_F(HookTest, OneThatIsNotThereIsSaid) {
  hook.use("/nowhere/hook");
  hook.tell(event("member", "m"));
  EXPECT_TRUE(logged("hook /nowhere/hook cannot be run: No such file or directory")) << log.str();
  EXPECT_EQ(could_run("/nowhere/hook").error(), "No such file or directory");
  EXPECT_EQ(could_run("/tmp").error(), "it is not a file");
}

TEST_F(HookTest, OfVerdictsOnlyTheNewestWaits) {
  const auto file = (folder.path() / "said").native();
  use("cat >>" + file);
  hook.tell(event("verdict", "first"));  // it runs
  hook.tell(event("verdict", "second"));
  hook.tell(event("member", "m"));
  hook.tell(event("verdict", "third"));
  EXPECT_TRUE(until([&] { return said().find("third") != std::string::npos; })) << said();
  EXPECT_THAT(said(), HasSubstr("first"));
  EXPECT_THAT(said(), testing::Not(HasSubstr("second")));
}

TEST_F(HookTest, TooManyAreCounted) {
  use("cat >/dev/null");
  for (std::size_t i = 0; i != Hook::most + 8; ++i) {
    hook.tell(event("member", "m"));
  }
  EXPECT_TRUE(logged("7 events were not told: it is too slow")) << log.str();
}

}  // namespace
}  // namespace sekisho::events
