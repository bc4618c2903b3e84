// SPDX-License-Identifier: BSD-3-Clause
// What whoever asked for a reload is answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(Reload, OfAMisspeltDryRunIsNone) {
  FakeBackend backend;
  backend.reloaded = tl::unexpected{std::string{"this was a reload"}};
  EXPECT_EQ(error_of(backend, {{"command", "reload"}, {"dry-run", true}}),
            "there is no \"dry-run\" in this request");
}

}  // namespace
}  // namespace sekisho::serve
