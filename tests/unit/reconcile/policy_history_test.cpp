// SPDX-License-Identifier: BSD-3-Clause
// Reloads that are kept, taken back and tried again, over restarts, with files of the test's own and no daemon.
#include "control/reconcile/policy_history.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/prefix.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::reconcile {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Result = tl::expected<serve::Reloaded, std::string>;

constexpr std::string_view text =
    "[port.lan]\ndevice = \"af_xdp:sekisho-none\"\n"
    "[zone.onprem]\nport = [\"lan\"]\nsources = [\"10.0.0.0/8\"]\nroutes = [\"routes.txt\"]\n";

struct PolicyHistoryTest : testing::Test {
  PolicyHistoryTest() { start(); }

  // Another process, after which the first reading runs.
  void start() {
    history = std::make_unique<PolicyHistory>(
        io, config, folder.path(), [this] { take_back(); },
        [this](std::string_view outcome, const std::string&) { told.emplace_back(outcome); });
    history->open();
    const auto reading = read_policy({.source = history->source_at_start(), .beside = {}, .addresses = {}});
    ASSERT_TRUE(reading.policy) << reading.policy.error().to_string();
    run(reading);
    run(reading);  // as the daemon does, which learns of the first policy twice
  }
  void write(std::string_view destination) {
    folder.write("routes.txt", std::string{destination} + " None\n");
  }
  void run(const Reading& reading) {
    history->ran(reading.sources);
    running = reading;
  }
  // Of the one that runs.
  [[nodiscard]] auto prefixes() const -> std::string {
    std::string result;
    for (const auto& route : (*running.policy)->zones.front().table.candidates()) {
      if (route.origin == route::Origin::user) {
        result += base::to_string(route.prefix);
      }
    }
    return result;
  }
  // As the daemon does it.
  Result reload(const serve::ReloadOrder& order, bool works = true) {
    auto began = history->begin(order, [this] { return running; });
    if (!began) {
      return tl::unexpected(began.error());
    }
    const auto* before = std::get_if<Reading>(&*began);
    return finish(order, before != nullptr ? *before : read(std::get<Source>(*began)), works);
  }
  static auto read(const Source& source) -> Reading {
    return read_policy({.source = source, .beside = {}, .addresses = {}});
  }
  Result finish(const serve::ReloadOrder& order, const Reading& reading, bool works = true) {
    Result result = tl::unexpected(std::string{"refused"});
    if (reading.policy && works) {
      run(reading);
      result = serve::Reloaded{.applied = true};
    }
    history->end(order, result);
    return result;
  }
  void take_back() {
    ++taken_back;
    static_cast<void>(reload({.force = true, .policy = 0}, takes_back));
  }
  void pass(std::chrono::milliseconds time) {
    io.restart();
    io.run_for(time);
  }
  std::string why(const Result& result) { return result ? "" : result.error(); }

  test::TemporaryFolder folder;
  std::filesystem::path config = folder.write("sekisho.toml", text);
  std::filesystem::path first = folder.write("routes.txt", "10.1.0.0/16 None\n");
  boost::asio::io_context io;
  std::unique_ptr<PolicyHistory> history;
  std::vector<std::string> told;
  Reading running{.policy = tl::unexpected(base::Error{})};
  int taken_back = 0;
  bool takes_back = true;
};

TEST_F(PolicyHistoryTest, ARollbackRunsTheFilesAsTheyWereAndIsStarted) {
  write("10.2.0.0/16");
  EXPECT_EQ(reload({})->policy, 2U);
  EXPECT_EQ(prefixes(), "10.2.0.0/16");
  EXPECT_EQ(reload({.policy = 0})->policy, 1U);
  EXPECT_EQ(prefixes(), "10.1.0.0/16");
  EXPECT_EQ(history->show().pinned, 1U);
  start();
  EXPECT_EQ(prefixes(), "10.1.0.0/16");
  EXPECT_EQ(history->show().runs, 1U);
  EXPECT_EQ(why(reload({.policy = 0})), "the history has no policy before the one that runs");
  EXPECT_EQ(why(reload({.policy = 9})), "policy 9 is not in the history: `sekisho history` lists it");
  EXPECT_EQ(reload({})->policy, 2U);
  EXPECT_EQ(history->show().pinned, std::nullopt);
}

TEST_F(PolicyHistoryTest, WhatIsConfirmedStays) {
  write("10.2.0.0/16");
  const auto result = reload({.confirm_within = 1s});
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->confirm_until_unix_ms);
  EXPECT_EQ(history->show().pinned, 1U);
  EXPECT_TRUE(history->confirm());
  EXPECT_EQ(history->confirm().error(), "no reload is on trial");
  pass(1100ms);
  EXPECT_EQ(taken_back, 0);
  EXPECT_THAT(told, ElementsAre("begun", "confirmed"));
  start();
  EXPECT_EQ(prefixes(), "10.2.0.0/16");
}

