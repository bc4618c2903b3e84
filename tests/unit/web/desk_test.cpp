// SPDX-License-Identifier: BSD-3-Clause
// However many browsers ask, control is asked one question after the other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <ctime>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "control/web/desk.hpp"
#include "control/web/event_log.hpp"
#include "tests/unit/serve/fake_backend.hpp"
#include "tests/unit/until.hpp"

namespace sekisho::web {
namespace {

using serve::FakeBackend;
using std::chrono::milliseconds;

// A dataplane that answers when it is told to.
class SlowBackend : public FakeBackend {
 public:
  void ask_dataplane(ipc::Request request,
                     std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)> done) override {
    held.emplace_back(std::move(request), std::move(done));
  }
  void look_at_bgp(std::function<void()> done) override {
    if (!is_frr_hung) {
      done();
    }
  }
  void let_go() {
    auto [request, done] = std::move(held.front());
    held.pop_front();
    FakeBackend::ask_dataplane(std::move(request), std::move(done));
  }

  bool is_frr_hung = false;
  std::deque<std::pair<ipc::Request, std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)>>>
      held;
};

Question explained(int i) {
  return {.request = {{"command", "explain"},
                      {"source", "172.16.0.1"},
                      {"destination", base::address_to_string(static_cast<std::uint32_t>(i + (20 << 24)))}}};
}

struct Asking : testing::Test {
  void ask(const Question& question) {
    desk.ask(question, [this](http::Response response) { answers.push_back(std::move(response)); });
  }
  [[nodiscard]] bool answered(std::size_t count) {
    return test::run_until(io, [&] { return answers.size() >= count; });
  }
  // Until nothing is asked any more.
  void let_all_go(std::size_t count) {
    EXPECT_TRUE(test::run_until(io, [&] {
      most_at_once = std::max(most_at_once, backend.held.size());
      if (!backend.held.empty()) {
        ++asked;
        backend.let_go();
      }
      return answers.size() >= count;
    }));
  }

