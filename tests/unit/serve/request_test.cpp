// SPDX-License-Identifier: BSD-3-Clause
// Each command is told to the daemon as it was asked, or refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "control/serve/changes.hpp"
#include "control/serve/request.hpp"
#include "control/serve/role.hpp"
#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::serve {
namespace {

TEST(Requests, UnknownOnesAreRefused) {
  FakeBackend backend;
  EXPECT_EQ(error_of(backend, {{"command", "dance"}}), "there is no command \"dance\"");
  EXPECT_NE(error_of(backend, Json::object()), "");
  EXPECT_NE(error_of(backend, {{"command", 1}}), "");
  EXPECT_NE(error_of(backend, {{"command", "show"}, {"what", "love"}}), "");
  EXPECT_NE(error_of(backend, {{"command", "show"}, {"what", "routes"}, {"longer", "yes"}}), "");
  backend.policy_ = nullptr;
  EXPECT_EQ(error_of(backend, {{"command", "show"}, {"what", "ports"}}), "no configuration is loaded");
}

TEST(Override, IsGivenToTheDaemon) {
  FakeBackend backend;
  const Json request{{"command", "route"}, {"verb", "del"}, {"zone", "onprem"}, {"prefix", "10.0.0.0/8"}};
  backend.reloaded = Reloaded{.applied = true, .committed = {}, .warnings = {}};
  EXPECT_EQ(result_of(backend, request)["applied"], true);
  EXPECT_THAT(backend.overrides_asked, testing::ElementsAre("del 10.0.0.0/8 in zone onprem"));
  backend.reloaded = tl::unexpected{std::string{"no"}};
  EXPECT_EQ(error_of(backend, request), "no");
  EXPECT_THAT(error_of(backend, {{"command", "route"}}), testing::HasSubstr("verb"));
}

TEST(Override, IsListedWithTheConfigurationOfAReload) {
  FakeBackend backend;
  backend.policy_ =
      policy::with_overrides(*backend.policy_, {{"onprem", base::parse_prefix("10.0.0.0/8").value(), {}}})
          .value();
  backend.known.history.configuration = "/etc/sekisho/sekisho.toml";
  EXPECT_EQ(result_of(backend, {{"command", "show"}, {"what", "overrides"}}),
            (Json{{"configuration", "/etc/sekisho/sekisho.toml"},
                  {"overrides",
                   Json::array({{{"zone", "onprem"}, {"prefix", "10.0.0.0/8"}, {"next_hop", nullptr}}})}}));
}

TEST(Names, AreToldWithoutTheDataplane) {
  FakeBackend backend;
  backend.connected = false;
  const auto names = result_of(backend, {{"command", "show"}, {"what", "names"}});
  EXPECT_EQ(names["zones"], (Json{"internet", "onprem"}));
  EXPECT_EQ(names["ports"], (Json{"egress", "lan"}));
  EXPECT_EQ(names["next_hops"][0]["name"], "firewall");
  EXPECT_EQ(names["next_hops"][1], (Json{{"name", "vnet"}, {"members", {"10.0.1.20"}}}));
}

TEST(Drain, HoldsUntilItIsTakenBack) {
  FakeBackend backend;
  const auto told = [&](const char* command) { return result_of(backend, {{"command", command}}); };
  EXPECT_EQ(told("drain"), (Json{{"draining", true}, {"since_unix_ms", 1000}, {"changed", true}}));
  EXPECT_EQ(told("drain")["changed"], false);
  EXPECT_EQ(told("undrain"), (Json{{"draining", false}, {"since_unix_ms", nullptr}, {"changed", true}}));
  EXPECT_EQ(told("undrain")["changed"], false);
  backend.undrainable = "/var/lib/sekisho/control.json cannot be written: Read-only file system";
  std::string refusal;
  handle({{"command", "drain"}}, backend, 0,
         [&](const Answer& answer) { refusal = answer.reply.value("error", ""); });
  EXPECT_EQ(refusal, backend.undrainable);
  EXPECT_FALSE(only_reads({{"command", "drain"}}) || only_reads({{"command", "undrain"}}));
}

TEST(Monitor, BeginsWithTheVerdictAndGoesOn) {
  FakeBackend backend;
  std::optional<Answer> page;
  const auto keep = [&](Answer answer) { page = std::move(answer); };
  handle({{"command", "monitor"}}, backend, 0, keep);
  ASSERT_TRUE(page && page->later);
  EXPECT_EQ(page->reply["result"][0]["event"], "verdict");
  EXPECT_EQ(page->reply["more"], true);
  auto later = std::exchange(page, std::nullopt)->later;
  later(keep);
  EXPECT_FALSE(page) << "nothing has happened";
  backend.feed.publish(drain_event(true));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->reply["result"][0]["event"], "drain");
  later = std::exchange(page, std::nullopt)->later;
  for (std::size_t i = 0; i != events::Subscription::most + 3; ++i) {
    backend.feed.publish(drain_event(false));
  }
  later(keep);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->reply["result"].size(), events::Subscription::most + 1);
  EXPECT_EQ(page->reply["result"][0]["event"], "lost");
  EXPECT_EQ(page->reply["result"][0]["count"], 3);
  EXPECT_TRUE(only_reads({{"command", "monitor"}}));
}

}  // namespace
}  // namespace sekisho::serve