TEST_F(PolicyHistoryTest, WhatIsNotConfirmedIsTakenBackAndIsNotStarted) {
  write("10.2.0.0/16");
  ASSERT_TRUE(reload({.confirm_within = 1s}));
  pass(1100ms);
  EXPECT_EQ(taken_back, 1);
  EXPECT_EQ(prefixes(), "10.1.0.0/16");
  EXPECT_THAT(told, ElementsAre("begun", "taken back"));
  start();
  EXPECT_EQ(prefixes(), "10.1.0.0/16");
  EXPECT_EQ(history->show().confirm_until_unix_ms, std::nullopt);
}

TEST_F(PolicyHistoryTest, WhatStartsUnconfirmedIsThePolicyBefore) {
  write("10.2.0.0/16");
  ASSERT_TRUE(reload({.confirm_within = 1h}));
  start();
  EXPECT_EQ(prefixes(), "10.1.0.0/16");
  EXPECT_EQ(history->confirm().error(), "no reload is on trial");
  EXPECT_EQ(history->show().pinned, 1U);
}

TEST_F(PolicyHistoryTest, ARollbackTakesBackAtOnce) {
  write("10.2.0.0/16");
  ASSERT_TRUE(reload({.confirm_within = 1s}));
  EXPECT_THAT(why(reload({})), HasSubstr("what was reloaded before is on trial"));
  EXPECT_THAT(why(reload({.policy = 1})), HasSubstr("what was reloaded before is on trial"));
  EXPECT_EQ(reload({.policy = 0})->policy, 1U);
  pass(1100ms);
  EXPECT_EQ(taken_back, 0);
  EXPECT_EQ(prefixes(), "10.1.0.0/16");
}

TEST_F(PolicyHistoryTest, ARefusedTrialLeavesNothingBehind) {
  write("10.2.0.0/16");
  ASSERT_FALSE(reload({.confirm_within = 1s}, false));
  EXPECT_EQ(history->show().pinned, std::nullopt);
  EXPECT_THAT(told, IsEmpty());
  start();
  EXPECT_EQ(prefixes(), "10.2.0.0/16");

  ASSERT_TRUE(reload({.policy = 1}));
  ASSERT_FALSE(reload({.confirm_within = 1s}, false));
  EXPECT_EQ(history->show().pinned, 1U);
  start();
  EXPECT_EQ(prefixes(), "10.1.0.0/16");
}

TEST_F(PolicyHistoryTest, ATrialWaitsForNoOtherReload) {
  const auto under_way = history->begin({}, [this] { return running; });
  ASSERT_TRUE(under_way);
  EXPECT_EQ(why(reload({.confirm_within = 1s})), "another reload is under way");
}

TEST_F(PolicyHistoryTest, NothingIsOnTrialThatCouldNotBeTakenBack) {
  std::filesystem::remove_all(folder.path() / "history");
  folder.write("history", "a file where the folder should be");
  write("10.2.0.0/16");
  const auto plain = reload({});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->policy, std::nullopt);
  EXPECT_THAT(plain->warnings, ElementsAre(HasSubstr("the policy is not in the history: ")));
  EXPECT_THAT(why(reload({.confirm_within = 1s})),
              HasSubstr("the policy that runs has no copy that could be put back: "));
}

TEST_F(PolicyHistoryTest, WhatCannotBeTakenBackYetIsStillNotConfirmed) {
  takes_back = false;
  write("10.2.0.0/16");
  ASSERT_TRUE(reload({.confirm_within = 1s}));
  pass(1100ms);
  EXPECT_EQ(taken_back, 1);
  EXPECT_EQ(history->confirm().error(), "it is too late: the policy before is being put back");
  EXPECT_EQ(history->show().why_not_back, "refused");
  EXPECT_EQ(why(reload({.confirm_within = 1s})), "policy 1 is being put back");
  takes_back = true;
  EXPECT_EQ(reload({.policy = 0})->policy, 1U);
  EXPECT_EQ(prefixes(), "10.1.0.0/16");
}

// What is read by the way to be taken back for cannot be read again.
TEST_F(PolicyHistoryTest, WhatIsTakenBackIsNotReadAgain) {
  write("10.2.0.0/16");
  ASSERT_TRUE(reload({.confirm_within = 1s}));
  std::filesystem::remove_all(folder.path() / "history");
  pass(1100ms);
  EXPECT_EQ(prefixes(), "10.1.0.0/16");
}

