// SPDX-License-Identifier: BSD-3-Clause
// The log never waits for its reader, dies with it, or is filled by one thing.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "common/ipc/log_limit.hpp"
#include "common/ipc/log_sink.hpp"

namespace sekisho::ipc {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr LogLimit::Time beginning{};

class Limit : public testing::Test {
 protected:
  bool admit(std::string_view text, LogLimit::Time now) {
    return limit_.admit({.level = spdlog::level::info,
                         .time = spdlog::log_clock::time_point{std::chrono::seconds{++second_}},
                         .text = text},
                        now);
  }
  std::vector<std::string> due(LogLimit::Time now) {
    std::vector<std::string> texts;
    for (const auto& line : limit_.take_due(now)) {
      texts.push_back(line.text);
    }
    return texts;
  }

  LogLimit limit_;
  int second_ = 0;
};

TEST_F(Limit, TheFirstOfAKindAreWrittenAsTheyCome) {
  for (unsigned i = 0; i < LogLimit::burst; ++i) {
    EXPECT_TRUE(admit("port lan is up", beginning));
  }
  EXPECT_FALSE(admit("port lan is up", beginning));
  EXPECT_TRUE(admit("port lan is down", beginning)) << "another kind";
}

TEST_F(Limit, NumbersDoNotMakeAnotherKind) {
  for (unsigned i = 0; i < LogLimit::burst; ++i) {
    EXPECT_TRUE(admit("member 10.0.0." + std::to_string(i) + " is up", beginning));
  }
  EXPECT_FALSE(admit("member 192.168.17.200 is up", beginning));
}

TEST_F(Limit, TheLastOneIsWrittenAndSaysHowManyMoreThereWere) {
  for (unsigned i = 0; i < LogLimit::burst + 40; ++i) {
    static_cast<void>(admit("attempt " + std::to_string(i), beginning));
  }
  EXPECT_TRUE(limit_.holds_any());
  EXPECT_THAT(due(beginning), ElementsAre());
  EXPECT_THAT(due(beginning + LogLimit::between), ElementsAre("attempt 59 (39 more like this)"));
  EXPECT_FALSE(limit_.holds_any());
}

TEST_F(Limit, OneThatIsHeldIsWrittenAsItIs) {
  for (unsigned i = 0; i < LogLimit::burst; ++i) {
    static_cast<void>(admit("port lan is up", beginning));
  }
  static_cast<void>(admit("port lan is up", beginning));
  EXPECT_THAT(due(beginning + LogLimit::between), ElementsAre("port lan is up"));
}

TEST_F(Limit, WhatIsHeldComesInTheOrderInWhichItHappened) {
  for (unsigned i = 0; i <= LogLimit::burst; ++i) {
    static_cast<void>(admit("z is up", beginning));
    static_cast<void>(admit("z is down", beginning));
  }
  EXPECT_THAT(due(beginning + LogLimit::between), ElementsAre("z is up", "z is down"));
}

TEST_F(Limit, AQuietKindHasItsLinesBack) {
  for (unsigned i = 0; i < LogLimit::burst; ++i) {
    static_cast<void>(admit("port lan is up", beginning));
  }
  for (unsigned i = 0; i < LogLimit::burst; ++i) {
    EXPECT_TRUE(admit("port lan is up", beginning + LogLimit::burst * LogLimit::between));
  }
}

TEST_F(Limit, KindsBeyondWhatIsRememberedAreOne) {
  const auto word = [](std::size_t i) {
    return std::string{static_cast<char>('a' + i % 26), static_cast<char>('a' + i / 26 % 26),
                       static_cast<char>('a' + i / 676)};
  };
  unsigned written = 0;
  for (std::size_t i = 0; i < 2 * LogLimit::most_kinds; ++i) {
    written += admit(word(i), beginning) ? 1 : 0;
  }
  EXPECT_EQ(written, LogLimit::most_kinds + LogLimit::burst);
}

// Both ends of something that a log may be written to.
struct Ends {
  int read = -1;
  int write = -1;
  ~Ends() {
    close(read);
    close(write);
  }
};

class Sink : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    ASSERT_EQ(GetParam() ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) : pipe(ends.data()), 0);
    ends_.read = ends[0];
    ends_.write = ends[1];
    sink_ = std::make_shared<LogSink>(ends_.write, "test", false);
    logger_ = std::make_unique<spdlog::logger>("test", sink_);
    logger_->set_pattern("%v");
  }
  std::string read_some() const {
    std::string text(65536, '\0');
    const auto count = ::read(ends_.read, text.data(), text.size());
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return text;
  }
  std::string read_until(const std::string& end) const {
    std::string all;
    while (all.find(end) == std::string::npos) {
      const auto some = read_some();
      if (some.empty()) {
        break;
      }
      all += some;
    }
    return all;
  }
  // Lines of different kinds.
  void log(std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) {
      std::string word;
      for (auto rest = i + 1; rest != 0; rest /= 26) {
        word.push_back(static_cast<char>('a' + rest % 26));
      }
      logger_->info("{} {}", word, std::string(1000, '.'));
    }
  }

  Ends ends_;
  std::shared_ptr<LogSink> sink_;
  std::unique_ptr<spdlog::logger> logger_;
};

TEST_P(Sink, ALineIsWrittenAtOnce) {
  logger_->info("here");
  EXPECT_EQ(read_some(), "here\n");
  EXPECT_EQ(fcntl(ends_.write, F_GETFL) & O_NONBLOCK, 0) << "it is shared with other processes";
}

TEST_P(Sink, AReaderThatStallsMakesNobodyWaitAndHearsWhatWasLost) {
  log(900);  // more than a pipe and what waits hold; without the sink this line is the last
  const auto all = read_until("were lost");
  EXPECT_THAT(all, HasSubstr("lines of the log were lost: nobody took them"));
  EXPECT_THAT(all.substr(0, 3), testing::StartsWith("b .")) << "the oldest are kept";
  logger_->info("and on");
  EXPECT_THAT(read_until("and on\n"), HasSubstr("and on"));
}

TEST_P(Sink, WhatWaitsComesWithoutAnotherLine) {
  log(100);
  std::string all;
  while (std::count(all.begin(), all.end(), '\n') != 100) {
    all += read_some();
  }
  EXPECT_EQ(all.find("lost"), std::string::npos);
}

TEST_P(Sink, AReaderThatHasGoneKillsNobody) {
  close(ends_.read);
  log(100);
  sink_.reset();
  logger_.reset();
}

TEST_P(Sink, AStalledReaderDoesNotHoldUpTheEnd) {
  log(900);
  sink_.reset();
  logger_.reset();
}

TEST_P(Sink, TheLastLineIsNotLost) {
  for (unsigned i = 0; i < LogLimit::burst + 5; ++i) {
    logger_->info("attempt {}", i);
  }
  sink_.reset();
  logger_.reset();
  EXPECT_THAT(read_until("this)"), HasSubstr("attempt 24 (4 more like this)\n"));
}

INSTANTIATE_TEST_SUITE_P(, Sink, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Socket" : "Pipe"; });

}  // namespace
}  // namespace sekisho::ipc
