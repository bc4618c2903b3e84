// SPDX-License-Identifier: BSD-3-Clause
// What a browser is told of the minutes before it came: no more than was so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "control/web/rate_log.hpp"
#include "tests/unit/serve/fake_backend.hpp"
#include "tests/unit/until.hpp"

namespace sekisho::web {
namespace {

using serve::Json;
using std::chrono::milliseconds;

constexpr std::uint64_t started = 1'700'000'000'000;

serve::Live said(std::uint64_t rx_bytes, std::uint64_t since = started, const char* port = "lan") {
  serve::Live live{.state = ipc::State{}, .statistics = ipc::Statistics{}, .connected = true};
  live.state->set_started_unix_ms(since);
  auto* counters = live.statistics->add_ports();
  counters->set_name(port);
  counters->mutable_rx()->set_bytes(rx_bytes);
  counters->mutable_tx()->set_bytes(rx_bytes / 2);
  (*counters->mutable_drops())["null_route"] = rx_bytes / 100;
  return live;
}

struct Rates : testing::Test {
  // Two seconds later each.
  void take(const serve::Live& live) { log.take(now += milliseconds(2000), live); }
  [[nodiscard]] Json lan() const {
    const auto json = log.to_json(now);
    for (const auto& port : json["ports"]) {
      if (port["name"] == "lan") {
        return port;
      }
    }
    return nullptr;
  }

  boost::asio::io_context io;
  serve::FakeBackend backend;
  RateLog log{io, backend};
  RateLog::Clock::time_point now = RateLog::Clock::now();
};

TEST_F(Rates, AreDifferencesOfASecond) {
  take(said(1'000));
  take(said(3'000));
  take(said(3'000));
  EXPECT_EQ(lan(), (Json{{"name", "lan"},
                         {"rx_bits", {nullptr, 8'000, 0}},
                         {"tx_bits", {nullptr, 4'000, 0}},
                         {"dropped", {nullptr, 10, 0}}}));
  EXPECT_EQ(log.to_json(now)["age_ms"], (Json{4000, 2000, 0}));
}

TEST_F(Rates, ADataplaneThatStartedAnewLeavesAGap) {
  take(said(1'000));
  take(said(3'000));
  take(said(9'000'000, started + 1)) /* it has counted more than the one before */;
  take(said(9'002'000, started + 1));
  EXPECT_EQ(lan()["rx_bits"], (Json{nullptr, 8'000, nullptr, 8'000}));
}

TEST_F(Rates, ADataplaneThatDoesNotAnswerLeavesAGap) {
  take(said(1'000));
  take(said(3'000));
  take({.connected = true, .error = "it hangs"});
  take(said(9'000'000));
  take(said(9'002'000));
  EXPECT_EQ(lan()["rx_bits"], (Json{nullptr, 8'000, nullptr, nullptr, 8'000}));
}

TEST_F(Rates, APortThatCountsAnewLeavesAGap) {
  take(said(9'000));
  take(said(1'000));
  take(said(3'000));
  EXPECT_EQ(lan()["rx_bits"], (Json{nullptr, nullptr, 8'000}));
}

TEST_F(Rates, APortThatIsNewOrGoneHasNone) {
  take(said(1'000));
  take(said(2'000));
  take(said(1'000, started, "egress"));
  take(said(3'000, started, "egress"));
  EXPECT_EQ(lan()["rx_bits"], (Json{nullptr, 4'000, nullptr, nullptr}));
  EXPECT_EQ(log.to_json(now)["ports"][0]["rx_bits"], (Json{nullptr, nullptr, nullptr, 8'000})) << "egress";
}

TEST_F(Rates, AreOfTheLastMinutesAlone) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    take(said(i * 1'000));
  }
  const auto json = log.to_json(now);
  ASSERT_EQ(json["age_ms"].size(), RateLog::most);
  EXPECT_EQ(json["age_ms"].front(), 2000 * (RateLog::most - 1));
  EXPECT_TRUE(std::is_sorted(json["age_ms"].rbegin(), json["age_ms"].rend()));
  ASSERT_EQ(lan()["rx_bits"].size(), RateLog::most);
  EXPECT_EQ(lan()["rx_bits"].front(), 4'000);
}

// A dataplane that nobody looks at is left alone.
TEST(RateLog, AsksWhileThereIsAPage) {
  boost::asio::io_context io;
  serve::FakeBackend backend;
  RateLog log(io, backend, milliseconds(1));
  boost::asio::steady_timer later(io, milliseconds(100));
  bool is_later = false;
  later.async_wait([&](auto) { is_later = true; });
  ASSERT_TRUE(test::run_until(io, [&] { return is_later; }));
  EXPECT_TRUE(backend.asked.empty());

  const auto without = backend.policy_;
  auto with = std::make_shared<policy::Policy>(*without);
  with->config.web.emplace();
  backend.policy_ = with;
  const auto samples = [&] { return log.to_json(RateLog::Clock::now())["age_ms"].size(); };
  ASSERT_TRUE(test::run_until(io, [&] { return samples() >= 3; }));
  EXPECT_GE(backend.asked.size(), 6U);
  backend.policy_ = without;
  ASSERT_TRUE(test::run_until(io, [&] { return samples() == 0; })) << "nobody is shown what was long ago";
}

}  // namespace
}  // namespace sekisho::web