// Another reload is under way when the next attempt is due, and is refused.
TEST_F(PolicyHistoryTest, AnAttemptThatWasInTheWayIsMadeUpFor) {
  takes_back = false;
  write("10.2.0.0/16");
  ASSERT_TRUE(reload({.confirm_within = 1s}));
  pass(1100ms);
  EXPECT_EQ(taken_back, 1);
  ASSERT_TRUE(history->begin({}, [this] { return running; }));
  pass(10'100ms);
  EXPECT_EQ(taken_back, 2) << "in vain";
  takes_back = true;
  ASSERT_FALSE(finish({}, running, false));
  pass(10'100ms);
  EXPECT_EQ(taken_back, 3);
  EXPECT_EQ(prefixes(), "10.1.0.0/16");
}

// What is answered "done" while a trial is being read is in force when it is taken back.
TEST_F(PolicyHistoryTest, AnOverrideBesideABeginningIsPutBackToo) {
  write("10.2.0.0/16");
  const serve::ReloadOrder order{.confirm_within = 1s};
  auto began = history->begin(order, [this] { return running; });
  ASSERT_TRUE(began);
  auto overridden = running;
  overridden.sources.read_unix_ms = 77;
  history->overridden([&] { return overridden; });
  ASSERT_TRUE(finish(order, read(std::get<Source>(*began))));
  pass(1100ms);
  EXPECT_EQ(running.sources.read_unix_ms, 77U);
}

TEST_F(PolicyHistoryTest, AnotherReloadIsTheWayOutWhereNothingCanBeTakenBack) {
  takes_back = false;
  write("10.2.0.0/16");
  ASSERT_TRUE(reload({.confirm_within = 1s}));
  pass(1100ms);
  write("10.3.0.0/16");
  ASSERT_TRUE(reload({}));
  EXPECT_EQ(prefixes(), "10.3.0.0/16");
  EXPECT_EQ(history->show().pinned, std::nullopt);
  EXPECT_EQ(history->show().why_not_back, "");
}

// The timer's handler is in the queue when the confirmation comes.
TEST_F(PolicyHistoryTest, ATimerThatRanOutBesideAConfirmationTakesNothingBack) {
  write("10.2.0.0/16");
  ASSERT_TRUE(reload({.confirm_within = 1s}));
  std::this_thread::sleep_for(1100ms);
  boost::asio::post(io, [this] { EXPECT_TRUE(history->confirm()); });
  pass(100ms);
  EXPECT_EQ(taken_back, 0);
  EXPECT_EQ(prefixes(), "10.2.0.0/16");
}

TEST_F(PolicyHistoryTest, TwoWhoTakeBackGoBackOnce) {
  write("10.2.0.0/16");
  ASSERT_TRUE(reload({}));
  write("10.3.0.0/16");
  ASSERT_TRUE(reload({.confirm_within = 1s}));
  const serve::ReloadOrder back{.policy = 0};
  auto first = history->begin(back, [this] { return running; });
  ASSERT_TRUE(first);
  EXPECT_EQ(why(reload(back)), "policy 2 is being put back");
  ASSERT_TRUE(finish(back, std::get<Reading>(*first)));
  pass(1100ms);
  EXPECT_EQ(taken_back, 0);
  EXPECT_EQ(prefixes(), "10.2.0.0/16");
}

// Its thread goes on once the file answers, and nobody waits for it any more.
TEST_F(PolicyHistoryTest, AReadingThatWasGivenUpLeavesNothingOnTheDisk) {
  write("10.2.0.0/16");
  auto began = history->begin({.confirm_within = 1s}, [this] { return running; });
  ASSERT_TRUE(began);
  const ReadingOrder order{.source = std::get<Source>(*began), .beside = {}, .addresses = {}};
  EXPECT_TRUE(order.handover->give_up());
  EXPECT_TRUE(read_policy(order).policy);
  start();
  EXPECT_EQ(prefixes(), "10.2.0.0/16");
}

TEST_F(PolicyHistoryTest, WhatHangsIsTheHistorysOrTheConfigurations) {
  EXPECT_TRUE(history->holds(folder.path() / "history" / "new.abcdef"));
  EXPECT_TRUE(history->holds(folder.path() / "history"));
  EXPECT_FALSE(history->holds(config));
  EXPECT_FALSE(history->holds(first));
  EXPECT_FALSE(history->holds("/mnt/routes.txt"));
}

// A configuration may name its files from "/", and a folder above its own.
TEST_F(PolicyHistoryTest, FilesAreReadWhereTheHistoryHasThem) {
  std::filesystem::create_directory(folder.path() / "etc");
  const test::TemporaryFolder elsewhere;
  const auto absolute = elsewhere.write("far.txt", "10.3.0.0/16 None\n");
  config = folder.write(
      "etc/sekisho.toml",
      "[port.lan]\ndevice = \"af_xdp:sekisho-none\"\n"
      "[zone.onprem]\nport = [\"lan\"]\nsources = [\"10.0.0.0/8\"]\nroutes = [\"../routes.txt\", \"" +
          absolute.native() + "\"]\n");
  start();
  const auto number = history->show().runs;
  ASSERT_TRUE(number);
  elsewhere.write("far.txt", "10.4.0.0/16 None\n");
  write("10.5.0.0/16");
  ASSERT_TRUE(reload({}));
  const auto source = history->rehearsed({.policy = *number});
  ASSERT_TRUE(source);
  const auto reading = read_policy({.source = *source, .beside = {}, .addresses = {}});
  ASSERT_TRUE(reading.policy) << reading.policy.error().to_string();
  ASSERT_EQ(reading.sources.files.size(), 3U);
  for (const auto& file : reading.sources.files) {
    EXPECT_THAT(file.file.native(), testing::StartsWith((folder.path() / "history").native()));
    EXPECT_TRUE(file.size) << file.file;
  }
}

}  // namespace
}  // namespace sekisho::reconcile