  boost::asio::io_context io;
  SlowBackend backend;
  Desk desk{io, backend, 0, 4};
  std::vector<http::Response> answers;
  std::size_t most_at_once = 0;
  std::size_t asked = 0;
  const Question drops{.request = {{"command", "show"}, {"what", "drops"}}, .fresh = milliseconds(60'000)};
};

TEST_F(Asking, OneQuestionAfterTheOther) {
  for (int i = 0; i < 20; ++i) {
    ask(explained(i));
  }
  let_all_go(20);
  EXPECT_EQ(most_at_once, 1U);
  EXPECT_EQ(asked, 20U);
  for (const auto& answer : answers) {
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
}

TEST_F(Asking, WhoAsksTheSameGetsTheSameAnswer) {
  for (int i = 0; i < 50; ++i) {
    ask(drops);
  }
  let_all_go(50);
  EXPECT_EQ(asked, 1U);
  ask(drops);
  EXPECT_EQ(answers.size(), 51U) << "at once, of what is kept";
}

TEST_F(Asking, AnAnswerIsKeptNoLongerThanItIsFresh) {
  auto question = drops;
  question.fresh = milliseconds(1);
  ask(question);
  let_all_go(1);
  boost::asio::steady_timer later(io, milliseconds(5));
  bool is_later = false;
  later.async_wait([&](auto) { is_later = true; });
  ASSERT_TRUE(test::run_until(io, [&] { return is_later; }));
  ask(question);
  let_all_go(2);
  EXPECT_EQ(asked, 2U);
}

TEST_F(Asking, TooManyAreRefused) {
  for (int i = 0; i < 1000; ++i) {
    ask(explained(i));
  }
  EXPECT_EQ(answers.size(), 1000 - Desk::most_waiting - 1) << "one is being asked, others wait";
  EXPECT_EQ(answers.front().status, 503);
  EXPECT_THAT(answers.front().body, testing::HasSubstr("too many ask at once"));
  let_all_go(1000);
  EXPECT_EQ(asked, Desk::most_waiting + 1);
}

// FRR that hangs is nobody's to wait for.
TEST_F(Asking, WhatIsRememberedIsAnsweredAtOnce) {
  backend.is_frr_hung = true;
  ask({.request = {{"command", "show"}, {"what", "bgp"}}, .fresh = milliseconds(500), .remembered = [] {
         return Json{{"configured", true}};
       }});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(*answers[0].shared, "{\"configured\":true}\n");
}

TEST_F(Asking, AFifthOfTheTimeHoweverLongAnAnswerTakes) {
  const auto busy = [] {
    const auto end = std::clock() + CLOCKS_PER_SEC / 5;
    while (std::clock() < end) {
    }
    return Json{};
  };
  const auto begin = std::chrono::steady_clock::now();
  for (const auto* what : {"one", "two"}) {
    ask({.request = {{"command", "show"}, {"what", what}}, .remembered = busy});
  }
  ASSERT_TRUE(answered(2));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(200 + 4 * 190 + 190));
}

TEST_F(Asking, WaitingForTheDataplaneIsNoWork) {
  ask(drops);
  boost::asio::steady_timer later(io, milliseconds(300));
  bool is_later = false;
  later.async_wait([&](auto) { is_later = true; });
  ASSERT_TRUE(test::run_until(io, [&] { return is_later; }));
  backend.let_go();
  const auto begin = std::chrono::steady_clock::now();
  ask({.request = {{"command", "show"}, {"what", "events"}}, .remembered = [] { return Json{}; }});
  ASSERT_TRUE(answered(2));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(600));
}

TEST_F(Asking, WhatIsTooLongIsMadeOnce) {
  int made = 0;
  const Question question{
      .request = {{"command", "show"}, {"what", "everything"}}, .fresh = milliseconds(1), .remembered = [&] {
        ++made;
        return Json(std::string(Desk::longest_answer, 'x'));
      }};
  ask(question);
  boost::asio::steady_timer later(io, milliseconds(50));
  bool is_later = false;
  later.async_wait([&](auto) { is_later = true; });
  ASSERT_TRUE(test::run_until(io, [&] { return is_later; }));
  ask(question);
  ASSERT_TRUE(answered(2));
  EXPECT_EQ(made, 1);
  EXPECT_EQ(answers[1].status, 503);
  EXPECT_THAT(answers[1].body, testing::HasSubstr("too long for a browser"));
}

TEST_F(Asking, ADataplaneThatIsGone) {
  backend.connected = false;
  ask(drops);
  ask({.request = {{"command", "show"}, {"what", "ports"}}});
  ASSERT_TRUE(answered(2));
  EXPECT_EQ(answers[0].status, 503);
  EXPECT_EQ(answers[0].content_type, "application/json");
  EXPECT_THAT(answers[0].body, testing::HasSubstr("the dataplane is not connected"));
  EXPECT_EQ(answers[1].status, 200) << "what is known without it";
  ASSERT_EQ(answers[1].headers.size(), 1U);
  EXPECT_EQ(answers[1].headers[0].first, "Sekisho-Problem");
}

TEST_F(Asking, ASillyQuestionIsTheirs) {
  ask({.request = {{"command", "explain"}, {"source", "here"}, {"destination", "1.1.1.1"}}});
  ASSERT_TRUE(answered(1));
  EXPECT_EQ(answers[0].status, 400);
  EXPECT_THAT(answers[0].body, testing::HasSubstr("here"));
}

TEST(EventLog, KeepsTheNewest) {
  FakeBackend backend;
  const EventLog log(backend.subscribe());
  EXPECT_EQ(log.to_json(), Json::array());
  for (std::size_t i = 0; i < EventLog::most + 50; ++i) {
    backend.feed.publish({.kind = "reload", .sentence = std::to_string(i)});
  }
  backend.feed.beat();
  const auto json = log.to_json();
  ASSERT_EQ(json.size(), EventLog::most);
  EXPECT_EQ(json.front()["sentence"], std::to_string(EventLog::most + 49));
  EXPECT_EQ(json.back()["sentence"], "50");
}

}  // namespace
}  // namespace sekisho::web
