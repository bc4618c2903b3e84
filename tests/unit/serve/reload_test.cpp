// SPDX-License-Identifier: BSD-3-Clause
// What whoever asked for a reload is answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "control/serve/request.hpp"
#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::serve {
namespace {

TEST(Reload, SaysWhatChangedOrWhyNot) {
  FakeBackend backend;
  backend.reloaded = Reloaded{.applied = true, .committed = {}, .warnings = {"w"}};
  backend.reloaded->committed.set_routes_added(5);
  backend.reloaded->committed.set_transaction(2);
  backend.reloaded->committed.add_failed_ports()->set_error("no such device");
  const auto result = result_of(backend, {{"command", "reload"}});
  EXPECT_EQ(result["routes_added"], 5);
  EXPECT_EQ(result["transaction"], 2);
  EXPECT_EQ(result["failed_ports"][0]["error"], "no such device");
  backend.reloaded = tl::unexpected{std::string{"sekisho.toml:3: no"}};
  EXPECT_EQ(error_of(backend, {{"command", "reload"}}), "sekisho.toml:3: no");
}

TEST(Reload, OfADryRunOnlyThePlan) {
  FakeBackend backend;
  backend.reloaded = tl::unexpected{std::string{"this was no dry run"}};
  const Json request{{"command", "reload"}, {"dry_run", true}};
  EXPECT_EQ(error_of(backend, request), "no plan");
  const auto view = sync::view(backend.policy()->config, backend.mirror());
  backend.planned = Plan{backend.policy(), view, backend.policy(), view};
  EXPECT_EQ(result_of(backend, request)["routes"]["added"], 0);
  EXPECT_EQ(show(backend, "config")["reload"]["routes"]["added"], 0);
}

TEST(Reload, OnTheTermsThatAreAskedFor) {
  FakeBackend backend;
  backend.reloaded = Reloaded{.applied = true, .committed = {}, .policy = 4, .confirm_until_unix_ms = 7};
  const auto result =
      result_of(backend, {{"command", "reload"}, {"force", true}, {"policy", 3}, {"confirm_seconds", 60}});
  EXPECT_TRUE(backend.ordered.force);
  EXPECT_EQ(backend.ordered.policy, 3U);
  EXPECT_EQ(backend.ordered.confirm_within, std::chrono::seconds{60});
  EXPECT_EQ(result["policy"], 4);
  EXPECT_EQ(result["confirm_until_unix_ms"], 7);
  EXPECT_EQ(result_of(backend, {{"command", "reload"}})["policy"], 4);
  EXPECT_EQ(backend.ordered.policy, std::nullopt);
  EXPECT_EQ(backend.ordered.confirm_within, std::nullopt);

  static_cast<void>(
      error_of(backend, {{"command", "reload"}, {"dry_run", true}, {"config", "/tmp/new.toml"}}));
  EXPECT_EQ(backend.rehearsed.config, "/tmp/new.toml");
}

TEST(Reload, OnNoTermsThatMakeNoSense) {
  FakeBackend backend;
  const auto why = [&](Json request) {
    request["command"] = "reload";
    return error_of(backend, request);
  };
  EXPECT_EQ(why({{"policy", -1}}), "\"policy\" must be a number from 0 to 9007199254740992");
  EXPECT_EQ(why({{"confirm_seconds", 0}}), "\"confirm_seconds\" must be a number from 1 to 86400");
  EXPECT_EQ(why({{"confirm_seconds", "60"}}), "\"confirm_seconds\" must be a number from 1 to 86400");
  EXPECT_EQ(why({{"config", "/tmp/new.toml"}}), "\"config\" requires \"dry_run\", and no \"policy\"");
  EXPECT_EQ(why({{"config", "/tmp/new.toml"}, {"dry_run", true}, {"policy", 1}}),
            "\"config\" requires \"dry_run\", and no \"policy\"");
  EXPECT_EQ(why({{"confirm_seconds", 60}, {"dry_run", true}}),
            "a dry run changes nothing that would have to be confirmed");
}

TEST(Reload, IsConfirmedOrNot) {
  FakeBackend backend;
  backend.known.history = {
      .entries = {{.number = 4, .ran_unix_ms = 1, .cause = "reload", .files = {"/etc/a.toml"}}},
      .directory = "/var/history",
      .configuration = "/etc/a.toml",
      .runs = 4,
      .why_none = {},
      .pinned = 3,
      .confirm_until_unix_ms = 7,
      .is_taken_back = false,
      .why_not_back = {}};
  const Json shown{{"runs", 4},
                   {"why_none", nullptr},
                   {"starts_with", 3},
                   {"confirm_until_unix_ms", 7},
                   {"why_not_back", nullptr},
                   {"configuration", "/etc/a.toml"},
                   {"policies", Json::array({{{"policy", 4},
                                              {"ran_unix_ms", 1},
                                              {"cause", "reload"},
                                              {"files", {"/etc/a.toml"}},
                                              {"folder", "/var/history/4/root"}}})}};
  EXPECT_EQ(result_of(backend, {{"command", "history"}}), shown);
  EXPECT_EQ(result_of(backend, {{"command", "confirm"}}), shown);
  backend.unconfirmable = "no reload is on trial";
  EXPECT_EQ(error_of(backend, {{"command", "confirm"}}), "no reload is on trial");
}

TEST(Reload, OfAMisspeltDryRunIsNone) {
  FakeBackend backend;
  backend.reloaded = tl::unexpected{std::string{"this was a reload"}};
  EXPECT_EQ(error_of(backend, {{"command", "reload"}, {"dry-run", true}}),
            "there is no \"dry-run\" in this request");
}

}  // namespace
}  // namespace sekisho::serve
